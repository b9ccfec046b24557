"""Addresses of the API of removals. `diptych.urls` includes them."""

from django.urls import path

from removal import api

urlpatterns = [
    path("imports/<slug:import_id>/undo/", api.UndoView.as_view(), name="import_undo"),
    path("studies/<slug:slug>/delete/", api.DeleteStudyView.as_view(), name="study_delete"),
    path("removals/<int:removal_id>/", api.RemovalView.as_view(), name="removal"),
]
