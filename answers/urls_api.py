"""Addresses of the API of studies and people's progress, below `/api/v1/`."""

from django.urls import path

from answers import api_people, api_study

urlpatterns = [
    path("studies/<slug:slug>/", api_study.StudyView.as_view(), name="study"),
    path("studies/<slug:slug>/people-progress/", api_people.PeopleProgressView.as_view(), name="people_progress"),
    path("studies/<slug:slug>/people-progress/days/", api_people.PeopleDaysView.as_view(), name="people_days"),
]
