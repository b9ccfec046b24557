"""The app `releases` adds its tab, its jobs and the chart of its funnel to the registries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReleasesConfig(AppConfig):
    name = "releases"

    def ready(self) -> None:
        from charts.catalogue import charts
        from releases import pages
        from releases.charts import FUNNEL, funnel_in
        from releases.deletion import delete_own_rows, reasons_to_keep
        from removal import work as removal
        from studies import deletion
        from studies.job_lists import kinds
        from studies.links import Link, Place
        from studies.links import register as add_link
        from studies.permissions import MAY_EXPORT
        from webhooks.event_types import EventType
        from webhooks.event_types import register as add_events

        charts[FUNNEL] = funnel_in
        kinds["releases"] = pages.JOBS
        deletion.parts["releases"] = delete_own_rows
        removal.kept_by |= reasons_to_keep()
        example = {"study": "first-study", "release": 3, "release_id": 17}
        add_events(
            EventType("release.ready", _("A release is ready"), example),
            EventType("release.failed", _("A release failed"), example),
            EventType("release.withdrawn", _("A release was withdrawn"), example),
        )
        add_link(Place.TABS, Link("releases", _("Releases"), "releases:list", MAY_EXPORT, order=30))
