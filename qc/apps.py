"""The app `qc` adds its tabs, sections and receivers to the registries of the apps below it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QCConfig(AppConfig):
    name = "qc"

    def ready(self) -> None:
        self._follow_signals()
        self._add_links()
        self._add_parts()
        self._add_to_charts_and_controls()
        self._add_events()

    def _follow_signals(self) -> None:
        from findings.signals import findings_changed
        from qc import frames, looking
        from qc.assigning import free_of_revoked
        from safety.signals import assets_quarantined, pairs_released
        from studies.signals import membership_revoked

        assets_quarantined.connect(frames.lose_quarantined, dispatch_uid="qc.lose_quarantined")
        pairs_released.connect(frames.find_released, dispatch_uid="qc.find_released")
        findings_changed.connect(looking.follow_findings, dispatch_uid="qc.follow_findings")
        membership_revoked.connect(free_of_revoked, dispatch_uid="qc.free_of_revoked")

    def _add_links(self) -> None:
        from studies import permissions as may
        from studies.links import Link, Place, register

        reviews = ("qc:reviews", may.MAY_CONFIRM)
        register(Place.HOME, Link("reviews", _("Review answers"), *reviews, order=22))
        register(Place.TABS, Link("reviews", _("Reviews"), *reviews, order=12, within="quality"))
        register(Place.TABS, Link("lots", _("Lots"), "qc:lots", may.MAY_SEE_PROGRESS, order=13, within="quality"))

    def _add_parts(self) -> None:
        from answers.my_work import more_parts
        from answers.words import more_reasons
        from catalog import batching
        from catalog.library.pair_sections import pair_sections
        from qc import pair_section, qualification_pairs, replies, review_exposure
        from qc.deletion import batches_in_lots, delete_own_rows, reasons_to_keep
        from qc.models import Verdict
        from qualification.choosing import offers
        from removal import work as removal
        from studies import deletion

        more_parts.append(replies.feedback)
        more_reasons.update({code.value: code.label for code in Verdict.Code})
        more_reasons |= {"other": _("Another reason"), "defect": _("A confirmed defect")}
        pair_sections["more_opinions"] = pair_section.section
        batching.kept_empty.append(batches_in_lots)
        review_exposure.show_on_wellbeing_pages()
        deletion.parts["qc"] = delete_own_rows
        removal.kept_by |= reasons_to_keep()
        offers.append(qualification_pairs.adjudicated)

    def _add_to_charts_and_controls(self) -> None:
        from charts.catalogue import charts
        from controls import making
        from controls.control_kinds import TAG_GOLD
        from qc import lot_charts, tag_gold

        charts[lot_charts.CURVE] = lot_charts.curve
        making.possible_by_kind[TAG_GOLD] = tag_gold.possible
        making.chosen_by_kind[TAG_GOLD] = tag_gold.chosen

    def _add_events(self) -> None:
        from webhooks.event_types import EventType, register

        example = {"study": "first-study", "lot": 12}
        register(
            EventType("lot.accepted", _("A lot was accepted"), example),
            EventType("lot.returned", _("A lot was returned"), example),
            EventType("lot.reopened", _("The decision about a lot was taken back"), example),
        )
