"""Who reviews which answer: lease, renew, answer blind, skip, give back and undo.

Each function is one transaction that first locks the reviewer's seat, so that one person's requests run one after
another. Different reviewers meet only at an item, where `SKIP LOCKED` lets them pass and a unique constraint decides.
Lock seat, lot, reviews, assignments, pair in this order.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import exposure
from annotation.answers import Answers
from annotation.models import Seat
from annotation.seats import locked_seat
from catalog.models import Pair
from diptych.database.fixed import fetch_all, fetch_one
from diptych.refusals import Refused
from qc import due, looking, review_exposure, second_blind
from qc.models import Lot, Review, ReviewAnswer
from qc.models.reviews import Kind, OwnAnswer
from qc.sittings import reviews_of, sitting_of
from studies.models import Study

State = Review.State
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
class _Request:
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


def lease(person: User, lot: Lot, kind: str, *, ahead: bool = False) -> Sitting:
    """Lease the next pair of the lot for a review of this kind. Repeating it returns the same pair while it is live.

    1. Return the pair that is on the person's page, if its lease is live.
    2. Otherwise end the reservation of the pair that was loaded in advance, and lease that pair like any other: in the
       meantime it may have become too much for the person's daily limit, or somebody may have held it.
    3. Lease another pair if the person cannot have that one.

    If another reviewer takes the same answer at the same moment, everything is tried again.

    Args:
        ahead: also reserve the pair after it, so that its videos can be loaded in advance.
    """
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                return _lease(person, lot, kind, ahead=ahead)
        except IntegrityError:
            continue
    with transaction.atomic():
        return Sitting(locked_seat(person, lot.study), reason=BUSY, retry_after_s=1)


def _lease(person: User, lot: Lot, kind: str, *, ahead: bool) -> Sitting:
    now = timezone.now()
    seat = locked_seat(person, lot.study)
    seat.person = person
    live = fetch_all(LIVE, {"lot": lot.pk, "person": person.pk, "kind": kind, "now": now})
    asked = _Request(seat, person, lot, kind, now, has_assigned=live[0][3])
    on_page = next((sitting for sitting, _pair, is_shown, _any in live if is_shown), None)
    reserved = [(sitting, pair) for sitting, pair, is_shown, _any in live if is_shown is False]
    if on_page:
        _extend(asked, on_page)
    elif seat.consented_version < lot.study.consent_version:
        _return(asked, reserved[:1])
        return Sitting(seat, reason=CONSENT)
    else:
        on_page = _next(asked, reserved[:1])
        reserved = reserved[1:]
    if on_page is None:
        return _nothing(asked)
    following = None
    if ahead and reserved:
        following = reserved[0][0]
        _extend(asked, following)
    elif ahead:
        following = _taken(asked, is_shown=False)
    reviews = reviews_of([one for one in (on_page, following) if one], lot.study, person)
    first = [one for one in reviews if one.sitting == on_page]
    return Sitting(seat, first, [one for one in reviews if one.sitting == following])


def _extend(asked: _Request, sitting: UUID) -> None:
    Review.objects.filter(sitting=sitting, state=State.LEASED).update(expires_at=asked.expires_at)


def _return(asked: _Request, reserved: Sequence[tuple[UUID, int]]) -> None:
    for sitting, _pair in reserved:
        Review.objects.filter(sitting=sitting, state=State.LEASED).update(state=State.RETURNED, ended_at=asked.now)


def _next(asked: _Request, reserved: Sequence[tuple[UUID, int]]) -> UUID | None:
    """Lease the reserved pair or another one for the person's page. Return None if there is none."""
    _return(asked, reserved)
    for _sitting, pair in reserved:
        if sitting := _taken(asked, just=pair):
            return sitting
    return _taken(asked)


def _taken(asked: _Request, *, just: int | None = None, is_shown: bool = True) -> UUID | None:
    """Lease the next pair, or `just` this one, and return its sitting. Return None if nothing waits.

    Raise IntegrityError if one of its answers was taken just now. A pair that is not shown yet reveals nothing.
    """
    sitting = uuid.uuid4()
    values = {
        "study": asked.lot.study_id,
        "lot": asked.lot.pk,
        "kind": asked.kind,
        "sitting": sitting,
        "now": asked.now,
        "expires_at": asked.expires_at,
        "shown_at": asked.now if is_shown else None,
        **asked.limits,
    }
    if just is not None:
        row = fetch_one(LEASE_JUST[asked.kind], values | {"pair": just})
    else:
        assigned = fetch_one(LEASE_ASSIGNED[asked.kind], values) if asked.has_assigned else None
        row = assigned or fetch_one(LEASE[asked.kind], values)
    if row is None:
        return None
    pair_id, sensitive, leased = row
    if not leased:
        raise IntegrityError("The person got another role for the answer just now.")
    if is_shown and sensitive:
        pair = Pair.objects.select_related("video_0__asset", "video_1__asset").get(pk=pair_id)
        shown = Review(study_id=asked.lot.study_id, sitting=sitting)
        asked.seat.dose_s += review_exposure.expect(shown, pair, asked.person, asked.now)
    return sitting


def _nothing(asked: _Request) -> Sitting:
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


def _lease_statement(items: str) -> str:
    """Return the statement that leases `items`. It returns the pair, whether it may show harm, and how many it leased.

    A row of the person that ended is leased again, unless it showed them the answer in another role.
    """
    return f"""
WITH {items}, leased AS (
    INSERT INTO qc_review AS review (study_id, lot_id, item_id, pair_id, reviewer_id, kind, blind, sitting, "left",
                                     state, leased_at, expires_at, shown_at, revealed_at, skip_reason, look_reasons)
    SELECT %(study)s, %(lot)s, id, pair_id, %(person)s, %(kind)s, blind, %(sitting)s, "left",
           'leased', %(now)s, %(expires_at)s, %(shown_at)s::timestamptz,
           CASE WHEN answered OR NOT blind THEN %(shown_at)s::timestamptz END, '', reasons
      FROM items WHERE {looking.FOUND} OR NOT EXISTS (SELECT FROM items WHERE {looking.FOUND})
        ON CONFLICT (item_id, reviewer_id) DO UPDATE
       SET kind = excluded.kind, blind = excluded.blind, sitting = excluded.sitting, state = 'leased', ended_at = NULL,
           lease_number = review.lease_number + 1, leased_at = excluded.leased_at, expires_at = excluded.expires_at,
           shown_at = excluded.shown_at, look_reasons = excluded.look_reasons,
           revealed_at = coalesce(review.revealed_at, excluded.revealed_at)
     WHERE review.state IN ('expired', 'returned')
       AND (review.revealed_at IS NULL OR review.kind = excluded.kind)
    RETURNING id
)
SELECT pair_id, sensitive, (SELECT count(*) FROM leased) FROM items LIMIT 1
"""  # noqa: S608 - of constants


LEASE, LEASE_ASSIGNED, LEASE_JUST = (
    {kind: _lease_statement(items) for kind, items in found.items()}
    for found in (due.NEXT, due.NEXT_ASSIGNED, due.JUST_THIS_PAIR)
)


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
