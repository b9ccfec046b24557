from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from studies.links import Link, Place, register
        from studies.permissions import MAY_EXPORT

        register(
            Place.DOWNLOADS,
            Link("annotations", _("Download annotations (JSONL)"), "api:annotations", MAY_EXPORT, order=10),
            Link("skips", _("Download skips (JSONL)"), "api:skips", MAY_EXPORT, order=20),
        )
