"""Every address of the product. `tests/test_permissions.py` has a row for each and fails for a new one without."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from catalog import views as catalog_views
from diptych import views

api: list[URLPattern | URLResolver] = [
    path("", include("annotation.urls_api")),
    path("", include("exports.urls_api")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns = [
    path("", catalog_views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("accounts/", include("accounts.urls")),
    path("studies/", include("annotation.urls")),
    path("studies/", include("qc.urls")),
    path("media/", include("catalog.media.urls")),
    path("api/v1/", include((api, "api"))),
]

handler400 = "diptych.views.bad_request"
handler403 = "diptych.views.forbidden"
handler404 = "diptych.views.not_found"
handler500 = "diptych.views.server_error"
