"""The app `demo` adds a tab to the example study."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DemoConfig(AppConfig):
    name = "demo"

    def ready(self) -> None:
        from demo.example import SLUG
        from studies.links import Link, Place, register
        from studies.permissions import MAY_EXPORT

        example = Link("example", _("Example"), "demo:example", MAY_EXPORT, order=5, only_in=SLUG)
        register(Place.TABS, example)
        register(Place.HOME, example)
