from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        from annotation.my_work import more_parts
        from annotation.signals import answer_revised, answer_submitted
        from catalog import batching
        from qc import frames
        from qc.controls.pages import RUNS as CONTROLS_RUNS
        from qc.deletion import batches_in_lots, delete_own_rows
        from qc.findings.pages import RUNS
        from qc.receivers import follow_revision, mark_contradiction
        from qc.replies import feedback
        from qc.suspension_pages import JOBS
        from safety.signals import assets_quarantined, pairs_released
        from studies import deletion, job_lists
        from studies.links import Link, Place, register
        from studies.permissions import (
            MAY_CONFIGURE,
            MAY_CONFIRM,
            MAY_COUNT_WORK,
            MAY_SEE_ANSWERS,
            MAY_SEE_PROGRESS,
            MAY_SET_PAUSES,
            MAY_SUSPEND,
        )

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
        assets_quarantined.connect(frames.lose_quarantined, dispatch_uid="qc.lose_quarantined")
        pairs_released.connect(frames.find_released, dispatch_uid="qc.find_released")
        dashboard = ("qc:dashboard", MAY_SEE_PROGRESS)
        register(Place.TABS, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.HOME, Link("progress", _("See progress"), *dashboard, order=20, first_page=True))
        register(Place.OVERVIEW, Link("progress", _("Progress"), *dashboard, order=10))
        more_parts.append(feedback)
        reviews = ("qc:reviews", MAY_CONFIRM)
        register(Place.TABS, Link("reviews", _("Reviews"), *reviews, order=12))
        batching.kept_empty.append(batches_in_lots)
        lots = ("qc:lots", MAY_SEE_PROGRESS)
        register(Place.TABS, Link("lots", _("Lots"), *lots, order=13))
        register(Place.HOME, Link("reviews", _("Review answers"), *reviews, order=22))
        register(Place.TABS, Link("findings", _("Findings"), "qc:findings", MAY_SEE_ANSWERS, order=25))
        register(Place.SETTINGS, Link("findings", _("Rules"), "qc:rules", MAY_CONFIGURE, order=20))
        job_lists.kinds["findings"] = RUNS
        job_lists.kinds["suspensions"] = JOBS
        for place, page in ((Place.PEOPLE, "qc:suspensions"), (Place.PERSON, "qc:suspend")):
            name = _("Suspensions") if place == Place.PEOPLE else _("Suspend from annotating…")
            register(place, Link("suspensions", name, page, MAY_SUSPEND, order=20))
        register(Place.PEOPLE, Link("pauses", _("Pauses"), "qc:pauses", MAY_COUNT_WORK, order=30))
        register(Place.SETTINGS, Link("pauses", _("Pause rules"), "qc:pause_rules", MAY_SET_PAUSES, order=25))
        register(Place.TABS, Link("controls", _("Controls"), "qc:controls", MAY_CONFIGURE, order=26))
        job_lists.kinds["controls"] = CONTROLS_RUNS
        deletion.parts["qc"] = delete_own_rows
