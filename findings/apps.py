"""The app `findings` adds its tabs, jobs and receivers to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FindingsConfig(AppConfig):
    name = "findings"

    def ready(self) -> None:
        from annotation.signals import answer_revised, answer_submitted
        from findings import pages, settings_part
        from findings.models import FindingsRun, StudyRules
        from findings.receivers import follow_revision, mark_contradiction
        from studies import deletion, settings_parts
        from studies import permissions as may
        from studies.job_lists import kinds
        from studies.links import Link, Place, register

        answer_submitted.connect(mark_contradiction, dispatch_uid="findings.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="findings.follow_revision")
        link = Link("findings", _("Findings"), "findings:findings", may.MAY_SEE_ANSWERS, order=14, within="quality")
        register(Place.TABS, link)
        register(Place.SETTINGS, Link("findings", _("Rules"), "findings:rules", may.MAY_CONFIGURE, order=20))
        kinds["findings"] = pages.RUNS
        settings_parts.parts["rules"] = settings_part.PART
        rows = [deletion.Rows(FindingsRun), deletion.Rows(StudyRules)]
        deletion.parts["findings"] = lambda study: deletion.delete_rows(study, rows)
