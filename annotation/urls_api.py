"""Addresses of the annotation API, below `/api/v1/`."""

from django.urls import path

from annotation import (
    api,
    api_guideline,
    api_own_progress,
    api_reports,
    api_revisions,
)

urlpatterns = [
    path("studies/<slug:slug>/assignments/", api.LeaseView.as_view(), name="lease"),
    path("studies/<slug:slug>/own-progress/", api_own_progress.OwnProgressView.as_view(), name="own_progress"),
    path("studies/<slug:slug>/guideline/", api_guideline.GuidelineView.as_view(), name="guideline"),
    path(
        "studies/<slug:slug>/guideline/changes/",
        api_guideline.GuidelineChangesView.as_view(),
        name="guideline_changes",
    ),
    path("studies/<slug:slug>/guideline/read/", api_guideline.GuidelineReadView.as_view(), name="guideline_read"),
    path("assignments/<int:assignment_id>/submit/", api.SubmitView.as_view(), name="submit"),
    path("assignments/<int:assignment_id>/draft/", api.DraftView.as_view(), name="draft"),
    path("assignments/<int:assignment_id>/skip/", api.SkipView.as_view(), name="skip"),
    path("assignments/<int:assignment_id>/renew/", api.RenewView.as_view(), name="renew"),
    path("assignments/<int:assignment_id>/care/", api.CareView.as_view(), name="care"),
    path("assignments/<int:assignment_id>/reopen/", api_revisions.ReopenView.as_view(), name="reopen"),
    path("assignments/<int:assignment_id>/revise/", api_revisions.ReviseView.as_view(), name="revise"),
    path("assignments/<int:assignment_id>/report/", api_reports.ReportView.as_view(), name="report"),
    path("assignments/<int:assignment_id>/release/", api.ReleaseView.as_view(), name="release"),
]
