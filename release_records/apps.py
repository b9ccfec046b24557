"""The app `release_records` adds links to its pages to the page of a release."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReleaseRecordsConfig(AppConfig):
    name = "release_records"

    def ready(self) -> None:
        from releases.page_parts import PageLink, page_links

        page_links["records"] = PageLink(_("See the records"), "release_records:records", order=30)
        page_links["compare"] = PageLink(_("Compare with another release"), "release_records:compare", order=40)
