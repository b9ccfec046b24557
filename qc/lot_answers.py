"""The rows behind the numbers of a lot: its frozen answers by part, and their CSV file."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from diptych.downloads import CopyFile
from diptych.paging import Order
from diptych.spreadsheet import write_rows
from qc import frames, looking, outcomes
from qc.models import FrameItem, Lot, Review, Verdict
from qc.models.reviews import Kind
from qc.outcomes import Outcome
from studies.pseudonyms import pseudonym


def _by_outcome(*wanted: Outcome, revision: outcomes.Revision = "judged") -> Callable[[Lot], Q]:
    """Return a part: the answers of a sample with these outcomes."""

    def condition(lot: Lot) -> Q:
        return Q(pk__in=outcomes.with_outcome(lot, wanted, revision))

    return condition


def _found(lot: Lot) -> Q:
    return Q(pk__in=outcomes.defects_found(lot))


def _looked_at(lot: Lot) -> Q:
    return Q(pk__in=_looks(lot).values("item"))


def _looks(lot: Lot) -> QuerySet[Review]:
    return Review.objects.filter(lot=lot, kind=Kind.LOOK, state=Review.State.SUBMITTED)


#: The order of assignments says nothing about the lot's random order.
ORDER = Order("assignment", "", column="assignment_id")
#: Parts of a lot's answers: their name in the address, their title, and the condition for their items.
PARTS: dict[str, tuple[Promise, Callable[[Lot], Q]]] = {
    "frame": (_("all frozen answers"), lambda lot: Q()),
    "sample": (_("the deciding sample"), frames.in_deciding_sample),
    "judged": (_("judged answers of the deciding sample"), _by_outcome(Outcome.FINE, Outcome.DEFECTIVE)),
    "defects": (_("defects of the deciding sample"), _by_outcome(Outcome.DEFECTIVE)),
    "unconfirmed": (_("defects that a second person has to confirm"), _by_outcome(Outcome.UNCONFIRMED)),
    "disputed": (_("disputed answers of the deciding sample"), _by_outcome(Outcome.DISPUTED)),
    "left": (_("answers of the deciding sample that are still to be judged"), _by_outcome(Outcome.NOT_JUDGED)),
    "lost": (_("lost answers of the deciding sample"), _by_outcome(Outcome.LOST)),
    "first": (_("the first answers in the random order"), frames.in_first_sample),
    "first_defects": (
        _("defects among these answers as first submitted"),
        _by_outcome(Outcome.DEFECTIVE, revision="first"),
    ),
    "found": (_("answers in which any review confirmed a defect"), _found),
    "looked": (_("suspicious answers that were judged"), _looked_at),
    "counting": (_("answers that still count"), frames.still_counting),
}


def items(lot: Lot, part: str, *, batch: int | None = None, person: int | None = None) -> QuerySet[FrameItem]:
    """Return the items of a part.

    Args:
        batch: number of a batch, to list only its answers.
        person: key of an annotator, to list only their answers.
    """
    found = FrameItem.objects.filter(PARTS[part][1](lot), lot=lot)
    if batch is not None:
        found = found.filter(batch__number=batch)
    if person is not None:
        found = found.filter(assignment__person=person)
    return found


def with_rows(rows: QuerySet[FrameItem]) -> QuerySet[FrameItem]:
    """Return the same items with everything that a line of the list shows."""
    return rows.select_related("batch", "assignment__pair", "assignment__person", "assignment__standing")


def look_reasons(lot: Lot, items: Collection[int]) -> dict[int, list[str]]:
    """Return why the look-here queue chose these items, of those that were judged in it, in words."""
    looks = _looks(lot).filter(item__in=items).values_list("item", "look_reasons")
    return {item: looking.in_words(reasons) for item, reasons in looks}


#: `standing` is `counts`, `does_not_count` or `invalid`. The last four columns are empty until the lot is decided: what
#: a review found would influence those who still judge.
COLUMNS = (
    *("pair_id", "batch", "author", "round", "standing"),
    *("place", "in_sample", "spot_check", "verdicts"),
)


def copy_as_csv(lot: Lot, rows: QuerySet[FrameItem], target: CopyFile) -> None:
    """Write answers of the lot to a CSV file for spreadsheets. Verdicts come only after the lot's decision.

    Raise DatabaseError or OSError if the file cannot be written.
    """
    write_rows(COLUMNS, _lines(lot, rows), target)


def _lines(lot: Lot, rows: QuerySet[FrameItem]) -> Iterator[list[Any]]:
    ends = outcomes.outcomes(lot) if lot.is_decided and lot.drawn_at else {}
    said = _verdicts(lot) if lot.is_decided else {}
    codes: dict[int, str] = {}
    for item in with_rows(rows).order_by("assignment").iterator(chunk_size=2000):
        assignment = item.assignment
        author = codes.setdefault(assignment.person_id, pseudonym(lot.study, assignment.person_id))
        line = [assignment.pair.public_id, item.batch.number, author, assignment.round, standing_of(item)]
        if lot.is_decided:
            sampled = "no" if item.sample_place is None else "yes"
            line += [item.place, sampled, str(ends.get(item.pk, "")), "; ".join(said.get(item.pk, ()))]
        else:
            line += [""] * 4
        yield line


def standing_of(item: FrameItem) -> str:
    """Return in a word whether the answer counts now."""
    standing = item.assignment.standing
    if not standing.counted:
        return "does_not_count"
    return "invalid" if standing.validity == "invalid" else "counts"


def _verdicts(lot: Lot) -> dict[int, list[str]]:
    """Return the verdicts on each item as `kind: row ruling (code), defect`, in the order in which they were given."""
    found: dict[int, list[str]] = defaultdict(list)
    verdicts = Verdict.objects.filter(item__lot=lot, withdrawn_at=None).select_related("review").order_by("pk")
    for one in verdicts.iterator(chunk_size=2000):
        code = f" ({one.code})" if one.code else ""
        settled = {True: ", defect", False: "", None: f", waits for {one.waits_for}"}[one.counts]
        found[one.item_id].append(f"{one.review.kind}: {one.row} {one.ruling}{code}{settled}")
    return found
