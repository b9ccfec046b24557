"""Which answers of a lot wait for a review of each kind, and which pair of them a reviewer gets next.

Whether an answer is in the secondary review, and whether that review is blind, is drawn from the lot's secret seed for
its pair. So nobody can predict it, and one blind answer serves all answers of the pair.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet

from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import fetch_all, fetch_one
from qc import looking
from qc.models import Lot, Reply, SecondBlind
from qc.models.reviews import Kind
from studies.models import Study

#: Kinds of review in which the reviewer always answers first.
ALWAYS_BLIND = (Kind.SPOT, Kind.SECOND_BLIND)
_FREE = """
NOT EXISTS (SELECT FROM qc_review other WHERE other.item_id = item.id AND other.kind = '{kind}'
               AND other.state IN ({states}))
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
#: whoever has it leased now. The flags of items say what is done already (`models/due.py`).
WANTED: dict[str, str] = {
    Kind.SECONDARY: """lot.state = 'in_review' AND lot.drawn_at IS NULL AND item.secondary_due AND standing.counted
        AND standing.validity = 'valid'""",
    Kind.SPOT: """lot.state = 'in_review' AND lot.drawn_at IS NOT NULL AND item.spot_due
        AND (item.sample_place IS NOT NULL OR item.place <= lot.sample_size)""",
    Kind.LOOK: "lot.state = 'in_review' AND standing.counted AND item.look_rank IS NOT NULL",
    Kind.CONFIRM: f"lot.state = 'in_review' AND {_WAITS.format(waits_for='confirm')}",
    Kind.ADJUDICATE: f"(lot.state = 'in_review' AND {_WAITS.format(waits_for='adjudicate')} OR {_REPLY})",
    Kind.SECOND_BLIND: _SECOND,
}
#: Nobody has the item for this kind of review now. A second blind answer is given once; the flags say so of the others.
FREE: dict[str, str] = {
    kind: _FREE.format(kind=kind, states="'leased', 'submitted'" if kind == Kind.SECOND_BLIND else "'leased'")
    for kind in Kind.values
}
#: What waits for these kinds is little, and an index has it. Without this, every answer of a lot would be read.
AMONG: dict[str, str] = dict.fromkeys(Kind.values, "") | {
    Kind.CONFIRM: """AND item.id IN (SELECT verdict.item_id FROM qc_verdict verdict WHERE verdict.study_id = %(study)s
        AND verdict.waits_for = 'confirm')""",
    Kind.ADJUDICATE: """AND item.id IN (SELECT verdict.item_id FROM qc_verdict verdict
        WHERE verdict.study_id = %(study)s AND verdict.waits_for = 'adjudicate' UNION ALL
        SELECT reply.item_id FROM qc_reply reply WHERE reply.study_id = %(study)s AND reply.closed_at IS NULL)""",
    Kind.SECOND_BLIND: """AND item.id IN (SELECT among.item_id FROM qc_secondblind among
        WHERE among.study_id = %(study)s AND among.second_id IS NULL)""",
}
#: The order in which a lot's items are reviewed. All kinds but the look-here queue follow the lot's random order.
ORDER: dict[str, str] = dict.fromkeys(Kind.values, "item.place") | {Kind.LOOK: "item.look_rank, item.place"}
#: The frozen answers with all that the conditions name, and which of them can be reviewed at all.
JOINED = """
  FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
"""
REVIEWABLE = f"item.lost = '' AND pair.held <> '{QUARANTINED}'"
_ROWS = f"{JOINED} WHERE item.lot_id = %(lot)s AND {REVIEWABLE}"
_OF_EACH = f"{JOINED} WHERE item.lot_id = wanted.id AND {REVIEWABLE}"
#: Up to this number, the list of lots says how many answers wait.
MOST_COUNTED = 500
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


def drawn(purpose: str, pair: str, share: str, seed: str = "lot.seed") -> str:
    """Return SQL: whether a pair is drawn for a purpose with a share from 0 to 1.

    The draws for different purposes are independent.
    """
    return f"(('x' || left(md5({seed} || '/{purpose}/' || {pair}), 8))::bit(32)::bigint < {share} * 4294967296)"


def _first(kind: str, more: str) -> str:
    """Return SQL for the pair of the first item that the person can have. The item is locked."""
    return f"""SELECT assignment.pair_id
        {_ROWS} {AMONG[kind]} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS} {_SHOWABLE} {more}
        ORDER BY {ORDER[kind]} LIMIT 1 FOR NO KEY UPDATE OF item SKIP LOCKED"""


def _items(kind: str, pair: str, more: str = "") -> str:
    """Return SQL for all items of a pair that the person can have, with what their leases say. They are locked.

    A look is spent on answers with findings, or on all if none has any: the others are no more suspicious than most.
    """
    blind = "true" if kind in ALWAYS_BLIND else "false"
    if kind == Kind.SECONDARY:
        blind = drawn("blind", "assignment.pair_id", "lot.blind_share")
    reasons = looking.REASONS if kind == Kind.LOOK else "'{}'::varchar[]"
    return f"""SELECT item.id, assignment.pair_id, pair.lane = 1 AS sensitive, {blind} AS blind,
               CASE WHEN {drawn("left", "assignment.pair_id || '/' || %(person)s", "0.5")} THEN 'video_0'
                    ELSE 'video_1' END AS "left",
               EXISTS (SELECT FROM qc_reviewanswer answer WHERE answer.lot_id = item.lot_id
                          AND answer.pair_id = assignment.pair_id AND answer.reviewer_id = %(person)s) AS answered,
               {reasons} AS reasons
        {_ROWS} AND assignment.pair_id = {pair}
          AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS} {more}
        ORDER BY item.id FOR NO KEY UPDATE OF item SKIP LOCKED"""  # noqa: S608 - of constants


def _next(kind: str, more: str) -> str:
    return f"""first AS MATERIALIZED ({_first(kind, more)}),
        items AS MATERIALIZED ({_items(kind, "(SELECT pair_id FROM first)")})"""  # noqa: S608 - of constants


_ASSIGNED = """AND item.id IN (SELECT mine_first.item_id FROM qc_assignedreview mine_first
    WHERE mine_first.reviewer_id = %(person)s AND mine_first.lot_id = %(lot)s AND mine_first.kind = %(kind)s
      AND mine_first.until > now())"""
#: `items` for a statement that leases them: of the first pair in order, of the first pair that is assigned to the
#: person, or of a pair by its key.
NEXT = {kind: _next(kind, "") for kind in Kind.values}
NEXT_ASSIGNED = {kind: _next(kind, _ASSIGNED) for kind in Kind.values}
JUST_THIS_PAIR = {kind: f"items AS MATERIALIZED ({_items(kind, '%(pair)s', _SHOWABLE)})" for kind in Kind.values}
#: Whether anything is left that the person could review, and whether they may be shown any of it now.
LEFT_FOR_PERSON = {
    kind: f"""SELECT EXISTS (SELECT {left}), EXISTS (SELECT {left} {_SHOWABLE})"""
    for kind in Kind.values
    for left in [f"{_ROWS} {AMONG[kind]} AND {WANTED[kind]} AND {FREE[kind]} {FOR_PERSON[kind]} {NOT_ANOTHERS}"]
}
#: How many items of each lot wait and are with nobody, for lots by key. Counting ends at one more than `most`.
COUNTED = {
    kind: f"""SELECT wanted.id, counted.number
        FROM unnest(%(lots)s::bigint[]) wanted (id),
             LATERAL (SELECT count(*) AS number FROM (
                 SELECT {_OF_EACH} {AMONG[kind]} AND {WANTED[kind]} AND {FREE[kind]} LIMIT %(most)s + 1) item
             ) counted"""  # noqa: S608 - of constants
    for kind in Kind.values
}


def left_for(lot: Lot, kind: str, person: dict[str, Any]) -> tuple[bool, bool]:
    """Return whether anything is left that the person could review, and whether they may be shown any of it now."""
    row = fetch_one(LEFT_FOR_PERSON[kind], {"study": lot.study_id, "lot": lot.pk, "kind": kind, **person})
    assert row is not None  # noqa: S101 - two subqueries
    return bool(row[0]), bool(row[1])


def counts(study: Study, lots: Collection[Lot], kinds: Collection[str]) -> dict[int, dict[str, int]]:
    """Return how many answers wait for a review of each kind and are with nobody, by the key of the lot and kind.

    A number above `MOST_COUNTED` means that there are more than that: a lot can have a hundred thousand answers.
    """
    found = {lot.pk: dict.fromkeys(kinds, 0) for lot in lots}
    in_review = [lot.pk for lot in lots if lot.state == Lot.State.IN_REVIEW]
    for kind in kinds:
        keys = list(found) if kind in AFTER_DECISION else in_review
        for lot, number in fetch_all(COUNTED[kind], {"study": study.pk, "lots": keys, "most": MOST_COUNTED}):
            found[lot][kind] = number
    return found


#: Kinds of review that go on after the lot is decided: annotators may still reply, and agreement is not yet known.
AFTER_DECISION = (Kind.ADJUDICATE, Kind.SECOND_BLIND)


def lots_to_review(study: Study) -> QuerySet[Lot]:
    """Return the study's lots in review, and decided ones in which something waits, by number."""
    replied = Reply.objects.filter(study=study, closed_at=None).values("item__lot")
    drawn = SecondBlind.objects.filter(study=study, second=None).values("lot")
    waits = Q(pk__in=replied) | Q(pk__in=drawn)
    in_review = Q(state=Lot.State.IN_REVIEW)
    return Lot.objects.filter(in_review | waits, study=study).order_by("number")
