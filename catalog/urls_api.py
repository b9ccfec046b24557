"""The catalog's part of the API; `diptych.urls` includes it."""

from django.urls import path

from catalog import api_imports, api_uploads

urlpatterns = [
    path("studies/<slug:slug>/imports/", api_imports.ImportsView.as_view(), name="imports"),
    path("imports/<slug:import_id>/", api_imports.ImportView.as_view(), name="import"),
    path("imports/<slug:import_id>/begin/", api_imports.BeginView.as_view(), name="import_begin"),
    path("imports/<slug:import_id>/cancel/", api_imports.CancelView.as_view(), name="import_cancel"),
    path("imports/<slug:import_id>/bad-rows/", api_imports.BadRowsView.as_view(), name="import_bad_rows"),
    path("imports/<slug:import_id>/uploads/", api_uploads.UploadsView.as_view(), name="uploads"),
    path("imports/<slug:import_id>/uploads/<slug:upload_id>/", api_uploads.UploadView.as_view(), name="upload"),
]
