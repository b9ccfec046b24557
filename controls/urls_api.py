"""Addresses of the API of controls."""

from django.urls import path

from controls import api

urlpatterns = [
    path("studies/<slug:slug>/controls/", api.ControlsView.as_view(), name="controls"),
    path("studies/<slug:slug>/controls/people/", api.ControlPeopleView.as_view(), name="control_people"),
    path("studies/<slug:slug>/controls/runs/", api.ControlsRunsView.as_view(), name="controls_runs"),
    path("studies/<slug:slug>/controls/runs/<int:run_id>/", api.ControlsRunView.as_view(), name="controls_run"),
    path(
        "studies/<slug:slug>/controls/<int:control_id>/withdraw/",
        api.WithdrawControlView.as_view(),
        name="withdraw_control",
    ),
]
