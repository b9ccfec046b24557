"""Addresses of the API of imports. `diptych.urls` includes them."""

from django.urls import path

from importing import api, api_uploads

urlpatterns = [
    path("studies/<slug:slug>/imports/", api.ImportsView.as_view(), name="imports"),
    path("imports/<slug:import_id>/", api.ImportView.as_view(), name="import"),
    path("imports/<slug:import_id>/begin/", api.BeginView.as_view(), name="import_begin"),
    path("imports/<slug:import_id>/cancel/", api.CancelView.as_view(), name="import_cancel"),
    path("imports/<slug:import_id>/again/", api.AgainView.as_view(), name="import_again"),
    path("imports/<slug:import_id>/bad-rows/", api.BadRowsView.as_view(), name="import_bad_rows"),
    path("imports/<slug:import_id>/uploads/", api_uploads.UploadsView.as_view(), name="uploads"),
    path("imports/<slug:import_id>/uploads/<slug:upload_id>/", api_uploads.UploadView.as_view(), name="upload"),
]
