"""Findings and runs of rules below `/api/v1/`."""

from django.urls import path

from qc import api_findings

urlpatterns = [
    path("studies/<slug:slug>/findings/", api_findings.FindingsView.as_view(), name="findings"),
    path("studies/<slug:slug>/findings/runs/", api_findings.FindingsRunsView.as_view(), name="findings_runs"),
    path(
        "studies/<slug:slug>/findings/runs/<int:run_id>/", api_findings.FindingsRunView.as_view(), name="findings_run"
    ),
]
