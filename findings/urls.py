"""Addresses of findings and rules."""

from django.urls import path

from findings import views, views_rules

app_name = "findings"
urlpatterns = [
    path("<slug:slug>/findings/", views.listed, name="findings"),
    path("<slug:slug>/findings/findings.csv", views.download, name="findings_csv"),
    path("<slug:slug>/findings/dismiss/", views.dismiss_many, name="dismiss_findings"),
    path("<slug:slug>/findings/<int:finding_id>/", views.act, name="finding"),
    path("<slug:slug>/findings/runs/", views.run, name="run_rules"),
    path("<slug:slug>/findings/runs/<int:run_id>/", views.progress, name="findings_run"),
    path("<slug:slug>/findings/runs/<int:run_id>/cancel/", views.cancel, name="cancel_findings_run"),
    path("<slug:slug>/findings/rules/", views_rules.page, name="rules"),
]
