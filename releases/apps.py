"""The app `releases` adds its tab, its jobs and its formats to the registries."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReleasesConfig(AppConfig):
    name = "releases"

    def ready(self) -> None:
        from charts.catalogue import charts
        from releases import pages, stored_card
        from releases.deletion import delete_own_rows, reasons_to_keep
        from releases.figures import charts as made
        from releases.formats import (
            archives,
            card,
            croissant,
            huggingface,
            jsonl,
            parquet,
            register,
            safesora,
            videoreward,
        )
        from removal import work as removal
        from studies import deletion
        from studies.job_lists import kinds
        from studies.links import Link, Place
        from studies.links import register as add_link
        from studies.permissions import MAY_EXPORT
        from webhooks.event_types import EventType
        from webhooks.event_types import register as add_events

        register(jsonl.FORMAT, card.FORMAT, safesora.FORMAT, videoreward.FORMAT)
        register(parquet.FORMAT, archives.FRAMES, archives.VIDEOS, archives.SINGLE_VIDEOS)
        register(huggingface.FORMAT, croissant.FORMAT)  # last: they describe the files of the others
        charts.update({f"{made.PREFIX}{name}": stored_card.chart(name) for name in made.NAMES})
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
