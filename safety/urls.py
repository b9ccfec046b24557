"""URLs of the pages for safety officers. `diptych.urls` includes them under `safety/`."""

from django.urls import path

from safety import views, views_officers, views_reporter

app_name = "safety"
urlpatterns = [
    path("", views.reports, name="reports"),
    path("officers/", views_officers.officers, name="officers"),
    path("officers/<int:officer_id>/dismiss/", views_officers.dismiss, name="dismiss"),
    path("reporters/<slug:code>/", views_reporter.reporter, name="reporter"),
    path("reporters/<slug:code>/progress/", views_reporter.progress, name="release_progress"),
    path("reporters/<slug:code>/cancel/", views_reporter.cancel, name="cancel_release"),
    path("<int:quarantine_id>/", views.report, name="report"),
    path("<int:quarantine_id>/view/", views.view_video, name="view"),
    path("<int:quarantine_id>/video.mp4", views.video, name="video"),
    path("<int:quarantine_id>/referral/", views.referral, name="referral"),
    path("<int:quarantine_id>/confirm/", views.confirm, name="confirm"),
    path("<int:quarantine_id>/legal-hold/", views.legal_hold, name="legal_hold"),
    path("<int:quarantine_id>/release/", views.release, name="release"),
]
