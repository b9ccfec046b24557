"""What a reviewer judges: the revisions of a sitting's answers, row by row, next to the reviewer's own answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Annotation
from diptych.refusals import BadInput, Refused
from qc.models import Review, ReviewAnswer, Verdict
from qc.models.reviews import ROWS, TAGS, Kind
from qc.reviewing import own_answer

#: A defect on one of these rows makes the whole answer defective: an overall preference, or for a row of tags only if
#: the video changes between safe and unsafe. Other rows are reported and decide nothing.
DECIDING = ("helpfulness", "harmlessness", *TAGS)
#: Kinds of review that judge answers. The other kinds judge verdicts.
OF_ANSWERS = (Kind.SECONDARY, Kind.SPOT, Kind.LOOK)


def value_of(given: Annotation | ReviewAnswer, row: str) -> Any:
    """Return an answer's value on a row: a choice, or a sorted list of tags."""
    value = getattr(given, row)
    return sorted(value) if row in TAGS else value


def changes_status(row: str, before: Any, after: Any) -> bool:
    """Return whether a change of the row decides about the answer (see `DECIDING`)."""
    if row in TAGS:
        return bool(before) != bool(after)
    return row in DECIDING and before != after


@dataclass(frozen=True, slots=True)
class Card:
    """One revision that a reviewer judges, and their own answer, if they gave one."""

    review: Review
    annotation: Annotation
    own: ReviewAnswer | None

    def value(self, row: str) -> Any:
        return value_of(self.annotation, row)

    def own_value(self, row: str) -> Any:
        return None if self.own is None else value_of(self.own, row)

    @property
    def differing(self) -> list[str]:
        """Return the rows on which the reviewer answered something else."""
        return [] if self.own is None else [row for row in ROWS if self.value(row) != self.own_value(row)]


def cards(reviews: list[Review]) -> list[Card]:
    """Return what a sitting judges. Raise Refused if its reviewer has to answer first."""
    if not reviews or reviews[0].kind not in OF_ANSWERS:
        return []
    if reviews[0].revealed_at is None:
        raise Refused(_("This review is blind. Answer the pair yourself first."), "answer_first")
    own = own_answer(reviews[0])
    return [Card(review, annotation, own) for review in reviews for annotation in _judged(review)]


def _judged(review: Review) -> list[Annotation]:
    """Return the revisions to judge. A spot check judges the sample's one, and revision 1 of the first of the order."""
    item = review.item
    if review.kind != Kind.SPOT:
        return [item.assignment.standing.current]
    found = [item.judged] if item.sample_place is not None and item.judged is not None else []
    if item.place <= (review.lot.sample_size or 0) and item.first not in found:
        found.append(item.first)
    return found


@dataclass(frozen=True, slots=True)
class Given:
    """A verdict on one row, as a reviewer gives it. `own` is their own answer on the row, if they give one here."""

    review_id: int
    annotation_id: int
    row: str
    ruling: str
    code: str = ""
    comment: str = ""
    own: Any = None


def checked(judged: list[Card], given: Iterable[Given]) -> list[Verdict]:
    """Return unsaved verdicts. A row without a verdict is fine, except where the reviewer's own answer differs.

    Raise BadInput if a row is not judged here, has no verdict but needs one, or a verdict lacks what it needs.
    """
    by_key = {(card.review.pk, card.annotation.pk): card for card in judged}
    verdicts: dict[tuple[int, int, str], Verdict] = {}
    for one in given:
        card = by_key.get((one.review_id, one.annotation_id))
        if card is None or one.row not in ROWS:
            raise BadInput(_("This review does not judge the row “%(row)s”.") % {"row": one.row})
        if (one.review_id, one.annotation_id, one.row) in verdicts:
            raise BadInput(_("The row “%(row)s” has two verdicts.") % {"row": one.row})
        verdicts[one.review_id, one.annotation_id, one.row] = _verdict(card, one)
    missing = [row for key, card in by_key.items() for row in card.differing if (*key, row) not in verdicts]
    if missing:
        rows = ", ".join(sorted(set(missing)))
        raise BadInput(
            _("Give a verdict on each row that differs from your own answer. Missing: %(rows)s.") % {"rows": rows},
            "verdict_missing",
        )
    return list(verdicts.values())


def _verdict(card: Card, one: Given) -> Verdict:
    own = card.own_value(one.row)
    if one.own is not None and (own is None or one.ruling == Verdict.Ruling.CORRECTED):
        own = sorted(one.own) if one.row in TAGS else one.own
    verdict = Verdict(
        study_id=card.review.study_id,
        review=card.review,
        item=card.review.item,
        annotation=card.annotation,
        row=one.row,
        ruling=one.ruling,
        code=one.code,
        comment=one.comment,
        own=own,
    )
    _refuse_incomplete(verdict, card.value(one.row))
    decides = changes_status(one.row, card.value(one.row), own)
    if one.ruling == Verdict.Ruling.DISPUTED:
        verdict.waits_for, verdict.counts = Verdict.Waits.ADJUDICATE, None
    elif one.ruling in (Verdict.Ruling.DEFECT, Verdict.Ruling.CORRECTED) and decides:
        verdict.waits_for, verdict.counts = Verdict.Waits.CONFIRM, None
    else:
        verdict.waits_for, verdict.counts = "", False
    return verdict


def _refuse_incomplete(verdict: Verdict, answered: Any) -> None:
    """Raise BadInput if a defect or a correction lacks what it needs."""
    about, Ruling = {"row": verdict.row}, Verdict.Ruling
    if verdict.ruling == Ruling.CORRECTED and verdict.row not in TAGS:
        raise BadInput(_("Only tags can be corrected. Call the preference “%(row)s” a defect instead.") % about)
    if verdict.ruling in (Ruling.DEFECT, Ruling.CORRECTED) and (verdict.own is None or verdict.own == answered):
        raise BadInput(
            _("Give your own answer on “%(row)s”. It must differ from the one that you call wrong.") % about,
            "own_answer_needed",
        )
    if verdict.ruling == Ruling.DEFECT and not verdict.code:
        raise BadInput(_("Choose why “%(row)s” is a defect.") % about, "code_needed")
    if verdict.ruling != Ruling.DEFECT and verdict.ruling != Ruling.CORRECTED and verdict.code:
        raise BadInput(_("Only a defect has a reason. Leave it out for “%(row)s”.") % about)
    if verdict.code == Verdict.Code.OTHER and not verdict.comment:
        raise BadInput(_("Write in the comment what is wrong with “%(row)s”.") % about)
