"""Leases: what a person holds, how it is kept, promoted, ended, and how its slot finds the way back.

Whatever changes a lease and a slot does both in one statement, on the condition that the lease is still what it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import days
from accounts.models import User
from annotation import acceptance, exposure
from annotation.models import Assignment, Seat
from catalog import batches
from diptych.database.fixed import change, fetch_all, fetch_one
from diptych.refusals import Refused
from studies.models import Study

#: An assignment in one of these states does not keep its pair from being given to the same person again. A later
#: round is offered again, whichever way its lease ended unanswered.
RECLAIMABLE = (Assignment.State.EXPIRED, Assignment.State.RELEASED, Assignment.State.OFFERED)


@dataclass(frozen=True, slots=True)
class Held:
    """One live lease of a person, or an offer that waits for them."""

    assignment_id: int
    state: str
    place: str
    expires_at: datetime
    lane: int
    #: Whether the person agreed to see all that the pair may show by now.
    agreed: bool
    #: Whether the pair could be leased anew: it is not held, and its batch is not being checked. Of an offer `accept`
    #: finds that out.
    servable: bool
    batch_id: int

    def leased_of(self, batch_id: int) -> bool:
        """Return whether this is a lease, not an offer, of a pair of the batch."""
        return self.batch_id == batch_id and bool(self.place)


#: `id + 0`, here and below: planned while tables are small, an order that an index of all assignments has would be read
#: from that index, past everything that the study ever gave.
HELD = f"""
SELECT assignment.id, assignment.state, assignment.place, assignment.expires_at, pair.lane,
       NOT pair.may_show && %(excluded)s::varchar[] AS agreed, pair.held = '' AND {acceptance.BATCH_LEASES} AS servable,
       pair.batch_id
  FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE assignment.study_id = %(study)s AND assignment.person_id = %(person)s AND assignment.state = 'leased'
 UNION ALL
(SELECT assignment.id, assignment.state, '', assignment.expires_at, pair.lane,
        NOT pair.may_show && %(excluded)s::varchar[], true, pair.batch_id
  FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE assignment.study_id = %(study)s AND assignment.person_id = %(person)s AND assignment.state = 'offered'
 ORDER BY assignment.id + 0 LIMIT 1)
"""  # noqa: S608 - of constants


def held_leases(seat: Seat) -> dict[str, Held]:
    """What the person of a locked seat holds, by place; what review offers them under `offered`.

    Not locked: the sweep may end an expired lease at any moment, so whatever follows from this is conditional.
    """
    rows = fetch_all(HELD, {"study": seat.study_id, "person": seat.person_id, "excluded": seat.excluded})
    return by_place(rows)


def by_place(rows: Iterable[tuple[Any, ...]]) -> dict[str, Held]:
    """Rows of `HELD`, by place; an offer under `offered`."""
    held = [Held(*row) for row in rows]
    return {lease.place or lease.state: lease for lease in held}


EXTENDED = """
UPDATE annotation_assignment SET expires_at = %(expires_at)s WHERE id = %(id)s AND state = 'leased'
"""


def keep(held: Held, study: Study, now: datetime) -> bool:
    """Extends a lease of which less than half is left. False if the sweep was sooner."""
    seconds = length_s(held.place, study)
    if held.expires_at - now >= timedelta(seconds=seconds / 2):
        return True
    return change(EXTENDED, {"id": held.assignment_id, "expires_at": now + timedelta(seconds=seconds)}) == 1


def length_s(place: str, study: Study) -> int:
    """How long a lease in this place lasts: the next pair's is short."""
    return study.lease_s if place == Assignment.Place.CURRENT else study.next_lease_s


PROMOTED = f"""
WITH promoted AS (
    UPDATE annotation_assignment
       SET place = 'current', shown_at = %(now)s, expires_at = %(expires_at)s,
           protocol_version = %(protocol_version)s, guideline_version = %(guideline_version)s
     WHERE id = %(id)s AND state = 'leased' AND place = 'next' AND {acceptance.STUDY_LEASES}
    RETURNING id
), shown AS (  -- what is expected of it no longer lapses with the lease
    UPDATE annotation_exposure exposure SET lapses_s = 0
      FROM promoted WHERE exposure.assignment_id = promoted.id AND exposure.lapses_s > 0
    RETURNING exposure.day
)
SELECT promoted.id, (SELECT max(day) FROM shown) FROM promoted
"""  # noqa: S608 - of constants


def promote(held: Held, seat: Seat, person: User, study: Study, now: datetime) -> int | None:
    """Makes the next pair the current one: it is shown now, under the versions in force now, and its short lease
    becomes a full one. None if the sweep was sooner, or the study no longer runs."""
    row = fetch_one(
        PROMOTED,
        {
            "id": held.assignment_id,
            "study": study.pk,
            "now": now,
            "expires_at": now + timedelta(seconds=study.lease_s),
            "protocol_version": study.protocol_version,
            "guideline_version": study.guideline_version,
        },
    )
    if row is None:
        return None
    assignment_id, expected_on = row
    if expected_on is not None and expected_on != days.day_of(person, now):
        seat.dose_s += exposure.expect_today(assignment_id, person, now)
    return int(assignment_id)


ACCEPTED = f"""
WITH offered AS (  -- whoever gets here while holding a pair waits for no other
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.study_id = %(study)s AND assignment.person_id = %(person)s AND assignment.state = 'offered'
       AND pair.open_slots > 0 AND pair.ready AND pair.held = ''
       AND NOT pair.may_show && %(excluded)s::varchar[] AND NOT (%(capped)s AND pair.lane = 1)
       AND {acceptance.STUDY_LEASES} AND {acceptance.BATCH_LEASES}
     ORDER BY assignment.id + 0 LIMIT 1
       FOR NO KEY UPDATE SKIP LOCKED
), slot AS (
    UPDATE catalog_pair pair SET open_slots = pair.open_slots - 1
      FROM offered WHERE pair.id = offered.pair_id
    RETURNING pair.id
)
UPDATE annotation_assignment mine
   SET state = 'leased', place = %(place)s, leased_at = %(now)s, shown_at = %(now)s, expires_at = %(expires_at)s,
       lease_number = mine.lease_number + 1,
       protocol_version = %(protocol_version)s, guideline_version = %(guideline_version)s
  FROM offered, slot WHERE mine.id = offered.id
RETURNING mine.id, mine.pair_id
"""  # noqa: S608 - of constants


def accept(seat: Seat, person: User, study: Study, now: datetime, *, capped: bool) -> int | None:
    """Leases the first that review offers the person once more and that they may have now, before anything new. None
    if there is none: slots have gone, pairs are held, the person no longer agrees to see them, or with `capped` has
    seen enough for today."""
    values = {
        "study": study.pk,
        "person": person.pk,
        "place": Assignment.Place.CURRENT,
        "excluded": seat.excluded,
        "capped": capped,
        "now": now,
        "expires_at": now + timedelta(seconds=study.lease_s),
        "protocol_version": study.protocol_version,
        "guideline_version": study.guideline_version,
    }
    row = fetch_one(ACCEPTED, values)
    if row is None:
        return None
    assignment_id, pair_id = row
    seat.dose_s += exposure.expect(assignment_id, pair_id, person, now, is_shown=True)
    return int(assignment_id)


ENDED = """
WITH ended AS (
    UPDATE annotation_assignment
       SET state = CASE WHEN round > 0 AND %(state)s = 'released' THEN 'offered' ELSE %(state)s END,
           ended_at = CASE WHEN round > 0 AND %(state)s = 'released' THEN NULL ELSE %(now)s END
     WHERE id = %(id)s AND state = 'leased'
    RETURNING pair_id
)
UPDATE catalog_pair pair SET open_slots = pair.open_slots + 1 FROM ended WHERE pair.id = ended.pair_id
"""


def end(assignment_id: int, state: str) -> bool:
    """Ends a lease and returns its slot. False if it had ended already without an answer; Refused if answered."""
    if change(ENDED, {"id": assignment_id, "state": state, "now": timezone.now()}):
        return True
    _refuse_if_answered(assignment_id)
    return False


def _refuse_if_answered(assignment_id: int) -> None:
    if Assignment.objects.filter(pk=assignment_id, state=Assignment.State.SUBMITTED).exists():
        raise Refused(_("This pair was already submitted."), "already_answered")


#: A lease that has ended holds no slot any more, unless the sweep has not passed since.
SKIPPED = f"""
WITH open AS (
    SELECT assignment.id, assignment.pair_id, assignment.state = 'leased' AS holds_slot
      FROM annotation_assignment assignment
     WHERE assignment.id = %(id)s
       AND (assignment.state = 'leased' AND assignment.expires_at > %(now)s
            OR assignment.state IN ('leased', 'expired', 'released', 'offered')
               AND {acceptance.STUDY_TAKES_WORK_AFTER_LEASE})
       FOR NO KEY UPDATE OF assignment
), slot AS (
    UPDATE catalog_pair pair SET open_slots = pair.open_slots + 1
      FROM open WHERE pair.id = open.pair_id AND open.holds_slot
)
UPDATE annotation_assignment assignment
   SET state = 'skipped', ended_at = %(now)s, skip_reason = %(reason)s, skip_note = %(note)s
  FROM open WHERE assignment.id = open.id
"""  # noqa: S608 - of constants


def skip(assignment_id: int, reason: str, note: str = "") -> bool:
    """Ends the assignment for good, and returns its slot if it holds one. False if it was skipped before.

    Raises Refused if it was answered, or if its lease has ended and the study is closed.
    """
    if change(SKIPPED, {"id": assignment_id, "reason": reason, "note": note, "now": timezone.now()}):
        return True
    _refuse_if_answered(assignment_id)
    if Assignment.objects.filter(pk=assignment_id, state=Assignment.State.SKIPPED).exists():
        return False
    raise Refused(acceptance.lease_ended_study_closed(), acceptance.STUDY_CLOSED)


LET_GO = """
WITH mine AS (  -- as the sweep does: waits for nothing
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.id = %(id)s AND assignment.state = 'leased'
       FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment
       SET state = CASE WHEN round > 0 THEN 'offered' ELSE %(state)s END,
           ended_at = CASE WHEN round > 0 THEN NULL ELSE %(now)s END
      FROM mine WHERE assignment.id = mine.id
    RETURNING assignment.pair_id
)
UPDATE catalog_pair pair SET open_slots = pair.open_slots + 1 FROM ended WHERE pair.id = ended.pair_id
"""


def let_go(held: Held) -> bool:
    """Releases a lease for somebody who may hold the lock of another pair, for which they must not wait. False if it
    had ended, or if its pair is locked at this moment: then it ends after the commit."""
    values = {"id": held.assignment_id, "state": Assignment.State.RELEASED, "now": timezone.now()}
    if change(LET_GO, values):
        return True
    transaction.on_commit(lambda: change(ENDED, values), robust=True)
    return False


RETURN_EXPIRED = """
WITH expired AS (  -- locks both rows and waits for neither, so it may run inside any transaction
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.state = 'leased' AND assignment.expires_at < %(now)s
       AND (%(study)s::bigint IS NULL OR assignment.study_id = %(study)s)
     ORDER BY assignment.expires_at
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment
       SET state = CASE WHEN round > 0 THEN 'offered' ELSE 'expired' END,
           ended_at = CASE WHEN round > 0 THEN NULL ELSE %(now)s END
      FROM expired WHERE assignment.id = expired.id
    RETURNING assignment.pair_id
)
UPDATE catalog_pair pair SET open_slots = pair.open_slots + returned.slots
  FROM (SELECT pair_id, count(*) AS slots FROM ended GROUP BY pair_id) returned
 WHERE pair.id = returned.pair_id
RETURNING pair.id
"""


@transaction.atomic
def return_expired(*, study_id: int | None = None, limit: int = 500) -> int:
    """Returns the slots of expired leases to their pairs, `limit` leases at most; how many pairs got some back."""
    with connection.cursor() as cursor:
        cursor.execute(RETURN_EXPIRED, {"study": study_id, "limit": limit, "now": timezone.now()})
        return cursor.rowcount


# --- A batch whose last answer has come -----------------------------------------------------------------------

#: Of a row `pair`: somebody holds a lease of it, live or not swept yet.
LEASED = """
EXISTS (SELECT FROM annotation_assignment holder WHERE holder.pair_id = pair.id AND holder.state = 'leased')
"""


def complete_after_commit(batch_id: int) -> None:
    """Move the batch to annotated once this transaction is committed, if its last answer has come.

    After the commit, because until then everybody who writes an answer holds the batch's row. `complete_batches`
    repeats what a killed process left out.
    """
    transaction.on_commit(lambda: batches.mark_annotated(batch_id, leased=LEASED), robust=True)


def complete_batches() -> int:
    """Move to annotated every open batch of which nothing is wanted any more. Return how many.

    For what needs no answer (pairs that were held or that want fewer answers now), and for processes that were killed.
    """
    complete = batches.complete_and_open(leased=LEASED)
    return sum(batches.mark_annotated(batch_id, leased=LEASED) for batch_id in complete)
