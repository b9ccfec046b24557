"""The app `webhooks` adds its settings page, its notice and its rows to the registries of studies."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from functools import partial

        from studies import deletion
        from studies.links import Link, Place, register
        from studies.notices import setting_notices
        from studies.permissions import MAY_SET_WEBHOOKS
        from webhooks import endpoints, event_types
        from webhooks.models import Delivery, Endpoint, Event, Secret

        event_types.register(event_types.TEST)
        setting_notices.append(endpoints.notice)
        register(Place.SETTINGS, Link("webhooks", _("Webhooks"), "webhooks:endpoints", MAY_SET_WEBHOOKS, order=60))
        rows = [
            deletion.Rows(Delivery),
            deletion.Rows(Event),
            deletion.Rows(Secret, "endpoint__study"),
            deletion.Rows(Endpoint),
        ]
        deletion.parts["webhooks"] = partial(deletion.delete_rows, tables=rows)
