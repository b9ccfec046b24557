"""Addresses of the pages of imports. `diptych.urls` includes them under `studies/`."""

from django.urls import path

from importing import views

app_name = "importing"

urlpatterns = [
    path("<slug:slug>/imports/", views.imports, name="imports"),
    path("<slug:slug>/imports/new/", views.new, name="new"),
    path("<slug:slug>/imports/<slug:import_id>/", views.one, name="import"),
    path("<slug:slug>/imports/<slug:import_id>/progress/", views.progress, name="progress"),
    path("<slug:slug>/imports/<slug:import_id>/begin/", views.begin, name="begin"),
    path("<slug:slug>/imports/<slug:import_id>/cancel/", views.cancel, name="cancel"),
    path("<slug:slug>/imports/<slug:import_id>/again/", views.again, name="again"),
    path("<slug:slug>/imports/<slug:import_id>/bad-rows.csv", views.bad_rows_as_csv, name="bad_rows_csv"),
    path("<slug:slug>/imports/<slug:import_id>/bad-rows.jsonl", views.bad_rows_as_jsonl, name="bad_rows_jsonl"),
]
