"""What waits for review in a study: counted by kind, lot, age and reviewer, and the answers behind each count.

The look-here queue is left out: nothing has to be reviewed there. An answer waits from the moment at which its kind of
review became due: when the review of its lot started, when its sample was drawn, or when a verdict was given.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from diptych.database.fixed import fetch_all
from qc import due
from qc.models import AssignedReview, Lot, Reply
from qc.models.reviews import Kind
from studies.models import Study

#: Instead of the key of a person.
NOBODY, ANYBODY = 0, -1
KINDS = [kind for kind in due.WANTED if kind != Kind.LOOK]
#: Bands of age, by their names in the address: the title, and the days from which and below which an answer waits.
AGES: dict[str, tuple[Any, float, float]] = {
    "day": (_("less than 1 day"), 0, 1),
    "days": (_("1 to 3 days"), 1, 3),
    "week": (_("3 to 7 days"), 3, 7),
    "longer": (_("7 days or longer"), 7, 36_500),
}
_VERDICT = """(SELECT min(verdict.made_at) FROM qc_verdict verdict WHERE verdict.item_id = item.id
    AND verdict.waits_for = '{waits_for}' AND verdict.withdrawn_at IS NULL)"""
_SINCE = {
    Kind.SPOT: "lot.drawn_at",
    Kind.CONFIRM: _VERDICT.format(waits_for="confirm"),
    Kind.ADJUDICATE: f"""least({_VERDICT.format(waits_for="adjudicate")}, (SELECT reply.written_at FROM qc_reply reply
        WHERE reply.item_id = item.id AND reply.closed_at IS NULL))""",  # noqa: S608 - of constants
}
_AGE = "CASE {cases} END".format(
    cases=" ".join(
        f"WHEN since > %(now)s - interval '{below} days' THEN '{name}'" for name, (_t, _f, below) in AGES.items()
    )
)


def _rows(kind: str, lots: str, more: str = "") -> str:
    """Return the statement for the answers that wait for a kind of review, with who has them.

    Args:
        lots: the condition for the lot. more: a further condition.
    """
    return f"""SELECT item.id AS item_id, item.lot_id, item.assignment_id, assignment.pair_id,
       {_SINCE.get(Kind(kind), "lot.started_at")} AS since, assigned.reviewer_id AS assigned_to,
       holder.reviewer_id AS held_by
       {due.JOINED}
  LEFT JOIN qc_assignedreview assigned ON assigned.item_id = item.id AND assigned.kind = '{kind}'
   AND assigned.until > %(now)s
  LEFT JOIN qc_review holder ON holder.item_id = item.id AND holder.kind = '{kind}' AND holder.state = 'leased'
   AND holder.expires_at > %(now)s
 WHERE item.lot_id {lots} AND {due.REVIEWABLE} AND {due.WANTED[kind]}
       {due.AMONG[kind]} {more}"""


#: The filters of the list. Null leaves a filter out.
_NARROWED = """
 WHERE (%(age)s::text IS NULL OR age = %(age)s)
   AND (%(assigned)s::bigint IS NULL OR coalesce(assigned_to, 0) = %(assigned)s
        OR %(assigned)s = -1 AND assigned_to IS NOT NULL)
   AND (%(held)s::bigint IS NULL OR coalesce(held_by, 0) = %(held)s OR %(held)s = -1 AND held_by IS NOT NULL)
"""
_OF_LOTS = "= ANY(%(lots)s)"
COUNTS = {
    kind: f"""SELECT lot_id, {_AGE} AS age, assigned_to, held_by, count(*) FROM ({_rows(kind, _OF_LOTS)}) waiting
        GROUP BY 1, 2, 3, 4"""  # noqa: S608 - of constants
    for kind in KINDS
}
#: One lot at a time, in the order of assignments: an index has it, and it says nothing about the lot's secret order.
_CHOSEN = "AND (%(items)s::bigint[] IS NULL OR item.id = ANY(%(items)s))"
LISTED = {
    kind: f"""SELECT * FROM (SELECT waiting.*, {_AGE} AS age FROM ({_rows(kind, "= %(lot)s", _CHOSEN)}) waiting) waiting
        {_NARROWED} ORDER BY assignment_id LIMIT %(most)s"""  # noqa: S608 - of constants
    for kind in KINDS
}
#: What waits for one person, to whom it is assigned.
_ASSIGNED = """AND item.id IN (SELECT mine.item_id FROM qc_assignedreview mine WHERE mine.reviewer_id = %(person)s
    AND mine.study_id = %(study)s AND mine.kind = %(kind)s AND mine.until > %(now)s)"""
MINE = {
    kind: f"SELECT waiting.lot_id, count(*) FROM ({_rows(kind, _OF_LOTS, _ASSIGNED)}) waiting GROUP BY 1"  # noqa: S608
    for kind in KINDS
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which waiting answers are meant. None leaves a filter out. assigned, held: a person, NOBODY or ANYBODY."""

    kind: str
    lot: Lot | None = None
    age: str | None = None
    assigned: int | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One answer that waits for a kind of review since `since`."""

    item: int
    lot: int
    assignment: int
    pair: int
    since: datetime
    assigned_to: int | None
    held_by: int | None


def lots_waiting(study: Study) -> list[Lot]:
    """Return the lots in which something can wait: those in review, and decided ones with a reply to be closed."""
    replied = Reply.objects.filter(study=study, closed_at=None).values("item__lot")
    found = Lot.objects.filter(Q(state=Lot.State.IN_REVIEW) | Q(pk__in=replied), study=study)
    return list(found.order_by("number"))


def counts(study: Study, now: datetime) -> list[dict[str, Any]]:
    """Return how many answers wait, by kind, lot, age, whom they are assigned to, and who reviews them now."""
    lots = {lot.pk: lot.number for lot in lots_waiting(study)}
    names = ("age", "assigned", "held", "n")
    return [
        {"kind": kind, "lot": lots[lot], **dict(zip(names, values, strict=True))}
        for kind in KINDS
        for lot, *values in fetch_all(COUNTS[kind], {"lots": list(lots), "now": now, "study": study.pk})
    ]


def listed(
    study: Study, wanted: Wanted, *, most: int, now: datetime | None = None, items: Collection[int] | None = None
) -> list[Waiting]:
    """Return up to `most` waiting answers, by lot and assignment. `items` leaves only those with these keys."""
    values: dict[str, Any] = {name: getattr(wanted, name) for name in ("age", "assigned", "held")}
    values |= {"now": now or timezone.now(), "study": study.pk, "items": None if items is None else list(items)}
    found: list[Waiting] = []
    for lot in [wanted.lot] if wanted.lot else lots_waiting(study):
        if len(found) < most:
            rows = fetch_all(LISTED[wanted.kind], values | {"lot": lot.pk, "most": most - len(found)})
            found += [Waiting(*row[:7]) for row in rows]
    return found


def waiting_for(study: Study, person: User) -> dict[tuple[int, str], int]:
    """Return how many answers are assigned to the person and wait for them, by the lot's key and the kind."""
    now = timezone.now()
    mine = AssignedReview.objects.filter(study=study, reviewer=person, until__gt=now)
    kinds = set(mine.order_by().values_list("kind", flat=True).distinct()) & set(KINDS)
    values = {"person": person.pk, "study": study.pk, "now": now}
    values["lots"] = [lot.pk for lot in lots_waiting(study)] if kinds else []
    return {(lot, kind): number for kind in kinds for lot, number in fetch_all(MINE[kind], values | {"kind": kind})}
