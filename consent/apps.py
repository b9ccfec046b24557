"""The app `consent` adds its links, its step before the first pair and its part of a deletion to lower apps."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from annotation.first_steps import first_steps
        from annotation.own_pages import own_pages
        from consent import agreements
        from consent.deletion import end_consents
        from studies import deletion
        from studies.links import Link, Place, register
        from studies.permissions import MAY_SEE_WELLBEING

        first_steps.append(agreements.first_step)
        own_pages["consent"] = "consent:page"
        deletion.parts["consent"] = end_consents
        register(Place.HOME, Link("wellbeing", _("Wellbeing"), "consent:wellbeing", MAY_SEE_WELLBEING, order=30))
