"""Addresses of the dashboard, of findings, and of the rules."""

from django.urls import path

from qc import views, views_findings, views_rules

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
    path("<slug:slug>/findings/", views_findings.listed, name="findings"),
    path("<slug:slug>/findings/findings.csv", views_findings.download, name="findings_csv"),
    path("<slug:slug>/findings/<int:finding_id>/", views_findings.act, name="finding"),
    path("<slug:slug>/findings/runs/", views_findings.run, name="run_rules"),
    path("<slug:slug>/findings/runs/<int:run_id>/", views_findings.progress, name="findings_run"),
    path("<slug:slug>/findings/runs/<int:run_id>/cancel/", views_findings.cancel, name="cancel_findings_run"),
    path("<slug:slug>/findings/rules/", views_rules.page, name="rules"),
]
