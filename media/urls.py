"""Addresses of renditions. `diptych.urls` includes them under `media/` (see `addresses.PREFIX`)."""

from django.urls import path, register_converter

from media import views

app_name = "media"


class PublicIdConverter:
    """A published id: 64 lower-case hexadecimal digits."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        """Return the id unchanged."""
        return value

    def to_url(self, value: str) -> str:
        """Return the id unchanged."""
        return value


register_converter(PublicIdConverter, "media_public_id")

urlpatterns = [
    path("<media_public_id:public_id>.mp4", views.playback, name="playback"),
    path("<media_public_id:public_id>.jpg", views.poster, name="poster"),
]
