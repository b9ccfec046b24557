from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from catalog import media_jobs
        from catalog.media_order import follow_state
        from catalog.pair_changes import pages
        from catalog.readiness import follow_asset, has_controls, unannounced_harm
        from media.signals import asset_finished
        from studies import job_lists
        from studies.links import Link, Place, register
        from studies.notices import lacks
        from studies.permissions import MAY_BROWSE, MAY_CONFIGURE
        from studies.setting_visibility import has_what_it_names
        from studies.signals import study_state_changed

        asset_finished.connect(follow_asset, dispatch_uid="catalog.follow_asset")
        study_state_changed.connect(follow_state, dispatch_uid="catalog.follow_state")
        lacks.append(unannounced_harm)
        has_what_it_names["control_rate"] = has_controls
        job_lists.kinds |= {
            "media": job_lists.JobList(media_jobs.open_cards, media_jobs.ended_cards),
            "pairs": pages.CHANGES,
        }
        register(
            Place.TABS,
            Link("library", _("Library"), "catalog:prompts", MAY_BROWSE, order=20),
            Link("batches", _("Batches"), "catalog:batches", MAY_CONFIGURE, order=60),
        )
        register(Place.SETTINGS, Link("licences", _("Licences"), "catalog:licences", MAY_CONFIGURE, order=10))
