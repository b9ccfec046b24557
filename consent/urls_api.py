"""Addresses of the consent API, below `/api/v1/`."""

from django.urls import path

from consent import api

urlpatterns = [path("studies/<slug:slug>/consent/", api.ConsentView.as_view(), name="consent")]
