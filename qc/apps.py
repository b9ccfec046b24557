from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        from annotation.signals import answer_revised, answer_submitted
        from qc.deletion import delete_rules
        from qc.findings.pages import RUNS
        from qc.receivers import follow_revision, mark_contradiction
        from studies import deletion, job_lists
        from studies.links import Link, Place, register
        from studies.permissions import MAY_CONFIGURE, MAY_SEE_ANSWERS, MAY_SEE_PROGRESS

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
        dashboard = ("qc:dashboard", MAY_SEE_PROGRESS)
        register(Place.TABS, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.HOME, Link("progress", _("See progress"), *dashboard, order=20, first_page=True))
        register(Place.OVERVIEW, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.TABS, Link("findings", _("Findings"), "qc:findings", MAY_SEE_ANSWERS, order=25))
        register(Place.SETTINGS, Link("findings", _("Rules"), "qc:rules", MAY_CONFIGURE, order=20))
        job_lists.kinds["findings"] = RUNS
        deletion.parts["qc"] = delete_rules
