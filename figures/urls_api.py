"""Addresses of the API of progress, quality, agreement and annotators."""

from django.urls import path

from figures import api, api_quality

urlpatterns = [
    path("studies/<slug:slug>/agreement/", api.AgreementView.as_view(), name="agreement"),
    path("studies/<slug:slug>/annotators/", api.AnnotatorsView.as_view(), name="annotators"),
    path("studies/<slug:slug>/quality/", api_quality.QualityFiguresView.as_view(), name="quality"),
    path("studies/<slug:slug>/reviews/assign/", api_quality.AssignReviewsView.as_view(), name="assign_reviews"),
]
