"""The annotator's addresses below `/api/v1/`."""

from django.urls import path

from annotation import api, api_guideline, api_reports, api_revisions, api_studies

urlpatterns = [
    path("studies/", api_studies.StudiesView.as_view(), name="studies"),
    path("studies/<slug:slug>/", api_studies.StudyView.as_view(), name="study"),
    path("studies/<slug:slug>/archive/", api_studies.ArchiveView.as_view(), name="study_archive"),
    path("studies/<slug:slug>/bring-back/", api_studies.BringBackView.as_view(), name="study_bring_back"),
    path("studies/<slug:slug>/assignments/", api.LeaseView.as_view(), name="lease"),
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
