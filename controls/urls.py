"""Addresses of controls."""

from django.urls import path

from controls import views

app_name = "controls"
urlpatterns = [
    path("<slug:slug>/controls/", views.controls, name="controls"),
    path("<slug:slug>/controls/controls.csv", views.controls_csv, name="controls_csv"),
    path("<slug:slug>/controls/make/", views.make, name="make_controls"),
    path("<slug:slug>/controls/<int:control_id>/withdraw/", views.withdraw, name="withdraw_control"),
    path("<slug:slug>/controls/people/", views.people, name="control_people"),
    path("<slug:slug>/controls/people/people.csv", views.people_csv, name="control_people_csv"),
    path("<slug:slug>/controls/results/", views.results, name="control_results"),
    path("<slug:slug>/controls/results/results.csv", views.results_csv, name="control_results_csv"),
    path("<slug:slug>/controls/runs/<int:run_id>/", views.progress, name="controls_run"),
    path("<slug:slug>/controls/runs/<int:run_id>/cancel/", views.cancel, name="cancel_controls_run"),
]
