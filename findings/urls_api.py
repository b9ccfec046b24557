"""Addresses of the API of findings and rules."""

from django.urls import path

from findings import api

urlpatterns = [
    path("studies/<slug:slug>/findings/", api.FindingsView.as_view(), name="findings"),
    path("studies/<slug:slug>/findings/runs/", api.FindingsRunsView.as_view(), name="findings_runs"),
    path("studies/<slug:slug>/findings/runs/<int:run_id>/", api.FindingsRunView.as_view(), name="findings_run"),
]
