from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrialConfig(AppConfig):
    name = "trial"

    def ready(self) -> None:
        from studies.links import Link, Place, register
        from studies.permissions import MAY_CONFIGURE

        register(Place.TRIAL, Link("trial", _("Try the workspace"), "trial:page", MAY_CONFIGURE, order=10))
