"""Every address of the product. `tests/test_permissions.py` has a row for each and fails for a new one without."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from catalog import views as catalog_views
from diptych import views

api: list[URLPattern | URLResolver] = [
    path("", include("annotation.urls_api")),
    path("", include("catalog.urls_api")),
    path("", include("exports.urls_api")),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    # Also so that an address without its slash is refused rather than led on, which would lose a body.
    re_path("", views.unknown, name="unknown"),
]

urlpatterns = [
    path("", catalog_views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("healthz/workers", views.healthz_workers, name="healthz_workers"),
    path("accounts/", include("accounts.urls")),
    path("studies/", include("annotation.urls")),
    path("studies/", include("catalog.documents.urls")),
    path("studies/", include("catalog.importing.urls")),
    path("studies/", include("catalog.library.urls")),
    path("studies/", include("catalog.running.urls")),
    path("studies/", include("qc.urls")),
    path("taking-part/", include("catalog.urls_membership")),
    path("safety/", include("catalog.urls_safety")),
    path("media/", include("catalog.media.urls")),
    path("api/v1/", include((api, "api"))),
]

handler400 = "diptych.views.bad_request"
handler403 = "diptych.views.forbidden"
handler404 = "diptych.views.not_found"
handler500 = "diptych.views.server_error"
