from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportingConfig(AppConfig):
    name = "importing"

    def ready(self) -> None:
        from importing import job_pages
        from importing.models import Import
        from importing.readiness import no_pairs
        from importing.removal import pages, work
        from studies import deletion, job_lists
        from studies.links import Link, Place, register
        from studies.notices import lacks
        from studies.permissions import MAY_DELETE, MAY_IMPORT

        lacks.append(no_pairs)
        job_lists.kinds["imports"] = job_lists.of_rows(Import, job_pages.card)
        job_lists.kinds["removals"] = pages.REMOVALS
        deletion.parts["importing"] = work.delete_imports
        register(Place.SETTINGS, Link("delete", _("Delete the study"), "importing:delete_study", MAY_DELETE, order=90))
        register(Place.TABS, Link("imports", _("Imports"), "importing:imports", MAY_IMPORT, order=40))
        register(Place.ADD_MATERIAL, Link("import", _("Start an import"), "importing:new", MAY_IMPORT, order=10))
