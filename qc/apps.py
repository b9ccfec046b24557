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
        self._add_charts()
        self._add_controls()

    def _follow_signals(self) -> None:
        from annotation.signals import answer_revised, answer_submitted
        from qc import frames, looking
        from qc.assigning import free_of_revoked
        from qc.controls.signals import control_withdrawn
        from qc.findings.signals import findings_changed
        from qc.pauses_undone import undo_judgements
        from qc.receivers import follow_revision, mark_contradiction
        from safety.signals import assets_quarantined, pairs_released
        from studies.signals import membership_revoked

        answer_submitted.connect(mark_contradiction, dispatch_uid="qc.mark_contradiction")
        answer_revised.connect(follow_revision, dispatch_uid="qc.follow_revision")
        control_withdrawn.connect(undo_judgements, dispatch_uid="qc.undo_judgements")
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
        from annotation.answer_words import more_reasons
        from annotation.my_work import more_parts, notices
        from catalog import batching
        from catalog.library.pair_sections import pair_sections
        from importing.removal import work as removal
        from qc import pair_section, pauses_undone, qualification_pairs, replies, review_exposure
        from qc.deletion import batches_in_lots, delete_own_rows, reasons_to_keep
        from qc.findings import settings_part
        from qc.models import Verdict
        from qualification.choosing import offers
        from studies import deletion, home, settings_parts

        more_parts.append(replies.feedback)
        more_reasons.update({code.value: code.label for code in Verdict.Code})
        more_reasons |= {"other": _("Another reason"), "defect": _("A confirmed defect")}
        notices.append(pauses_undone.notice)
        pair_sections["more_opinions"] = pair_section.section
        batching.kept_empty.append(batches_in_lots)
        settings_parts.parts["rules"] = settings_part.PART
        review_exposure.show_on_wellbeing_pages()
        home.own_lines["qc"] = pauses_undone.lines
        removal.kept_by |= reasons_to_keep()
        offers.append(qualification_pairs.adjudicated)
        deletion.parts["qc"] = delete_own_rows

    def _add_charts(self) -> None:
        from qc import figure_charts, lot_charts
        from qc.charts.catalogue import charts

        charts[figure_charts.AGREEMENT] = figure_charts.newest_by_question
        charts[figure_charts.WEEKS] = figure_charts.newest_over_weeks
        charts[lot_charts.CURVE] = lot_charts.curve

    def _add_controls(self) -> None:
        from qc import tag_gold
        from qc.control_kinds import TAG_GOLD
        from qc.controls import making

        making.possible_by_kind[TAG_GOLD] = tag_gold.possible
        making.chosen_by_kind[TAG_GOLD] = tag_gold.chosen
