"""Addresses of the annotation API, below `/api/v1/`."""

from django.urls import path

from annotation import (
    api,
    api_consent,
    api_guideline,
    api_people,
    api_reports,
    api_revisions,
    api_studies,
    api_trial,
)

urlpatterns = [
    path("studies/<slug:slug>/", api_studies.StudyView.as_view(), name="study"),
    path("studies/<slug:slug>/assignments/", api.LeaseView.as_view(), name="lease"),
    path("studies/<slug:slug>/consent/", api_consent.ConsentView.as_view(), name="consent"),
    path("studies/<slug:slug>/own-progress/", api_studies.OwnProgressView.as_view(), name="own_progress"),
    path("studies/<slug:slug>/people-progress/", api_people.PeopleProgressView.as_view(), name="people_progress"),
    path("studies/<slug:slug>/people-progress/days/", api_people.PeopleDaysView.as_view(), name="people_days"),
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
    path("studies/<slug:slug>/trial/", api_trial.TrialView.as_view(), name="trial"),
    path("trial/<int:pair_key>/submit/", api_trial.TrialSubmitView.as_view(), name="trial_submit"),
    path("trial/<int:pair_key>/draft/", api_trial.TrialDraftView.as_view(), name="trial_draft"),
    path("trial/<int:pair_key>/skip/", api_trial.TrialSkipView.as_view(), name="trial_skip"),
    path("trial/<int:pair_key>/renew/", api_trial.TrialRenewView.as_view(), name="trial_renew"),
    path("trial/<int:pair_key>/care/", api_trial.TrialCareView.as_view(), name="trial_care"),
    path("trial/<int:pair_key>/revise/", api_trial.TrialReviseView.as_view(), name="trial_revise"),
    path("trial/<int:pair_key>/reopen/", api_trial.TrialReopenView.as_view(), name="trial_reopen"),
    path("trial/<int:pair_key>/report/", api_trial.TrialReportView.as_view(), name="trial_report"),
]
