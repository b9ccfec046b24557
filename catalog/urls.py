"""Addresses of a study's library, batches, changes of pairs, and licences."""

from django.urls import include, path

from catalog import media_jobs, views_licences, views_pairs
from catalog.pair_changes import orders

app_name = "catalog"
urlpatterns = [
    path("<slug:slug>/library/pairs/hold-all/", views_pairs.hold_listed, name="hold_listed"),
    path("", include("catalog.library.urls")),
    path("<slug:slug>/settings/licences/", views_licences.licences, name="licences"),
    path("<slug:slug>/jobs/media/", media_jobs.progress, name="media"),
    path("<slug:slug>/jobs/media/retry/", media_jobs.retry, name="retry_media"),
    path("<slug:slug>/batches/", views_pairs.batches, name="batches"),
    path("<slug:slug>/batches/pairs/", views_pairs.pairs, name="change_pairs"),
    path("<slug:slug>/batches/changes/<int:change_id>/", views_pairs.progress, name="change"),
    path(
        "<slug:slug>/batches/changes/<int:change_id>/cancel/", views_pairs.act, {"act": orders.cancel}, "cancel_change"
    ),
    path(
        "<slug:slug>/batches/changes/<int:change_id>/resume/", views_pairs.act, {"act": orders.resume}, "resume_change"
    ),
]
