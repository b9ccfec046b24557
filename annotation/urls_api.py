"""This room's addresses below `/api/v1/`."""

from django.urls import path

from annotation import api, api_studies

urlpatterns = [
    path("studies/", api_studies.StudiesView.as_view(), name="studies"),
    path("studies/<slug:slug>/", api_studies.StudyView.as_view(), name="study"),
    path("studies/<slug:slug>/assignments/", api.LeaseView.as_view(), name="lease"),
    path("assignments/<int:assignment_id>/submit/", api.SubmitView.as_view(), name="submit"),
    path("assignments/<int:assignment_id>/draft/", api.DraftView.as_view(), name="draft"),
    path("assignments/<int:assignment_id>/skip/", api.SkipView.as_view(), name="skip"),
    path("assignments/<int:assignment_id>/renew/", api.RenewView.as_view(), name="renew"),
    path("assignments/<int:assignment_id>/release/", api.ReleaseView.as_view(), name="release"),
]
