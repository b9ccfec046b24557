"""Every address of the product.

`tests/test_permissions.py` has a row for each, and fails for a new one without a row.
"""

from django.urls import URLPattern, URLResolver, include, path, re_path

from diptych import reference, views
from studies.views_home import home

api: list[URLPattern | URLResolver] = [
    path("", include("annotation.urls_api")),
    path("", include("consent.urls_api")),
    path("", include("answers.urls_api")),
    path("", include("trial.urls_api")),
    path("", include("studies.urls_api")),
    path("", include("webhooks.urls_api")),
    path("", include("catalog.urls_api")),
    path("", include("importing.urls_api")),
    path("", include("removal.urls_api")),
    path("", include("qualification.urls_api")),
    path("", include("controls.urls_api")),
    path("", include("findings.urls_api")),
    path("", include("qc.urls_api")),
    path("", include("calibration.urls_api")),
    path("", include("suspensions.urls_api")),
    path("", include("figures.urls_api")),
    path("", include("exports.urls_api")),
    path("", include("releases.urls_api")),
    path("", include("release_records.urls_api")),
    path("", include("training.urls_api")),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    # Also refuses an address without its final slash. A redirect would lose the body.
    re_path("", views.unknown, name="unknown"),
]

urlpatterns = [
    # First, since it is requested most often: Django tries the addresses in this order.
    path("api/v1/", include((api, "api"))),
    path("api/", reference.page, name="api_reference"),
    path("media/", include("media.urls")),
    path("", home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("healthz/workers", views.healthz_workers, name="healthz_workers"),
    path("accounts/", include("accounts.urls")),
    path("studies/", include("annotation.urls")),
    path("studies/", include("consent.urls")),
    path("studies/", include("answers.urls")),
    path("studies/", include("trial.urls")),
    path("studies/", include("importing.urls")),
    path("studies/", include("removal.urls")),
    path("studies/", include("catalog.urls")),
    path("", include("studies.urls")),
    path("studies/", include("webhooks.urls")),
    path("studies/", include("qualification.urls")),
    path("studies/", include("charts.urls")),
    path("studies/", include("controls.urls")),
    path("studies/", include("findings.urls")),
    path("studies/", include("releases.urls")),
    path("studies/", include("demo.urls")),
    path("studies/", include("training.registry_urls")),
    path("studies/", include("release_formats.urls")),
    path("studies/", include("release_card.urls")),
    path("studies/", include("release_records.urls")),
    path("studies/", include("training.urls")),
    path("studies/", include("qc.urls")),
    path("studies/", include("calibration.urls")),
    path("studies/", include("suspensions.urls")),
    path("studies/", include("figures.urls")),
    path("safety/", include("safety.urls")),
]

handler400 = "diptych.problems.bad_request"
handler403 = "diptych.problems.forbidden"
handler404 = "diptych.problems.not_found"
handler500 = "diptych.problems.server_error"
