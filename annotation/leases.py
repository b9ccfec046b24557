"""Leases: extend them, promote the next pair to the current one, end them, and return their slots.

A change of a lease and of a slot is one statement, with the condition that the lease has not changed meanwhile.
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
from catalog import batches, slots
from diptych.database.fixed import change, fetch_all, fetch_one
from diptych.refusals import Refused
from studies.models import Study

#: An assignment in one of these states does not prevent the same person from getting its pair again. A later round
#: becomes an offer again if its lease ends without an answer.
RECLAIMABLE = (Assignment.State.EXPIRED, Assignment.State.RELEASED, Assignment.State.OFFERED)


@dataclass(frozen=True, slots=True)
class LiveLease:
    """One live lease of a person, or an offer that waits for them."""

    assignment_id: int
    state: str
    place: str
    expires_at: datetime
    lane: int
    #: Whether the person has agreed to see all harms that the pair may now show.
    agreed: bool
    #: Whether the pair could be leased again: it is not held, and its batch is not being checked. For an offer,
    #: `lease_offer` checks this.
    servable: bool
    batch_id: int

    def leased_of(self, batch_id: int) -> bool:
        """Return whether this is a lease, not an offer, of a pair of the batch."""
        return self.batch_id == batch_id and bool(self.place)


#: `id + 0`, here and below, keeps PostgreSQL from using an index on the id for the order. A plan made while tables are
#: small would do that, and later read all assignments of the study.
LIVE_LEASES = f"""
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


def live_leases(seat: Seat) -> dict[str, LiveLease]:
    """Return the leases of the person of a locked seat by place, and under `offered` an offer of a reviewer.

    The rows are not locked. The sweep may end an expired lease at any moment, so every later change is conditional.
    """
    rows = fetch_all(LIVE_LEASES, {"study": seat.study_id, "person": seat.person_id, "excluded": seat.excluded})
    return by_place(rows)


def by_place(rows: Iterable[tuple[Any, ...]]) -> dict[str, LiveLease]:
    """Return rows of `LIVE_LEASES` by place, with an offer under `offered`."""
    found = [LiveLease(*row) for row in rows]
    return {lease.place or lease.state: lease for lease in found}


EXTENDED = """
UPDATE annotation_assignment SET expires_at = %(expires_at)s WHERE id = %(id)s AND state = 'leased'
"""


def extend(lease: LiveLease, study: Study, now: datetime) -> bool:
    """Extend a lease if less than half of it is left. Return False if the sweep has already ended it."""
    seconds = length_s(lease.place, study)
    if lease.expires_at - now >= timedelta(seconds=seconds / 2):
        return True
    return change(EXTENDED, {"id": lease.assignment_id, "expires_at": now + timedelta(seconds=seconds)}) == 1


def length_s(place: str, study: Study) -> int:
    """Return the length in seconds of a lease in this place. The lease of the next pair is shorter."""
    return study.lease_s if place == Assignment.Place.CURRENT else study.next_lease_s


PROMOTED = f"""
WITH promoted AS (
    UPDATE annotation_assignment
       SET place = 'current', shown_at = %(now)s, expires_at = %(expires_at)s,
           protocol_version = %(protocol_version)s, guideline_version = %(guideline_version)s
     WHERE id = %(id)s AND state = 'leased' AND place = 'next' AND {acceptance.STUDY_LEASES}
    RETURNING id
), shown AS (  -- its expected exposure no longer lapses with the lease
    UPDATE annotation_exposure exposure SET lapses_s = 0
      FROM promoted WHERE exposure.assignment_id = promoted.id AND exposure.lapses_s > 0
    RETURNING exposure.day
)
SELECT promoted.id, (SELECT max(day) FROM shown) FROM promoted
"""  # noqa: S608 - of constants


def promote(lease: LiveLease, seat: Seat, person: User, study: Study, now: datetime) -> int | None:
    """Make the next pair the current one, with a full lease and under the versions in force now.

    Return the assignment's key, or None if the sweep has already ended the lease or the study no longer runs.
    """
    row = fetch_one(
        PROMOTED,
        {
            "id": lease.assignment_id,
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


OFFER_LEASED = f"""
WITH offered AS (  -- skips locked pairs: the transaction may have locked another pair already
    SELECT assignment.id, assignment.pair_id, {slots.OF_ANSWER_AGAIN} AS asked_because
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.study_id = %(study)s AND assignment.person_id = %(person)s AND assignment.state = 'offered'
       AND pair.open_slots > 0 AND pair.ready AND pair.held = ''
       AND NOT pair.may_show && %(excluded)s::varchar[] AND NOT (%(capped)s AND pair.lane = 1)
       AND {acceptance.STUDY_LEASES} AND {acceptance.BATCH_LEASES}
     ORDER BY assignment.id + 0 LIMIT 1
       FOR NO KEY UPDATE SKIP LOCKED
), slot AS (
    UPDATE catalog_pair pair SET {slots.taken("offered.asked_because")}
      FROM offered WHERE pair.id = offered.pair_id
    RETURNING pair.id
)
UPDATE annotation_assignment mine
   SET state = 'leased', place = %(place)s, leased_at = %(now)s, shown_at = %(now)s, expires_at = %(expires_at)s,
       lease_number = mine.lease_number + 1, asked_because = offered.asked_because,
       protocol_version = %(protocol_version)s, guideline_version = %(guideline_version)s
  FROM offered, slot WHERE mine.id = offered.id
RETURNING mine.id, mine.pair_id
"""  # noqa: S608 - of constants


def lease_offer(seat: Seat, person: User, study: Study, now: datetime, *, capped: bool) -> int | None:
    """Lease the first offer of a reviewer that the person can have now. Offers come before new pairs.

    Return the assignment's key, or None if there is no such offer. An offer is passed over if its pair has no slot or
    is held, if the person no longer agrees to see it, or, with `capped`, if it may show harm.
    """
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
    row = fetch_one(OFFER_LEASED, values)
    if row is None:
        return None
    assignment_id, pair_id = row
    seat.dose_s += exposure.expect(assignment_id, pair_id, person, now, is_shown=True)
    return int(assignment_id)


ENDED = f"""
WITH ended AS (
    UPDATE annotation_assignment
       SET state = CASE WHEN round > 0 AND %(state)s = 'released' THEN 'offered' ELSE %(state)s END,
           ended_at = CASE WHEN round > 0 AND %(state)s = 'released' THEN NULL ELSE %(now)s END
     WHERE id = %(id)s AND state = 'leased'
    RETURNING pair_id, asked_because
)
UPDATE catalog_pair pair SET {slots.returned("ended.asked_because")}
  FROM ended WHERE pair.id = ended.pair_id
"""  # noqa: S608 - of constants


def end(assignment_id: int, state: str) -> bool:
    """End a lease and return its slot. Return False if it had already ended. Raise Refused if it was answered."""
    if change(ENDED, {"id": assignment_id, "state": state, "now": timezone.now()}):
        return True
    _refuse_if_answered(assignment_id)
    return False


def _refuse_if_answered(assignment_id: int) -> None:
    if Assignment.objects.filter(pk=assignment_id, state=Assignment.State.SUBMITTED).exists():
        raise Refused(_("This pair was already submitted."), "already_answered")


#: A lease that has ended has no slot, unless the sweep has not processed it yet.
SKIPPED = f"""
WITH open AS (
    SELECT assignment.id, assignment.pair_id, assignment.asked_because, assignment.state = 'leased' AS holds_slot
      FROM annotation_assignment assignment
     WHERE assignment.id = %(id)s
       AND (assignment.state = 'leased' AND assignment.expires_at > %(now)s
            OR assignment.state IN ('leased', 'expired', 'released', 'offered')
               AND {acceptance.STUDY_TAKES_WORK_AFTER_LEASE})
       FOR NO KEY UPDATE OF assignment
), slot AS (
    UPDATE catalog_pair pair SET {slots.returned("open.asked_because")}
      FROM open WHERE pair.id = open.pair_id AND open.holds_slot
)
UPDATE annotation_assignment assignment
   SET state = 'skipped', ended_at = %(now)s, skip_reason = %(reason)s, skip_note = %(note)s
  FROM open WHERE assignment.id = open.id
"""  # noqa: S608 - of constants


def skip(assignment_id: int, reason: str, note: str = "") -> bool:
    """End the assignment as skipped, and return its slot if it has one. Return False if it was skipped before.

    Raise Refused if it was answered, or if its lease has ended and the study is closed.
    """
    if change(SKIPPED, {"id": assignment_id, "reason": reason, "note": note, "now": timezone.now()}):
        return True
    _refuse_if_answered(assignment_id)
    if Assignment.objects.filter(pk=assignment_id, state=Assignment.State.SKIPPED).exists():
        return False
    raise Refused(acceptance.lease_ended_study_closed(), acceptance.STUDY_CLOSED)


RELEASED_WITHOUT_WAITING = f"""
WITH mine AS (  -- skips locked rows, as the sweep does
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.id = %(id)s AND assignment.state = 'leased'
       FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment
       SET state = CASE WHEN round > 0 THEN 'offered' ELSE %(state)s END,
           ended_at = CASE WHEN round > 0 THEN NULL ELSE %(now)s END
      FROM mine WHERE assignment.id = mine.id
    RETURNING assignment.pair_id, assignment.asked_because
)
UPDATE catalog_pair pair SET {slots.returned("ended.asked_because")}
  FROM ended WHERE pair.id = ended.pair_id
"""  # noqa: S608 - of constants


def release_without_waiting(lease: LiveLease) -> bool:
    """Release a lease without waiting for locks: the caller may have locked another pair.

    Return False if the lease had already ended, or if its pair is locked now. In that case it ends after the commit.
    """
    values = {"id": lease.assignment_id, "state": Assignment.State.RELEASED, "now": timezone.now()}
    if change(RELEASED_WITHOUT_WAITING, values):
        return True
    transaction.on_commit(lambda: change(ENDED, values), robust=True)
    return False


RETURN_EXPIRED = f"""
WITH expired AS (  -- locks both rows, and skips locked ones, so it can run inside any transaction
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
    RETURNING assignment.pair_id, assignment.asked_because
)
UPDATE catalog_pair pair SET {slots.ALL_RETURNED}
  FROM (SELECT pair_id, {slots.COUNTED} FROM ended GROUP BY pair_id) returned
 WHERE pair.id = returned.pair_id
RETURNING pair.id
"""  # noqa: S608 - of constants


@transaction.atomic
def return_expired(*, study_id: int | None = None, limit: int = 500) -> int:
    """Return the slots of at most `limit` expired leases to their pairs. Return how many pairs got slots."""
    with connection.cursor() as cursor:
        cursor.execute(RETURN_EXPIRED, {"study": study_id, "limit": limit, "now": timezone.now()})
        return cursor.rowcount


# --- Batches that have all their answers ----------------------------------------------------------------------

#: For a row `pair`: it has a lease, live or not yet processed by the sweep.
LEASED = """
EXISTS (SELECT FROM annotation_assignment holder WHERE holder.pair_id = pair.id AND holder.state = 'leased')
"""


def complete_after_commit(batch_id: int) -> None:
    """Move the batch to annotated after the commit, if it has all its answers.

    It must be after the commit: until then, each transaction that stores an answer has a lock on the batch's row. If a
    process is killed before it gets here, `complete_batches` does it later.
    """
    transaction.on_commit(lambda: batches.mark_annotated(batch_id, leased=LEASED), robust=True)


def complete_batches() -> int:
    """Move every open batch that wants no more answers to annotated. Return how many.

    This covers pairs that were held or now want fewer answers, and processes that were killed.
    """
    complete = batches.complete_and_open(leased=LEASED)
    return sum(batches.mark_annotated(batch_id, leased=LEASED) for batch_id in complete)
