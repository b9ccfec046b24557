"""Who gets which pair: lease, renew, release, skip, and the return of what expired.

Each function is one transaction that first locks the person's seat, so one person's requests follow one another;
different people meet only at a pair, where `FOR UPDATE SKIP LOCKED` sends them past each other. A slot is taken
and returned by conditional updates of `Pair.open_slots` beside the change of the assignment's state. Nothing here
waits for a pair while it holds another, so no two people can wait for each other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet
from django.utils import timezone

from accounts import audit
from accounts.models import User
from annotation import draws
from annotation.models import Assignment, Seat
from annotation.protocol import SKIP_REASONS
from catalog.models import Pair, Study

#: An assignment in one of these states does not keep its pair from being given to the same person again.
RECLAIMABLE = (Assignment.State.EXPIRED, Assignment.State.RELEASED)

FINISHED, ALL_LEASED, PAUSED = "finished", "all_leased", "paused"


class NotYours(Exception):
    """The assignment can no longer be acted on; `str()` says why, `code` is a word for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies before a person: the pair they work on, the one after it, or the reason that there is none."""

    seat: Seat
    current: Assignment | None
    next: Assignment | None
    reason: str | None = None
    retry_after_s: int | None = None


@transaction.atomic
def lease(person: User, study: Study) -> Desk:
    """Gives the person up to two pairs of the study. Repeating it returns the same two while they are live."""
    return fill(take_seat(person, study), study)


def fill(seat: Seat, study: Study) -> Desk:
    """Brings both places of a locked seat up to date: promotes the next pair, takes what is missing."""
    held = {lease.place: lease.pk for lease in held_leases(seat, study)}
    current, following = held.get("current"), held.get("next")
    if study.state == Study.State.RUNNING:
        current = current or take(seat, study, Assignment.Place.CURRENT)
        following = following or (take(seat, study, Assignment.Place.NEXT) if current else None)
    if current is None:
        reason, retry_after_s = why_nothing(seat, study)
        return Desk(seat, None, None, reason, retry_after_s)
    shown = with_media(Assignment.objects.filter(pk__in=[current, following or current])).in_bulk()
    return Desk(seat, shown[current], shown[following] if following else None)


def held_leases(seat: Seat, study: Study) -> list[Assignment]:
    """The person's leases, at most one a place: the next one promoted where no pair is current, and both extended
    where less than half of their time is left."""
    leases = list(
        Assignment.objects.filter(study=study, person_id=seat.person_id, state="leased")
        .only("study", "place", "expires_at")
        .order_by("place")
        .select_for_update()  # or the sweep could take one back between reading and writing
    )
    if [lease.place for lease in leases] == ["next"]:
        promote(leases[0], study)
    for lease in leases:
        keep(lease, study)
    return leases


def take_seat(person: User, study: Study) -> Seat:
    """The person's seat in the study, locked until the transaction ends; made, with its orders drawn, if new."""
    seat = Seat.objects.select_for_update().filter(study=study, person=person).first()
    if seat is not None:
        return seat
    orders = {
        "question_order": draws.question_order(study, person.pk),
        "tag_order": draws.tag_order(study, person.pk),
    }
    Seat.objects.bulk_create([Seat(study=study, person=person, **orders)], ignore_conflicts=True)
    return Seat.objects.select_for_update().get(study=study, person=person)


#: What showing an assignment needs: `responses.assignment_json` reads these columns and no others.
SHOWN = (
    *("study", "person", "left", "dimension_first", "state", "place", "expires_at", "draft"),
    *("pair__public_id", "pair__prompt__text", "pair__prompt__language"),
    *("pair__video_0__asset__public_id", "pair__video_0__asset__duration_s", "pair__video_0__asset__fps"),
    *("pair__video_1__asset__public_id", "pair__video_1__asset__duration_s", "pair__video_1__asset__fps"),
)


def with_media(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """The assignments with what showing them needs of prompt, videos and assets joined in."""
    return assignments.select_related("pair__prompt", "pair__video_0__asset", "pair__video_1__asset").only(*SHOWN)


TAKE = """
WITH candidate AS (
    SELECT pair.id
      FROM catalog_pair pair
     WHERE pair.study_id = %(study)s AND pair.open_slots > 0 AND pair.ready AND pair.held = ''
       AND NOT EXISTS (SELECT FROM annotation_assignment had
                        WHERE had.pair_id = pair.id AND had.person_id = %(person)s
                          AND had.state NOT IN ('expired', 'released'))
     ORDER BY pair.priority DESC, pair.id
     LIMIT 1
       FOR UPDATE OF pair SKIP LOCKED
), taken AS (
    UPDATE catalog_pair pair SET open_slots = pair.open_slots - 1
      FROM candidate WHERE pair.id = candidate.id
    RETURNING pair.id, (SELECT coalesce(sum(CASE other."left" WHEN 'video_0' THEN 1 ELSE -1 END), 0)
                          FROM annotation_assignment other
                         WHERE other.pair_id = pair.id AND other.state IN ('leased', 'submitted')) AS balance
)
INSERT INTO annotation_assignment AS mine
       (study_id, pair_id, person_id, round, round_reason, "left", dimension_first, state, place,
        leased_at, shown_at, expires_at, skip_reason, protocol_version, guideline_version)
SELECT %(study)s, taken.id, %(person)s, 0, '',
       CASE WHEN taken.balance > 0 THEN 'video_1' WHEN taken.balance < 0 THEN 'video_0' ELSE %(left)s END,
       %(dimension_first)s, 'leased', %(place)s, %(now)s, %(shown_at)s, %(expires_at)s, '',
       %(protocol_version)s, %(guideline_version)s
  FROM taken
    ON CONFLICT (pair_id, person_id, round) DO UPDATE
   SET state = 'leased', place = excluded.place, leased_at = excluded.leased_at, shown_at = excluded.shown_at,
       expires_at = excluded.expires_at, ended_at = NULL,
       protocol_version = excluded.protocol_version, guideline_version = excluded.guideline_version
 WHERE mine.state IN ('expired', 'released')
RETURNING id, "left", xmax = 0 AS is_new
"""


def take(seat: Seat, study: Study, place: str) -> int | None:
    """Leases the first pair in order that the person may have; the assignment's id, or None. What expired is returned
    to the pool first if nothing else is left."""
    row = _take_row(seat, study, place)
    if row is None and return_expired(study_id=study.pk):
        row = _take_row(seat, study, place)
    if row is None:
        return None
    assignment_id, left, is_new = row
    if is_new:
        seat.served += 1
        seat.left_balance += 1 if left == "video_0" else -1
        seat.save(update_fields=["served", "left_balance"])
    return assignment_id


def _take_row(seat: Seat, study: Study, place: str) -> tuple[int, str, bool] | None:
    now = timezone.now()
    shown = place == Assignment.Place.CURRENT
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "study": study.pk,
                "person": seat.person_id,
                "left": _left(seat, study),
                "dimension_first": draws.dimension_first(study, seat.person_id, seat.served),
                "place": place,
                "protocol_version": study.protocol_version,
                "guideline_version": study.guideline_version,
                "now": now,
                "shown_at": now if shown else None,
                "expires_at": now + timedelta(seconds=study.lease_s if shown else study.next_lease_s),
            },
        )
        return cursor.fetchone()


def _left(seat: Seat, study: Study) -> str:
    """The side that evens out the person's own balance; drawn where it is even."""
    if seat.left_balance:
        return "video_1" if seat.left_balance > 0 else "video_0"
    return draws.left(study, seat.person_id, seat.served)


def why_nothing(seat: Seat, study: Study) -> tuple[str, int | None]:
    """The reason that the person has no pair, and after how many seconds asking again makes sense."""
    if study.state == Study.State.PAUSED:
        return PAUSED, 60
    if study.state == Study.State.CLOSED:
        return FINISHED, None
    answered = Assignment.objects.filter(pair=OuterRef("pk"), person_id=seat.person_id).exclude(state__in=RECLAIMABLE)
    possible = Pair.objects.filter(~Exists(answered), study=study, held="")
    expiry = possible.filter(assignments__state="leased").aggregate(first=Min("assignments__expires_at"))["first"]
    if expiry is not None:
        return ALL_LEASED, _seconds_until(expiry)
    if possible.filter(ready=True, open_slots__gt=0).exists():  # locked by somebody at this moment
        return ALL_LEASED, 1
    if possible.filter(ready=False).exists():  # its videos are still being prepared
        return ALL_LEASED, 15
    return FINISHED, None


def _seconds_until(moment: datetime) -> int:
    """Whole seconds from now to `moment`, at least 2 and at most 60: leases also end early."""
    return min(60, max(2, int((moment - timezone.now()).total_seconds()) + 1))


def keep(assignment: Assignment, study: Study) -> None:
    """Extends a lease of which less than half is left."""
    seconds = length_s(assignment, study)
    if assignment.expires_at - timezone.now() < timedelta(seconds=seconds / 2):
        extend(assignment, seconds)


def length_s(assignment: Assignment, study: Study) -> int:
    """How long a lease in the assignment's place lasts: the next pair's is short."""
    return study.lease_s if assignment.place == Assignment.Place.CURRENT else study.next_lease_s


def extend(assignment: Assignment, seconds: int) -> None:
    """Lets a live lease run `seconds` from now."""
    assignment.expires_at = timezone.now() + timedelta(seconds=seconds)
    assignment.save(update_fields=["expires_at"])


def promote(assignment: Assignment, study: Study) -> None:
    """Makes the next pair the current one: it is shown now, and its short lease becomes a full one."""
    assignment.place = Assignment.Place.CURRENT
    assignment.shown_at = timezone.now()
    assignment.expires_at = assignment.shown_at + timedelta(seconds=study.lease_s)
    assignment.save(update_fields=["place", "shown_at", "expires_at"])


@transaction.atomic
def renew(assignment: Assignment, person: User) -> Assignment:
    """Extends a lease, or takes it back if it expired and its pair still has a slot.

    Raises NotYours if it was answered or skipped, or if the slot has gone to somebody else.
    """
    study = assignment.study
    seat = take_seat(person, study)
    assignment = with_media(Assignment.objects.select_for_update(of=("self",))).get(pk=assignment.pk)
    if assignment.state not in (Assignment.State.LEASED, *RECLAIMABLE):
        raise NotYours("already_answered", f"This pair was already {assignment.get_state_display()}.")
    if assignment.state in RECLAIMABLE:
        _take_back(assignment, seat)
    extend(assignment, length_s(assignment, study))
    return assignment


def _take_back(assignment: Assignment, seat: Seat) -> None:
    """An expired or released assignment becomes a lease again, if a place and a slot are free."""
    leases = Assignment.objects.filter(study_id=seat.study_id, person_id=seat.person_id, state="leased")
    occupied = set(leases.values_list("place", flat=True))
    free = [place for place in (Assignment.Place.CURRENT, Assignment.Place.NEXT) if place not in occupied]
    if not free:
        raise NotYours("lease_lost", "The lease has ended, and you already hold two other pairs.")
    if not take_slot(assignment.pair_id):
        raise NotYours("lease_lost", "The lease has ended, and somebody else has this pair now.")
    assignment.state = Assignment.State.LEASED
    assignment.place = free[0]
    assignment.leased_at = timezone.now()
    assignment.expires_at = assignment.leased_at + timedelta(seconds=1)
    assignment.ended_at = None
    assignment.save(update_fields=["state", "place", "leased_at", "expires_at", "ended_at"])


def take_slot(pair_id: int) -> bool:
    """Takes one of the pair's open slots, in one conditional statement. False if none is open."""
    return Pair.objects.filter(pk=pair_id, open_slots__gt=0).update(open_slots=F("open_slots") - 1) == 1


@transaction.atomic
def release(assignment: Assignment, person: User) -> None:
    """Gives the pair back unanswered; the draft stays. Releasing twice is harmless."""
    take_seat(person, assignment.study)
    _end(assignment, Assignment.State.RELEASED)


@transaction.atomic
def skip(assignment: Assignment, person: User, *, reason: str) -> Desk:
    """Gives the pair back for good, with a reason of `protocol.SKIP_REASONS`, and fills the desk again.

    Raises NotYours if it was answered. Skipping twice is harmless.
    """
    if reason not in SKIP_REASONS:
        raise ValueError(f"Unknown skip reason {reason!r}; known: {', '.join(SKIP_REASONS)}.")
    study = assignment.study
    seat = take_seat(person, study)
    if _end(assignment, Assignment.State.SKIPPED, skip_reason=reason):
        audit.record("assignment.skipped", assignment, actor=person, study_slug=study.slug, after={"reason": reason})
    return fill(seat, study)


def _end(assignment: Assignment, state: str, skip_reason: str = "") -> bool:
    """Ends a lease and returns its slot. False if it had ended already without an answer; NotYours if answered."""
    now = timezone.now()
    ended = Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.LEASED).update(
        state=state, ended_at=now, skip_reason=skip_reason
    )
    if ended:
        Pair.objects.filter(pk=assignment.pair_id).update(open_slots=F("open_slots") + 1)
        return True
    if state == Assignment.State.SKIPPED:  # an expired or released lease can still be skipped: its slot is back
        ended = Assignment.objects.filter(pk=assignment.pk, state__in=RECLAIMABLE).update(
            state=state, ended_at=now, skip_reason=skip_reason
        )
    if not ended and Assignment.objects.filter(pk=assignment.pk, state=Assignment.State.SUBMITTED).exists():
        raise NotYours("already_answered", "This pair was already submitted.")
    return bool(ended)


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
    UPDATE annotation_assignment assignment SET state = 'expired', ended_at = %(now)s
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
