from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemovalConfig(AppConfig):
    name = "removal"

    def ready(self) -> None:
        from importing.import_sections import import_sections
        from removal import pages
        from studies import job_lists
        from studies.links import Link, Place, register
        from studies.permissions import MAY_DELETE

        job_lists.kinds["removals"] = pages.REMOVALS
        import_sections["undo"] = pages.undo_section
        register(Place.SETTINGS, Link("delete", _("Delete the study"), "removal:delete_study", MAY_DELETE, order=90))
