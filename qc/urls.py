"""Addresses of the dashboard."""

from django.urls import path

from qc import views

app_name = "qc"
urlpatterns = [
    path("<slug:slug>/", views.dashboard, name="dashboard"),
]
