"""The app `qc` adds its tabs, jobs, sections and receivers to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        self._follow_signals()
        self._add_links()
        self._add_jobs()
        self._add_parts()

    def _follow_signals(self) -> None:
        from annotation.signals import answer_revised, answer_submitted
        from qc import frames, looking
        from qc.assigning import free_of_revoked
        from qc.findings.signals import findings_changed
        from qc.receivers import follow_revision, mark_contradiction
        from safety.signals import assets_quarantined, pairs_released
        from studies.signals import membership_revoked

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
        assets_quarantined.connect(frames.lose_quarantined, dispatch_uid="qc.lose_quarantined")
        pairs_released.connect(frames.find_released, dispatch_uid="qc.find_released")
        findings_changed.connect(looking.follow_findings, dispatch_uid="qc.follow_findings")
        membership_revoked.connect(free_of_revoked, dispatch_uid="qc.free_of_revoked")

    def _add_links(self) -> None:
        from studies import permissions as may
        from studies.links import Link, Place, register

        dashboard = ("qc:dashboard", may.MAY_SEE_PROGRESS)
        reviews = ("qc:reviews", may.MAY_CONFIRM)
        register(Place.OVERVIEW, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.HOME, Link("progress", _("See progress"), *dashboard, order=20, first_page=True))
        register(Place.HOME, Link("reviews", _("Review answers"), *reviews, order=22))
        register(Place.TABS, Link("progress", _("Progress"), *dashboard, order=10))
        register(Place.TABS, Link("quality", _("Quality"), "qc:quality", may.MAY_SEE_PROGRESS, order=11))
        below_quality = (
            ("reviews", _("Reviews"), *reviews),
            ("lots", _("Lots"), "qc:lots", may.MAY_SEE_PROGRESS),
            ("findings", _("Findings"), "qc:findings", may.MAY_SEE_ANSWERS),
            ("agreement", _("Agreement"), "qc:agreement", may.MAY_SEE_PROGRESS),
            ("annotators", _("Annotators"), "qc:annotators", may.MAY_COUNT_WORK),
            ("controls", _("Controls"), "qc:controls", may.MAY_CONFIGURE),
            ("calibrations", _("Calibration"), "qc:calibrations", may.MAY_CALIBRATE),
        )
        for order, link in enumerate(below_quality, start=12):
            register(Place.TABS, Link(*link, order=order, within="quality"))
        register(Place.SETTINGS, Link("findings", _("Rules"), "qc:rules", may.MAY_CONFIGURE, order=20))
        register(Place.SETTINGS, Link("pauses", _("Pause rules"), "qc:pause_rules", may.MAY_SET_PAUSES, order=25))
        register(Place.PEOPLE, Link("suspensions", _("Suspensions"), "qc:suspensions", may.MAY_SUSPEND, order=20))
        register(Place.PEOPLE, Link("pauses", _("Pauses"), "qc:pauses", may.MAY_COUNT_WORK, order=30))
        suspend = _("Suspend from annotating…")
        register(Place.PERSON, Link("suspensions", suspend, "qc:suspend", may.MAY_SUSPEND, order=20))

    def _add_jobs(self) -> None:
        from qc import figure_cards, suspension_pages
        from qc.controls import pages as controls
        from qc.findings import pages as findings
        from studies.job_lists import kinds

        kinds["findings"] = findings.RUNS
        kinds["controls"] = controls.RUNS
        kinds["suspensions"] = suspension_pages.JOBS
        kinds["figures"] = figure_cards.JOBS

    def _add_parts(self) -> None:
        from annotation.my_work import more_parts
        from catalog import batching
        from catalog.library.pair_sections import pair_sections
        from qc import pair_section, replies, review_exposure
        from qc.deletion import batches_in_lots, delete_own_rows
        from qc.findings import settings_part
        from studies import deletion, settings_parts

        more_parts.append(replies.feedback)
        pair_sections["more_opinions"] = pair_section.section
        batching.kept_empty.append(batches_in_lots)
        settings_parts.parts["rules"] = settings_part.PART
        review_exposure.show_on_wellbeing_pages()
        deletion.parts["qc"] = delete_own_rows
