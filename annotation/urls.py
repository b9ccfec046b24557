"""Addresses of the annotation pages."""

from django.urls import path

from annotation import (
    views,
    views_answers,
    views_consent,
    views_my_work,
    views_people,
    views_trial,
    views_wellbeing,
)

app_name = "annotation"
urlpatterns = [
    path("<slug:slug>/workspace/", views.workspace, name="workspace"),
    path("<slug:slug>/trial/", views_trial.page, name="trial"),
    path("<slug:slug>/my-work/", views_my_work.page, name="my_work"),
    path("<slug:slug>/consent/", views_consent.page, name="consent"),
    path("<slug:slug>/consent/withdraw/", views_consent.withdraw, name="withdraw"),
    path("<slug:slug>/library/answers/", views_answers.listed, name="answers"),
    path("<slug:slug>/library/answers.csv", views_answers.download, name="answers_csv"),
    path("<slug:slug>/wellbeing/", views_wellbeing.people, name="wellbeing"),
    path("<slug:slug>/wellbeing/<int:person_id>/", views_wellbeing.person, name="wellbeing_person"),
    path("<slug:slug>/people/progress/", views_people.people, name="people_progress"),
    path("<slug:slug>/people/progress.csv", views_people.download, {"by_day": False}, name="people_csv"),
    path("<slug:slug>/people/progress-by-day.csv", views_people.download, {"by_day": True}, name="people_days_csv"),
    path("<slug:slug>/people/<int:person_id>/progress/", views_people.person, name="person_progress"),
    path("<slug:slug>/exposure/", views_wellbeing.groups, name="exposure"),
]
