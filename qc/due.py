"""Which answers of a lot wait for a review of each kind, and which pair of them a reviewer gets next.

Whether an answer is in the secondary review, and whether that review is blind, is drawn from the lot's secret seed for
its pair. So nobody can predict it, and one blind answer serves all answers of the pair.
"""

from typing import Any

from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import fetch_all, fetch_one
from qc.models import Lot
from qc.models.reviews import Kind
from studies.models import Study

_DRAWN = """
(('x' || left(md5(lot.seed || '/{purpose}/' || assignment.pair_id), 8))::bit(32)::bigint < lot.{share} * 4294967296)
"""
_FREE = """
NOT EXISTS (SELECT FROM qc_review other WHERE other.item_id = item.id AND other.kind = '{kind}'
               AND other.state IN ('leased', 'submitted'))
"""
_NOT_LEASED = """
NOT EXISTS (SELECT FROM qc_review other WHERE other.item_id = item.id AND other.kind = '{kind}'
               AND other.state = 'leased')
"""
_WAITS = """
EXISTS (SELECT FROM qc_verdict verdict WHERE verdict.item_id = item.id AND verdict.waits_for = '{waits_for}'
           AND verdict.withdrawn_at IS NULL)
"""
_REPLY = "EXISTS (SELECT FROM qc_reply reply WHERE reply.item_id = item.id AND reply.closed_at IS NULL)"

#: Whether an item waits for a review of each kind, for rows `item`, `lot`, `assignment` and `standing`. It is true
#: whoever has it leased now.
WANTED: dict[str, str] = {
    Kind.SECONDARY: f"""lot.state = 'in_review' AND lot.drawn_at IS NULL AND standing.counted
        AND standing.validity = 'valid' AND {_DRAWN.format(purpose="secondary", share="secondary_share")}""",
    Kind.SPOT: """lot.state = 'in_review' AND lot.drawn_at IS NOT NULL
        AND (item.sample_place IS NOT NULL OR item.place <= lot.sample_size)""",
    Kind.LOOK: """lot.state = 'in_review' AND standing.counted AND NOT EXISTS (SELECT FROM qc_review other
        WHERE other.item_id = item.id AND other.state = 'submitted')""",
    Kind.CONFIRM: f"lot.state = 'in_review' AND {_WAITS.format(waits_for='confirm')}",
    Kind.ADJUDICATE: f"(lot.state = 'in_review' AND {_WAITS.format(waits_for='adjudicate')} OR {_REPLY})",
}
FREE: dict[str, str] = {
    kind: (_NOT_LEASED if kind in (Kind.CONFIRM, Kind.ADJUDICATE) else _FREE).format(kind=kind) for kind in Kind.values
}
#: The order in which a lot's items are reviewed. The look-here queue begins with answers of people of whom nothing was
#: reviewed yet, and of these with the ones that took the least time.
ORDER: dict[str, str] = {
    Kind.SECONDARY: "item.place",
    Kind.SPOT: "item.place",
    Kind.LOOK: """EXISTS (SELECT FROM qc_review other JOIN qc_frameitem its ON its.id = other.item_id
        JOIN annotation_assignment theirs ON theirs.id = its.assignment_id WHERE other.lot_id = lot.id
         AND other.state = 'submitted' AND theirs.person_id = assignment.person_id), first.active_ms, item.place""",
    Kind.CONFIRM: "item.place",
    Kind.ADJUDICATE: "item.place",
}
#: The frozen answers with all that the conditions name, and which of them can be reviewed at all.
JOINED = """
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN annotation_annotation first ON first.id = item.first_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
"""
REVIEWABLE = f"item.lost = '' AND pair.held <> '{QUARANTINED}'"
_ROWS = f"{JOINED} WHERE item.lot_id = %(lot)s AND {REVIEWABLE}"
#: The person has not worked on the pair, and has no other role for the answer. A review that ended before its answer
#: was shown is no role.
FOR_PERSON = """
   AND NOT EXISTS (SELECT FROM annotation_assignment own
                    WHERE own.pair_id = assignment.pair_id AND own.person_id = %(person)s)
   AND NOT EXISTS (SELECT FROM qc_review mine WHERE mine.item_id = item.id AND mine.reviewer_id = %(person)s
                      AND NOT (mine.state IN ('expired', 'returned')
                               AND (mine.revealed_at IS NULL OR mine.kind = %(kind)s)))
"""
#: The answer is not assigned to somebody else for this kind, nor to this person for another kind.
NOT_ANOTHERS = """
   AND NOT EXISTS (SELECT FROM qc_assignedreview assigned WHERE assigned.item_id = item.id
                      AND (assigned.reviewer_id = %(person)s) <> (assigned.kind = %(kind)s) AND assigned.until > now())
"""
#: What the person agreed to see, and what their daily limit still allows.
_SHOWABLE = "AND NOT pair.may_show && %(excluded)s::varchar[] AND NOT (%(capped)s AND pair.lane = 1)"


def _next_pair(kind: str) -> str:
    return f"""SELECT assignment.pair_id, pair.lane
        {_ROWS} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON} {NOT_ANOTHERS} {_SHOWABLE}
        ORDER BY {ORDER[kind]} LIMIT 1 FOR NO KEY UPDATE OF item SKIP LOCKED"""


def _next_assigned(kind: str) -> str:
    return f"""SELECT assignment.pair_id, pair.lane
        {JOINED} JOIN qc_assignedreview mine_first ON mine_first.item_id = item.id
        WHERE mine_first.reviewer_id = %(person)s AND mine_first.lot_id = %(lot)s AND mine_first.kind = %(kind)s
          AND mine_first.until > now() AND {REVIEWABLE} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON} {_SHOWABLE}
        ORDER BY item.place LIMIT 1 FOR NO KEY UPDATE OF item SKIP LOCKED"""


def _items_of_pair(kind: str) -> str:
    return f"""SELECT item.id, {_DRAWN.format(purpose="blind", share="blind_share")}
        {_ROWS} AND assignment.pair_id = %(pair)s AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON} {NOT_ANOTHERS}
        ORDER BY item.id FOR NO KEY UPDATE OF item SKIP LOCKED"""


NEXT_ASSIGNED = {kind: _next_assigned(kind) for kind in Kind.values}
NEXT_PAIR = {kind: _next_pair(kind) for kind in Kind.values}
ITEMS_OF_PAIR = {kind: _items_of_pair(kind) for kind in Kind.values}
COUNTED = {kind: f"SELECT count(*) {_ROWS} AND {WANTED[kind]} AND {FREE[kind]}" for kind in Kind.values}
LEFT_FOR_PERSON = {
    kind: f"SELECT count(*), count(*) FILTER (WHERE true {_SHOWABLE}) {_ROWS} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON} {NOT_ANOTHERS}"  # noqa: E501
    for kind in Kind.values
}


def next_pair(lot: Lot, kind: str, person: dict[str, Any]) -> tuple[int, bool] | None:
    """Return the pair that the person gets next and whether it may show harm. One of its items is locked.

    Answers that are assigned to the person come first.

    Args:
        person: the parameters `person`, `excluded` and `capped`.
    """
    values = {"lot": lot.pk, "kind": kind, **person}
    row = fetch_one(NEXT_ASSIGNED[kind], values) or fetch_one(NEXT_PAIR[kind], values)
    return None if row is None else (int(row[0]), row[1] == 1)


def items_of_pair(lot: Lot, kind: str, pair_id: int, person: dict[str, Any]) -> list[tuple[int, bool]]:
    """Lock and return the pair's items that the person can review, each with whether its secondary review is blind."""
    return fetch_all(ITEMS_OF_PAIR[kind], {"lot": lot.pk, "kind": kind, "pair": pair_id, **person})


def left_for(lot: Lot, kind: str, person: dict[str, Any]) -> tuple[int, int]:
    """Return how many answers the person could review, and how many of them they may be shown now."""
    row = fetch_one(LEFT_FOR_PERSON[kind], {"lot": lot.pk, "kind": kind, **person})
    assert row is not None  # noqa: S101 - an aggregate
    return int(row[0]), int(row[1])


def due(lot: Lot) -> dict[str, int]:
    """Return how many answers of the lot wait for a review of each kind and are with nobody, by kind."""
    return {kind: int((fetch_one(COUNTED[kind], {"lot": lot.pk}) or (0,))[0]) for kind in Kind.values}


def lots_in_review(study: Study) -> list[Lot]:
    """Return the study's lots in review, by number."""
    return list(Lot.objects.filter(study=study, state=Lot.State.IN_REVIEW).order_by("number"))
