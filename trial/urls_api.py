"""Addresses of the API of a trial, below `/api/v1/`."""

from django.urls import path

from trial import api

urlpatterns = [
    path("studies/<slug:slug>/trial/", api.TrialView.as_view(), name="trial"),
    path("trial/<int:pair_key>/submit/", api.TrialSubmitView.as_view(), name="trial_submit"),
    path("trial/<int:pair_key>/draft/", api.TrialDraftView.as_view(), name="trial_draft"),
    path("trial/<int:pair_key>/skip/", api.TrialSkipView.as_view(), name="trial_skip"),
    path("trial/<int:pair_key>/renew/", api.TrialRenewView.as_view(), name="trial_renew"),
    path("trial/<int:pair_key>/care/", api.TrialCareView.as_view(), name="trial_care"),
    path("trial/<int:pair_key>/revise/", api.TrialReviseView.as_view(), name="trial_revise"),
    path("trial/<int:pair_key>/reopen/", api.TrialReopenView.as_view(), name="trial_reopen"),
    path("trial/<int:pair_key>/report/", api.TrialReportView.as_view(), name="trial_report"),
]
