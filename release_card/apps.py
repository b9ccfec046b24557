"""The app `release_card` adds the data card to the formats of releases, its charts, and links from a release's page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReleaseCardConfig(AppConfig):
    name = "release_card"

    def ready(self) -> None:
        from charts.catalogue import charts
        from release_card import files, stored_card
        from release_card.figures.charts import NAMES
        from releases.charts import PREFIX
        from releases.formats import register
        from releases.page_parts import PageLink, page_links

        register(files.FORMAT)
        charts.update({f"{PREFIX}{name}": stored_card.chart(name) for name in NAMES})
        has_card = stored_card.has_card
        page_links["card"] = PageLink(_("Show the data card"), "release_card:card", order=10, shown=has_card)
        page_links["figures"] = PageLink(_("Show the figures"), "release_card:figures", order=20, shown=has_card)
