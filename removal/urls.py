"""Addresses of the pages of removals. `diptych.urls` includes them under `studies/`."""

from django.urls import path

from removal import views

app_name = "removal"

urlpatterns = [
    path("<slug:slug>/imports/<slug:import_id>/undo/", views.undo, name="undo"),
    path("<slug:slug>/settings/delete/", views.delete, name="delete_study"),
    path("removals/<int:removal_id>/", views.removal, name="removal"),
    path("removals/<int:removal_id>/progress/", views.progress, name="progress"),
    path("removals/<int:removal_id>/cancel/", views.cancel, name="cancel"),
]
