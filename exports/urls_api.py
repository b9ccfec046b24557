"""Addresses of the downloads, below `/api/v1/`."""

from django.urls import path

from exports import api

urlpatterns = [
    path("studies/<slug:slug>/annotations.jsonl", api.AnnotationsView.as_view(), name="annotations"),
    path("studies/<slug:slug>/skips.jsonl", api.SkipsView.as_view(), name="skips"),
]
