"""Who reviews which answer: lease, renew, answer blind, skip, give back and undo.

Each function is one transaction that first locks the reviewer's seat, so that one person's requests run one after
another. Different reviewers meet only at an item, where `SKIP LOCKED` lets them pass and a unique constraint decides.
Lock seat, lot, reviews, assignments, pair in this order.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import draws, exposure
from annotation.answers import Answers
from annotation.models import Seat
from annotation.seats import locked_seat
from catalog.models import Pair
from diptych.database.fixed import change, fetch_all, fetch_one
from diptych.refusals import Refused
from qc import due, review_exposure, second_blind
from qc.due import Leasable
from qc.models import Lot, Review, ReviewAnswer
from qc.models.reviews import Kind, OwnAnswer
from qc.sittings import reviews_of, sitting_of
from studies.models import Study

State = Review.State
#: Kinds of review in which the reviewer always answers first.
ALWAYS_BLIND = (Kind.SPOT, Kind.SECOND_BLIND)
#: Why there is nothing to review: nothing waits for this person, they reached their daily limit, they did not agree to
#: see what is left, they have not agreed to the study's terms, or another reviewer was faster just now.
NOTHING, CAP, EXCLUDED, CONSENT, BUSY = REASONS = ("nothing_due", "cap", "excluded", "consent", "busy")
#: How often a lease is tried again if another reviewer took the same answer at the same moment.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Sitting:
    """The answers of one pair that a person reviews together, or the reason why there are none.

    `ahead` is the pair after it, if one was reserved so that its videos can be loaded in advance.
    """

    seat: Seat
    reviews: list[Review] = field(default_factory=list)
    ahead: list[Review] = field(default_factory=list)
    reason: str | None = None
    retry_after_s: int | None = None


#: End the lot's leases whose time is over, and read what the person has leased there, the oldest first, with whether
#: anything in the lot is assigned to them. There is always one row; without a lease it is empty.
LIVE = """
WITH expired AS (
    UPDATE qc_review SET state = 'expired', ended_at = %(now)s
     WHERE id IN (SELECT id FROM qc_review WHERE lot_id = %(lot)s AND state = 'leased' AND expires_at < %(now)s
                     FOR NO KEY UPDATE SKIP LOCKED))
SELECT mine.sitting, mine.pair_id, mine.is_shown,
       EXISTS (SELECT FROM qc_assignedreview assigned WHERE assigned.reviewer_id = %(person)s
                  AND assigned.lot_id = %(lot)s AND assigned.kind = %(kind)s AND assigned.until > %(now)s)
  FROM (VALUES (1)) one
  LEFT JOIN (SELECT sitting, pair_id, bool_and(shown_at IS NOT NULL) AS is_shown, min(id) AS id FROM qc_review
              WHERE lot_id = %(lot)s AND reviewer_id = %(person)s AND kind = %(kind)s AND state = 'leased'
                AND expires_at >= %(now)s
              GROUP BY sitting, pair_id) mine ON true
 ORDER BY mine.id
"""


@dataclass(frozen=True, slots=True)
class _Lease:
    """One request for a review: whose, of what, and what they have leased already."""

    seat: Seat
    person: User
    lot: Lot
    kind: str
    now: datetime
    has_assigned: bool

    @property
    def limits(self) -> dict[str, Any]:
        capped = 0 < self.lot.study.daily_dose_s <= self.seat.dose_s
        return {"person": self.seat.person_id, "excluded": self.seat.excluded, "capped": capped}

    @property
    def expires_at(self) -> datetime:
        return _ends(self.lot.study, self.now)


@transaction.atomic
def lease(person: User, lot: Lot, kind: str, *, ahead: bool = False) -> Sitting:
    """Lease the next pair of the lot for a review of this kind. Repeating it returns the same pair while it is live.

    1. Return the pair that is on the person's page, if its lease is live.
    2. Otherwise end the reservation of the pair that was loaded in advance, and lease that pair like any other: in the
       meantime it may have become too much for the person's daily limit, or somebody may have held it.
    3. Lease another pair if the person cannot have that one.

    Args:
        ahead: also reserve the pair after it, so that its videos can be loaded in advance.
    """
    now = timezone.now()
    seat = locked_seat(person, lot.study)
    seat.person = person
    live = fetch_all(LIVE, {"lot": lot.pk, "person": person.pk, "kind": kind, "now": now})
    asked = _Lease(seat, person, lot, kind, now, has_assigned=live[0][3])
    on_page = [row[0] for row in live if row[2]][:1]
    reserved = [row[:2] for row in live if row[2] is False]
    if on_page:
        _extend(asked, on_page)
        sittings = on_page
    else:
        sittings = _next(asked, reserved[0] if reserved else None)
        reserved = reserved[1:]
    if isinstance(sittings, Sitting):
        return sittings
    if ahead and reserved:
        _extend(asked, [reserved[0][0]])
        sittings = [*sittings, reserved[0][0]]
    elif ahead:
        sittings = [*sittings, *(_taken(asked, is_shown=False) or [])]
    reviews = reviews_of(sittings, lot.study, person)
    first = [one for one in reviews if one.sitting == sittings[0]]
    return Sitting(seat, first, [one for one in reviews if one not in first])


def _extend(asked: _Lease, sittings: list[UUID]) -> None:
    change(
        "UPDATE qc_review SET expires_at = %(until)s WHERE sitting = ANY(%(sittings)s) AND state = 'leased'",
        {"until": asked.expires_at, "sittings": sittings},
    )


def _next(asked: _Lease, reserved: tuple[UUID, int] | None) -> list[UUID] | Sitting:
    """Lease the reserved pair or another one for the person's page, or return why there is none."""
    seat = asked.seat
    if reserved:
        change(
            "UPDATE qc_review SET state = 'returned', ended_at = %(now)s WHERE sitting = %(sitting)s AND state = 'leased'",
            {"now": asked.now, "sitting": reserved[0]},
        )
    if seat.consented_version < asked.lot.study.consent_version:
        return Sitting(seat, reason=CONSENT)
    sittings = (reserved and _taken(asked, just=reserved[1])) or _taken(asked)
    if sittings is None:
        return Sitting(seat, reason=BUSY, retry_after_s=1)
    return sittings or _nothing(asked)


def _taken(asked: _Lease, *, just: int | None = None, is_shown: bool = True) -> list[UUID] | None:
    """Lease the next pair, or `just` this one, and return its sitting.

    Return no sitting if nothing waits, and None if others were faster each time.
    """
    limits = asked.limits
    for _try in range(TRIES):
        items = due.next_pair(asked.lot, asked.kind, limits, just=just, has_assigned=asked.has_assigned)
        if not items:
            return []
        try:
            with transaction.atomic():
                return [_written(asked, items, is_shown=is_shown)]
        except IntegrityError:
            continue  # another reviewer was faster, and this statement had begun before
    return None


def _nothing(asked: _Lease) -> Sitting:
    seat, lot, limits = asked.seat, asked.lot, asked.limits
    if lot.state != Lot.State.IN_REVIEW and asked.kind not in due.AFTER_DECISION:
        raise not_in_review()
    is_left, showable = due.left_for(lot, asked.kind, limits)
    if not is_left:
        return Sitting(seat, reason=NOTHING)
    if showable:
        return Sitting(seat, reason=BUSY, retry_after_s=1)
    if limits["capped"] and due.left_for(lot, asked.kind, limits | {"capped": False})[1]:
        return Sitting(seat, reason=CAP, retry_after_s=exposure.seconds_to_tomorrow(asked.person, asked.now))
    return Sitting(seat, reason=EXCLUDED)


def not_in_review() -> Refused:
    return Refused(_("This lot is not in review, so its answers cannot be reviewed now."), "lot_not_in_review")


def _ends(study: Study, now: datetime) -> datetime:
    return now + timedelta(seconds=study.lease_s)


#: Lease items to a person. A row of theirs that ended is leased again, unless it showed them the answer in another
#: role.
LEASED = """
INSERT INTO qc_review AS review (study_id, lot_id, item_id, pair_id, reviewer_id, kind, blind, sitting, "left", state,
                                 leased_at, expires_at, shown_at, revealed_at, skip_reason, look_reasons)
SELECT %(study)s::bigint, %(lot)s::bigint, leased.item, %(pair)s::bigint, %(person)s::bigint, %(kind)s, %(blind)s,
       %(sitting)s::uuid, %(left)s, 'leased', %(now)s::timestamptz, %(expires_at)s::timestamptz,
       %(shown_at)s::timestamptz, %(revealed_at)s::timestamptz, '', string_to_array(leased.reasons, ',')
  FROM unnest(%(items)s::bigint[], %(reasons)s::text[]) AS leased (item, reasons)
    ON CONFLICT (item_id, reviewer_id) DO UPDATE
   SET kind = excluded.kind, blind = excluded.blind, sitting = excluded.sitting, state = 'leased', ended_at = NULL,
       lease_number = review.lease_number + 1, leased_at = excluded.leased_at, expires_at = excluded.expires_at,
       shown_at = excluded.shown_at, look_reasons = excluded.look_reasons,
       revealed_at = coalesce(review.revealed_at, excluded.revealed_at)
 WHERE review.state IN ('expired', 'returned')
   AND (review.revealed_at IS NULL OR review.kind = excluded.kind)
"""


def _written(asked: _Lease, items: list[Leasable], *, is_shown: bool) -> UUID:
    """Lease the items of a pair, and return the sitting. Raise IntegrityError if one of them was taken just now.

    A pair that is not shown yet reveals nothing.
    """
    first, kind, sitting = items[0], asked.kind, uuid.uuid4()
    is_blind = kind in ALWAYS_BLIND or (kind == Kind.SECONDARY and first.blind)
    values = {
        "study": asked.lot.study_id,
        "lot": asked.lot.pk,
        "pair": first.pair,
        "person": asked.person.pk,
        "kind": kind,
        "blind": is_blind,
        "sitting": sitting,
        "left": draws.left(asked.lot.study, asked.person.pk, first.pair),
        "now": asked.now,
        "expires_at": asked.expires_at,
        "shown_at": asked.now if is_shown else None,
        "revealed_at": asked.now if is_shown and (first.answered or not is_blind) else None,
        "items": [one.item for one in items],
        "reasons": [",".join(one.reasons) for one in items],
    }
    if not change(LEASED, values):
        raise IntegrityError("The person got another role for the answer just now.")
    if is_shown and first.sensitive:
        shown = Review(study_id=asked.lot.study_id, sitting=sitting)
        asked.seat.dose_s += review_exposure.expect(shown, _pair(first.pair), asked.person, asked.now)
    return sitting


def _pair(pair_id: int) -> Pair:
    return Pair.objects.select_related("video_0__asset", "video_1__asset").get(pk=pair_id)


def locked_sitting(review: Review, person: User) -> tuple[Seat, list[Review]]:
    """Lock the reviewer's seat, the lot against a decision, and the sitting. Return the seat and the reviews."""
    seat = locked_seat(person, review.study)
    fetch_one("SELECT id FROM qc_lot WHERE id = %(lot)s FOR SHARE", {"lot": review.lot_id})
    list(Review.objects.select_for_update().filter(sitting=review.sitting).order_by("pk").values_list("pk"))
    return seat, sitting_of(review, person)


def hold(reviews: list[Review], study: Study, now: datetime) -> None:
    """Make an ended lease of a locked sitting live again, if nobody else has taken one of its answers.

    Raise Refused if somebody has, or if the sitting was submitted or skipped.
    """
    if any(one.state in (State.SUBMITTED, State.SKIPPED) for one in reviews):
        raise Refused(_("You have already submitted or skipped this review."), "already_submitted")
    try:
        with transaction.atomic():
            rows = Review.objects.filter(pk__in=[one.pk for one in reviews])
            rows.update(state=State.LEASED, ended_at=None, expires_at=_ends(study, now))
    except IntegrityError:
        raise Refused(
            _("Your time on this review ran out, and somebody else has taken it. Go on with the next one."),
            "lease_lost",
        ) from None


@transaction.atomic
def renew(review: Review, person: User) -> Sitting:
    """Extend the lease, or lease the same answers again if nobody else has them. Raise Refused otherwise."""
    seat, reviews = locked_sitting(review, person)
    hold(reviews, review.study, timezone.now())
    return Sitting(seat, sitting_of(review, person))


@transaction.atomic
def answer(
    review: Review,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    care: Mapping[str, Any] | None = None,
) -> Sitting:
    """Store the reviewer's own answer on the pair, and reveal the answers to them. It is stored once and stays.

    The answer of a second blind reviewer ends the sitting, and nothing is revealed to them.

    The same submission id with the same answers returns the same sitting. Raise Refused for other answers, or if the
    lease is lost.
    """
    seat, reviews = locked_sitting(review, person)
    is_second = review.kind == Kind.SECOND_BLIND
    review_exposure.report(reviews[0], person, care, ends=is_second)
    stored = ReviewAnswer.objects.filter(lot=review.lot_id, pair=review.pair_id, reviewer=person).first()
    if stored is not None:
        if stored.submission_id != submission_id or own_answers(stored) != answers:
            raise Refused(_("You have already answered this pair. Your first answer stays."), "already_answered")
        return Sitting(seat, reviews)
    now = timezone.now()
    hold(reviews, review.study, now)
    own = ReviewAnswer.objects.create(
        study=review.study,
        lot=review.lot,
        pair=review.pair,
        reviewer=person,
        submission_id=submission_id,
        submitted_at=now,
        active_ms=min(timings_ms.get("total_active", 0), 24 * 3600 * 1000),
        timings_ms=dict(timings_ms),
        viewing=dict(viewing),
        guideline_version=review.study.guideline_version,
        **answers.columns(),
    )
    if is_second:
        second_blind.finish(reviews, own)
        _end(reviews, State.SUBMITTED)
        after = {"kind": review.kind, "lot": review.lot.number}
        audit.record("review.submitted", review, actor=person, study_slug=review.study.slug, after=after)
    else:
        Review.objects.filter(sitting=review.sitting, revealed_at=None).update(revealed_at=now)
    return Sitting(seat, sitting_of(review, person))


def own_answers(stored: OwnAnswer) -> Answers:
    """Return a reviewer's stored answer as values."""
    names = Answers.__dataclass_fields__
    values = {name: getattr(stored, name) for name in names}
    return Answers(**values | {name: tuple(sorted(values[name])) for name in ("tags_video_0", "tags_video_1")})


def own_answer(review: Review) -> ReviewAnswer | None:
    """Return the reviewer's own answer on the pair, or None if they have not answered it."""
    return ReviewAnswer.objects.filter(lot=review.lot_id, pair=review.pair_id, reviewer=review.reviewer_id).first()


@transaction.atomic
def skip(review: Review, person: User, *, reason: str, care: Mapping[str, Any] | None = None) -> None:
    """Decline the sitting with a reason. Somebody else gets it. Repeating it is harmless."""
    _seat, reviews = locked_sitting(review, person)
    review_exposure.report(reviews[0], person, care, ends=True, too_distressing=reason == "too_distressing")
    if any(one.state == State.SUBMITTED for one in reviews):
        raise Refused(_("You have already submitted this review."), "already_submitted")
    if all(one.state == State.SKIPPED for one in reviews):
        return
    _end(reviews, State.SKIPPED, skip_reason=reason)
    # Not why: what distresses somebody is theirs, and the audit record is read by others.
    audit.record("review.skipped", review, actor=person, study_slug=review.study.slug)


@transaction.atomic
def give_back(review: Review, person: User) -> None:
    """Return the sitting without verdicts, for somebody else or for later. A blind answer is kept."""
    _seat, reviews = locked_sitting(review, person)
    review_exposure.report(reviews[0], person, None, ends=True)
    if all(one.state == State.LEASED for one in reviews):
        _end(reviews, State.RETURNED)


@transaction.atomic
def record_exposure(review: Review, person: User, care: Mapping[str, Any]) -> None:
    """Record what the page showed so far. Repeating it is harmless."""
    _seat, reviews = locked_sitting(review, person)
    review_exposure.report(reviews[0], person, care, ends=False)


def _end(reviews: list[Review], state: str, **values: Any) -> None:
    rows = Review.objects.filter(pk__in=[one.pk for one in reviews])
    rows.update(state=state, ended_at=timezone.now(), **values)
