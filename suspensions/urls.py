"""Addresses of suspensions and pauses."""

from django.urls import path

from suspensions import views, views_pauses

app_name = "suspensions"
urlpatterns = [
    path("<slug:slug>/suspensions/", views.suspensions, name="suspensions"),
    path("<slug:slug>/suspensions/new/<int:person_id>/", views.suspend, name="suspend"),
    path("<slug:slug>/suspensions/<int:suspension_id>/", views.suspension, name="suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/answers.csv", views.download, name="suspension_csv"),
    path("<slug:slug>/suspensions/<int:suspension_id>/progress/", views.progress, name="suspension_progress"),
    path("<slug:slug>/suspensions/<int:suspension_id>/lift/", views.lift, name="lift_suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/cancel/", views.cancel, name="cancel_suspension"),
    path("<slug:slug>/suspensions/<int:suspension_id>/resume/", views.resume, name="resume_suspension"),
    path("<slug:slug>/pauses/", views_pauses.pauses, name="pauses"),
    path("<slug:slug>/pauses/pauses.csv", views_pauses.download, name="pauses_csv"),
    path("<slug:slug>/pauses/rules/", views_pauses.rules, name="pause_rules"),
    path("<slug:slug>/pauses/<int:pause_id>/end/", views_pauses.end, name="end_pause"),
]
