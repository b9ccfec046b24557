"""Addresses of the pages that show answers and how much people have done."""

from django.urls import path

from answers import views, views_my_work, views_people

app_name = "answers"
urlpatterns = [
    path("<slug:slug>/my-work/", views_my_work.page, name="my_work"),
    path("<slug:slug>/library/answers/", views.listed, name="list"),
    path("<slug:slug>/library/answers.csv", views.download, name="list_csv"),
    path("<slug:slug>/people/progress/", views_people.people, name="people_progress"),
    path("<slug:slug>/people/progress.csv", views_people.download, {"by_day": False}, name="people_csv"),
    path("<slug:slug>/people/progress-by-day.csv", views_people.download, {"by_day": True}, name="people_days_csv"),
    path("<slug:slug>/people/<int:person_id>/progress/", views_people.person, name="person_progress"),
]
