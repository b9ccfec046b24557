"""Addresses of the API of comparisons, below `/api/v1/`."""

from django.urls import path

from release_records import api

urlpatterns = [
    path("releases/<int:release_id>/comparison/", api.ComparisonView.as_view(), name="release_comparison"),
]
