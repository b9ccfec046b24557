"""The app `controls` adds its tab and its jobs to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ControlsConfig(AppConfig):
    name = "controls"

    def ready(self) -> None:
        from controls import pages
        from controls.models import Control, ControlsRun
        from removal import work as removal
        from studies import deletion
        from studies import permissions as may
        from studies.job_lists import kinds
        from studies.links import Link, Place, register

        link = Link("controls", _("Controls"), "controls:controls", may.MAY_CONFIGURE, order=17, within="quality")
        register(Place.TABS, link)
        kinds["controls"] = pages.RUNS
        rows = [deletion.Rows(Control), deletion.Rows(ControlsRun)]
        deletion.parts["controls"] = lambda study: deletion.delete_rows(study, rows)
        removal.kept_by[Control._meta.db_table] = removal.CONTROLS
