"""The lists behind the numbers of the page Quality, as tables: waiting answers, defects, decided batches, reviews."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from annotation.models import Assignment
from catalog.models.pairs import QUARANTINED
from diptych.numbers import grouped
from figures.overview import decided, strictness
from figures.overview.decided import DecidedBatch
from figures.overview.found_tables import question_label, reason_label
from figures.overview.strictness import Key
from figures.overview.tables import Cell, Column, Table, days_words
from qc.models import Lot, Review, Verdict
from qc.models.reviews import Kind
from qc.waiting import Waiting
from studies.models import Study


def _when(moment: datetime | None) -> Cell:
    if moment is None:
        return Cell(None, "–")
    return Cell(moment.isoformat(timespec="seconds"), date_format(timezone.localtime(moment), "Y-m-d H:i"))


def _name(name: str) -> Cell:
    return Cell(name, name or "–", is_name=bool(name))


def _lot(study: Study, number: int) -> Cell:
    return Cell(number, _("Lot %(n)s") % {"n": grouped(number)}, reverse("qc:lot", args=[study.slug, number]))


def _pair(study: Study, public_id: str, held: str = "") -> Cell:
    """Return the cell of a pair. A pair in quarantine has no address."""
    if held == QUARANTINED:
        return Cell("", _("in quarantine"))
    address = f"{reverse('catalog:pair', args=[study.slug, public_id])}#answers"
    return Cell(public_id, public_id[:12], address)


def waiting_table(study: Study, rows: list[Waiting], kind: str, now: datetime) -> Table:
    """Return waiting answers. The key of each is in the first cell of files."""
    lots = dict(Lot.objects.filter(pk__in={row.lot for row in rows}).values_list("pk", "number"))
    answers = Assignment.objects.filter(pk__in=[row.assignment for row in rows])
    pairs = {
        key: (pair, batch) for key, pair, batch in answers.values_list("pk", "pair__public_id", "pair__batch__number")
    }
    keys = {row.assigned_to for row in rows} | {row.held_by for row in rows}
    names = dict(User.objects.filter(pk__in=[key for key in keys if key]).values_list("pk", "username"))
    columns = [
        Column("item", _("Answer"), True),
        Column("lot", _("Lot")),
        Column("batch", _("Batch"), True),
        Column("pair_id", _("Pair")),
        Column("waits_since", _("Waiting since")),
        Column("assigned_to", _("Assigned to")),
        Column("reviewed_by", _("Being reviewed by")),
    ]
    cells = [
        [
            Cell(row.item, grouped(row.item)),
            _lot(study, lots[row.lot]),
            Cell(pairs[row.assignment][1], grouped(pairs[row.assignment][1])),
            _pair(study, pairs[row.assignment][0]),
            Cell(row.since.isoformat(timespec="seconds"), days_words(now - row.since)),
            _name(names.get(row.assigned_to or 0, "")),
            _name(names.get(row.held_by or 0, "")),
        ]
        for row in rows
    ]
    return Table(f"waiting-{kind}", str(Kind(kind).label).capitalize(), columns, cells)


def defects_table(study: Study, rows: Iterable[Any]) -> Table:
    """Return confirmed defects."""
    columns = [
        Column("confirmed_at", pgettext("when", "Confirmed")),
        Column("lot", _("Lot")),
        Column("pair_id", _("Pair")),
        Column("question", _("Question")),
        Column("reason", _("Reason")),
        Column("annotator", _("Annotator")),
        Column("reviewer", _("Reviewer")),
        Column("confirmed_by", _("Confirmed by")),
        Column("comment", _("Comment")),
    ]
    return Table("defects", _("Defects"), columns, [_defect(study, row) for row in rows])


def _defect(study: Study, verdict: Verdict) -> list[Cell]:
    item, reason, question = verdict.item, verdict.reason, verdict.question  # type: ignore[attr-defined]
    return [
        _when(verdict.confirmed_at),
        _lot(study, item.lot.number),
        _pair(study, item.assignment.pair.public_id, item.assignment.pair.held),
        Cell(question, question_label(question)),
        Cell(reason, reason_label(reason)),
        _name(item.assignment.person.username),
        _name(verdict.review.reviewer.username),
        _name(verdict.confirmed_by.username if verdict.confirmed_by else ""),
        Cell(verdict.comment, verdict.comment, is_name=True),
    ]


def of_decided(rows: list[DecidedBatch], *, week: date | None, attempt: str, outcome: str) -> list[DecidedBatch]:
    """Return the batches of this week, attempt (a number, “first” or “later”) and outcome."""
    found = [row for row in rows if week is None or row.week == week]
    if outcome:
        found = [row for row in found if row.accepted == (outcome == Lot.State.ACCEPTED)]
    if attempt == "later":
        return [row for row in found if row.attempt > 1]
    number = 1 if attempt == "first" else int(attempt or 0)
    return [row for row in found if not number or row.attempt == number]


def decided_table(study: Study, rows: list[DecidedBatch]) -> Table:
    """Return the batches of decided lots."""
    columns = [
        Column("lot", _("Lot")),
        Column("attempt", _("Attempt"), True),
        Column("batch", _("Batch"), True),
        Column("decision", _("Decision")),
        Column("answers_of_lot", _("Answers of the lot"), True),
        Column("annotated_at", _("Annotated")),
        Column("decided_at", _("Decided")),
        Column("days", _("Time"), True),
    ]
    states = {True: Lot.State.ACCEPTED, False: Lot.State.RETURNED}
    cells = [
        [
            _lot(study, row.lot),
            Cell(row.attempt, grouped(row.attempt)),
            Cell(row.batch, grouped(row.batch)),
            Cell(states[row.accepted].value, str(states[row.accepted].label)),
            Cell(row.answers, grouped(row.answers)),
            _when(row.annotated_at),
            _when(row.decided_at),
            Cell(round(row.took / timedelta(days=1), 3), days_words(row.took)),
        ]
        for row in rows
    ]
    return Table("decided", _("Batches of decided lots"), columns, cells)


def reviewed(study: Study, asked: dict[str, Any], *, most: int) -> list[Key]:
    """Return the keys of up to `most` finished reviews, the latest first.

    Args:
        asked: the cleaned filters of `forms.ReviewedForm`.
    """
    flags = {name: asked[name] == "yes" if asked[name] else None for name in ("called", "confirmed")}
    if (
        asked["reviewer"]
        and asked["kind"] in strictness.KINDS
        and (asked["random"] or any(asked[one] for one in flags))
    ):
        return strictness.keys(study, asked["reviewer"].pk, asked["kind"], most=most, **flags)
    found = Review.objects.filter(study=study, kind=asked["kind"], state=Review.State.SUBMITTED)
    if asked["days"]:
        found = found.filter(ended_at__gt=timezone.now() - timedelta(days=asked["days"]))
    if asked["reviewer"]:
        found = found.filter(reviewer=asked["reviewer"])
    return [(key, None, None) for key in found.order_by("-ended_at", "-pk").values_list("pk", flat=True)[:most]]


def reviewed_table(study: Study, keys: list[Key], kind: str) -> Table:
    """Return finished reviews. Whether they called a defect is known for answers that were drawn at random."""
    words = {True: _("yes"), False: _("no"), None: "–"}
    columns = [
        Column("ended_at", _("Reviewed")),
        Column("lot", _("Lot")),
        Column("pair_id", _("Pair")),
        Column("reviewer", _("Reviewer")),
        Column("called", _("Called defective")),
        Column("confirmed", _("Confirmed")),
    ]
    cells = [
        [
            _when(row.review.ended_at),
            _lot(study, row.review.lot.number),
            _pair(study, row.review.pair.public_id, row.review.pair.held),
            _name(row.review.reviewer.username),
            Cell(row.called, words[row.called]),
            Cell(row.confirmed, words[row.confirmed]),
        ]
        for row in strictness.judged(keys)
    ]
    return Table(f"reviewed-{kind}", str(Kind(kind).label).capitalize(), columns, cells)


def batches_of(study: Study, asked: Any) -> list[DecidedBatch]:
    """Return the batches of decided lots that the filters of `forms.DecidedForm` mean."""
    given = asked.cleaned_data
    rows = decided.decided_batches(study, asked.span)
    return of_decided(rows, week=given["week"], attempt=given["attempt"], outcome=given["outcome"])
