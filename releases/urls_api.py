"""Addresses of the API of releases, below `/api/v1/`."""

from django.urls import path

from releases import api, api_automatic

urlpatterns = [
    path("studies/<slug:slug>/releases/", api.ReleasesView.as_view(), name="releases"),
    path(
        "studies/<slug:slug>/automatic-releases/",
        api_automatic.AutomaticReleasesView.as_view(),
        name="automatic_releases",
    ),
    path("studies/<slug:slug>/withdrawals/", api.WithdrawalsView.as_view(), name="withdrawals"),
    path("releases/<int:release_id>/", api.ReleaseView.as_view(), name="release_detail"),
    path("releases/<int:release_id>/cancel/", api.CancelReleaseView.as_view(), name="release_cancel"),
    path("releases/<int:release_id>/files/<path:path>", api.ReleaseFileView.as_view(), name="release_file"),
]
