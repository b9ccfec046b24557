"""Addresses of the API of suspensions and pauses."""

from django.urls import path

from suspensions import api

urlpatterns = [
    path("studies/<slug:slug>/suspensions/", api.SuspensionsView.as_view(), name="suspensions"),
    path("studies/<slug:slug>/suspensions/preview/", api.PreviewView.as_view(), name="suspension_preview"),
    path("suspensions/<int:suspension_id>/", api.SuspensionView.as_view(), name="suspension"),
    path("suspensions/<int:suspension_id>/lift/", api.LiftView.as_view(), name="suspension_lift"),
    path("studies/<slug:slug>/pauses/", api.PausesView.as_view(), name="pauses"),
    path("pauses/<int:pause_id>/end/", api.EndPauseView.as_view(), name="pause_end"),
]
