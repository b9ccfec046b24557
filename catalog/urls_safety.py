"""The safety officer's pages; `diptych.urls` includes them under `safety/`."""

from django.urls import path

from catalog import views_officers, views_safety

app_name = "safety"
urlpatterns = [
    path("", views_safety.reports, name="reports"),
    path("officers/", views_officers.officers, name="officers"),
    path("officers/<int:officer_id>/dismiss/", views_officers.dismiss, name="dismiss"),
    path("reporters/<slug:code>/", views_safety.reporter, name="reporter"),
    path("<int:quarantine_id>/", views_safety.report, name="report"),
    path("<int:quarantine_id>/view/", views_safety.view_video, name="view"),
    path("<int:quarantine_id>/video.mp4", views_safety.video, name="video"),
    path("<int:quarantine_id>/referral/", views_safety.referral, name="referral"),
    path("<int:quarantine_id>/confirm/", views_safety.confirm, name="confirm"),
    path("<int:quarantine_id>/legal-hold/", views_safety.legal_hold, name="legal_hold"),
    path("<int:quarantine_id>/release/", views_safety.release, name="release"),
]
