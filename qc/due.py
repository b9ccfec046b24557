"""Which answers of a lot wait for a review of each kind, and which pair of them a reviewer gets next.

Whether an answer is in the secondary review, and whether that review is blind, is drawn from the lot's secret seed for
its pair. So nobody can predict it, and one blind answer serves all answers of the pair.
"""

from typing import Any

from django.db.models import Q, QuerySet

from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import fetch_all, fetch_one
from qc import looking
from qc.models import Lot, Reply, SecondBlind
from qc.models.reviews import Kind
from studies.models import Study

#: Whether a pair is drawn for a purpose with a share from 0 to 1. The draws for different purposes are independent.
DRAWN = "(('x' || left(md5(lot.seed || '/{purpose}/' || {pair}), 8))::bit(32)::bigint < {share} * 4294967296)"
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
#: Drawn for a second blind answer, and needed by no other review first: a small team would otherwise lack the different
#: people whom the lot's decision needs.
_SECOND = f"""lot.state <> 'draft'
        AND EXISTS (SELECT FROM qc_secondblind drawn WHERE drawn.item_id = item.id AND drawn.second_id IS NULL)
        AND (lot.state <> 'in_review'
             OR lot.drawn_at IS NOT NULL AND NOT {_WAITS.format(waits_for="confirm")}
                AND NOT {_WAITS.format(waits_for="adjudicate")}
                AND (item.sample_place IS NULL AND item.place > lot.sample_size
                     OR EXISTS (SELECT FROM qc_review spot WHERE spot.item_id = item.id AND spot.kind = 'spot'
                                   AND spot.state = 'submitted')))"""  # noqa: S608 - of constants

#: Whether an item waits for a review of each kind, for rows `item`, `lot`, `assignment` and `standing`. It is true
#: whoever has it leased now.
WANTED: dict[str, str] = {
    Kind.SECONDARY: f"""lot.state = 'in_review' AND lot.drawn_at IS NULL AND standing.counted
        AND standing.validity = 'valid'
        AND {DRAWN.format(purpose="secondary", pair="assignment.pair_id", share="lot.secondary_share")}""",
    Kind.SPOT: """lot.state = 'in_review' AND lot.drawn_at IS NOT NULL
        AND (item.sample_place IS NOT NULL OR item.place <= lot.sample_size)""",
    Kind.LOOK: """lot.state = 'in_review' AND standing.counted AND NOT EXISTS (SELECT FROM qc_review other
        WHERE other.item_id = item.id AND other.state = 'submitted')""",
    Kind.CONFIRM: f"lot.state = 'in_review' AND {_WAITS.format(waits_for='confirm')}",
    Kind.ADJUDICATE: f"(lot.state = 'in_review' AND {_WAITS.format(waits_for='adjudicate')} OR {_REPLY})",
    Kind.SECOND_BLIND: _SECOND,
}
FREE: dict[str, str] = {
    kind: (_NOT_LEASED if kind in (Kind.CONFIRM, Kind.ADJUDICATE) else _FREE).format(kind=kind) for kind in Kind.values
}
#: The order in which a lot's items are reviewed. All kinds but the look-here queue follow the lot's random order.
ORDER: dict[str, str] = dict.fromkeys(Kind.values, "item.place") | {Kind.LOOK: f"{looking.RANK}, item.place"}
#: The frozen answers with all that the conditions name, and which of them can be reviewed at all.
JOINED = """
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
"""
REVIEWABLE = f"item.lost = '' AND pair.held <> '{QUARANTINED}'"
_ROWS = f"{JOINED} WHERE item.lot_id = %(lot)s AND {REVIEWABLE}"
#: The person has not worked on the pair, and has no other role for the answer. A review that ended before its answer
#: was shown is no role.
_FOR_PERSON = """
   AND NOT EXISTS (SELECT FROM annotation_assignment own
                    WHERE own.pair_id = assignment.pair_id AND own.person_id = %(person)s)
   AND NOT EXISTS (SELECT FROM qc_review mine WHERE mine.item_id = item.id AND mine.reviewer_id = %(person)s
                      AND NOT (mine.state IN ('expired', 'returned')
                               AND (mine.revealed_at IS NULL OR mine.kind = %(kind)s)))
"""
#: Nor a role for any other answer to the pair, in any lot: whoever has seen one does not answer blind.
_NOT_SEEN = """
   AND NOT EXISTS (SELECT FROM annotation_assignment theirs JOIN qc_frameitem its ON its.assignment_id = theirs.id
                     JOIN qc_review mine ON mine.item_id = its.id AND mine.reviewer_id = %(person)s
                    WHERE theirs.pair_id = assignment.pair_id AND its.id <> item.id
                      AND (mine.state IN ('leased', 'submitted') OR mine.revealed_at IS NOT NULL))
"""
FOR_PERSON: dict[str, str] = dict.fromkeys(Kind.values, _FOR_PERSON) | {Kind.SECOND_BLIND: _FOR_PERSON + _NOT_SEEN}
#: The answer is not assigned to somebody else for this kind, nor to this person for another kind.
NOT_ANOTHERS = """
   AND NOT EXISTS (SELECT FROM qc_assignedreview assigned WHERE assigned.item_id = item.id
                      AND (assigned.reviewer_id = %(person)s) <> (assigned.kind = %(kind)s) AND assigned.until > now())
"""
#: What the person agreed to see, and what their daily limit still allows.
_SHOWABLE = "AND NOT pair.may_show && %(excluded)s::varchar[] AND NOT (%(capped)s AND pair.lane = 1)"


def _next_pair(kind: str, more: str = "") -> str:
    return f"""SELECT assignment.pair_id, pair.lane
        {_ROWS} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS} {_SHOWABLE} {more}
        ORDER BY {ORDER[kind]} LIMIT 1 FOR NO KEY UPDATE OF item SKIP LOCKED"""


def _next_assigned(kind: str) -> str:
    return f"""SELECT assignment.pair_id, pair.lane
        {JOINED} JOIN qc_assignedreview mine_first ON mine_first.item_id = item.id
        WHERE mine_first.reviewer_id = %(person)s AND mine_first.lot_id = %(lot)s AND mine_first.kind = %(kind)s
          AND mine_first.until > now() AND {REVIEWABLE} AND {WANTED[kind]} AND {FREE[kind]}
          {FOR_PERSON[kind]} {_SHOWABLE}
        ORDER BY item.place LIMIT 1 FOR NO KEY UPDATE OF item SKIP LOCKED"""


def _items_of_pair(kind: str) -> str:
    blind = DRAWN.format(purpose="blind", pair="assignment.pair_id", share="lot.blind_share")
    reasons = looking.REASONS if kind == Kind.LOOK else "'{}'::varchar[]"
    return f"""SELECT item.id, {blind}, {reasons}
        {_ROWS} AND assignment.pair_id = %(pair)s AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS}
        ORDER BY item.id FOR NO KEY UPDATE OF item SKIP LOCKED"""


NEXT_ASSIGNED = {kind: _next_assigned(kind) for kind in Kind.values}
NEXT_PAIR = {kind: _next_pair(kind) for kind in Kind.values}
JUST_THIS_PAIR = {kind: _next_pair(kind, "AND assignment.pair_id = %(pair)s") for kind in Kind.values}
ITEMS_OF_PAIR = {kind: _items_of_pair(kind) for kind in Kind.values}
COUNTED = {kind: f"SELECT count(*) {_ROWS} AND {WANTED[kind]} AND {FREE[kind]}" for kind in Kind.values}
LEFT_FOR_PERSON = {
    kind: f"SELECT count(*), count(*) FILTER (WHERE true {_SHOWABLE}) {_ROWS} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS}"  # noqa: E501
    for kind in Kind.values
}


def next_pair(lot: Lot, kind: str, person: dict[str, Any], just: int | None = None) -> tuple[int, bool] | None:
    """Return the pair that the person gets next and whether it may show harm. One of its items is locked.

    Answers that are assigned to the person come first.

    Args:
        person: the parameters `person`, `excluded` and `capped`.
        just: return this pair, or None if the person cannot have it.
    """
    values = {"lot": lot.pk, "kind": kind, **person}
    if just is not None:
        row = fetch_one(JUST_THIS_PAIR[kind], values | {"pair": just})
    else:
        row = fetch_one(NEXT_ASSIGNED[kind], values) or fetch_one(NEXT_PAIR[kind], values)
    return None if row is None else (int(row[0]), row[1] == 1)


def items_of_pair(lot: Lot, kind: str, pair_id: int, person: dict[str, Any]) -> list[tuple[int, bool, list[str]]]:
    """Lock and return the pair's items that the person can review.

    With each come whether its secondary review is blind, and why the look-here queue chose it.
    """
    return fetch_all(ITEMS_OF_PAIR[kind], {"lot": lot.pk, "kind": kind, "pair": pair_id, **person})


def left_for(lot: Lot, kind: str, person: dict[str, Any]) -> tuple[int, int]:
    """Return how many answers the person could review, and how many of them they may be shown now."""
    row = fetch_one(LEFT_FOR_PERSON[kind], {"lot": lot.pk, "kind": kind, **person})
    assert row is not None  # noqa: S101 - an aggregate
    return int(row[0]), int(row[1])


def due(lot: Lot) -> dict[str, int]:
    """Return how many answers of the lot wait for a review of each kind and are with nobody, by kind."""
    kinds = Kind.values if lot.state == Lot.State.IN_REVIEW else AFTER_DECISION
    found = {kind: int((fetch_one(COUNTED[kind], {"lot": lot.pk}) or (0,))[0]) for kind in kinds}
    return dict.fromkeys(Kind.values, 0) | found


#: Kinds of review that go on after the lot is decided: annotators may still reply, and agreement is not yet known.
AFTER_DECISION = (Kind.ADJUDICATE, Kind.SECOND_BLIND)


def lots_to_review(study: Study) -> QuerySet[Lot]:
    """Return the study's lots in review, and decided ones in which something waits, by number."""
    replied = Reply.objects.filter(study=study, closed_at=None).values("item__lot")
    drawn = SecondBlind.objects.filter(study=study, second=None).values("lot")
    waits = Q(pk__in=replied) | Q(pk__in=drawn)
    in_review = Q(state=Lot.State.IN_REVIEW)
    return Lot.objects.filter(in_review | waits, study=study).order_by("number")
