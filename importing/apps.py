from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportingConfig(AppConfig):
    name = "importing"

    def ready(self) -> None:
        from importing import job_pages
        from importing.deletion import delete_imports
        from importing.models import Import
        from importing.readiness import no_pairs
        from studies import deletion, job_lists
        from studies.links import Link, Place, register
        from studies.notices import lacks
        from studies.permissions import MAY_IMPORT

        lacks.append(no_pairs)
        job_lists.kinds["imports"] = job_lists.of_rows(Import, job_pages.card)
        deletion.parts["importing"] = delete_imports
        register(Place.TABS, Link("imports", _("Imports"), "importing:imports", MAY_IMPORT, order=40))
        register(Place.ADD_MATERIAL, Link("import", _("Start an import"), "importing:new", MAY_IMPORT, order=10))
