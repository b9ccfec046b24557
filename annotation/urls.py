"""The annotator's pages."""

from django.urls import path

from annotation import views, views_answers, views_consent, views_my_work, views_trial, views_wellbeing

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
    path("<slug:slug>/exposure/", views_wellbeing.groups, name="exposure"),
]
