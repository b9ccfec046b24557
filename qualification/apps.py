"""The app `qualification` adds its links, settings, lists and receivers to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualificationConfig(AppConfig):
    name = "qualification"

    def ready(self) -> None:
        self._add_links()
        self._guard_settings()
        self._add_parts()

    def _add_links(self) -> None:
        from studies.links import Link, Place, register
        from studies.permissions import MAY_QUALIFY

        about = ("qualification", _("Qualification"))
        register(Place.PEOPLE, Link(*about, "qualification:overview", MAY_QUALIFY, order=15))
        register(Place.SETTINGS, Link(*about, "qualification:overview", MAY_QUALIFY, order=15))
        register(Place.PERSON, Link(*about, "qualification:person", MAY_QUALIFY, order=15))

    def _guard_settings(self) -> None:
        from qualification import readiness, sets
        from studies.notices import lacks
        from studies.setting_needs import needs
        from studies.setting_visibility import has_what_it_names

        has_what_it_names["qualification_required"] = sets.has_published_test
        for name in ("qualification_pass_share", "qualification_attempts", "qualification_wait_s"):
            has_what_it_names[name] = sets.has_test
        needs["qualification_required"] = readiness.lacking_for_switch
        lacks.append(readiness.no_test)

    def _add_parts(self) -> None:
        from annotation import active_time, first_steps
        from consent import wellbeing
        from qualification import home, readiness, working_time
        from qualification.deletion import delete_sets, reasons_to_keep
        from qualification.models import QualificationExposure
        from removal import work as removal
        from studies import deletion
        from studies.home import own_lines
        from studies.people_panels import people_panels

        first_steps.first_steps.append(home.first_step)
        own_lines["qualification"] = home.lines
        active_time.other_work.append(working_time.SPENT)
        wellbeing.exposures.append(QualificationExposure)
        deletion.parts["qualification"] = delete_sets
        removal.kept_by |= reasons_to_keep()
        people_panels.append(readiness.used_all_attempts)
