"""Who reviews which answer: lease, renew, answer blind, skip, give back and undo.

Each function is one transaction that first locks the reviewer's seat, so that one person's requests run one after
another. Different reviewers meet only at an item, where `SKIP LOCKED` lets them pass and a unique constraint decides.
Lock seat, lot, reviews, assignments, pair in this order.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import draws, exposure
from annotation.answers import Answers
from annotation.models import Seat
from annotation.seats import locked_seat
from catalog.models import Pair
from diptych.database.fixed import change, fetch_one
from diptych.refusals import Refused
from qc import due, looking, review_exposure, second_blind
from qc.models import Lot, Review, ReviewAnswer
from qc.models.reviews import Kind, OwnAnswer
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
    study, now = lot.study, timezone.now()
    seat = locked_seat(person, study)
    seat.person = person
    expire(lot, now)
    on_page = _extended(_leased(seat, lot, kind).filter(shown_at__isnull=False), study, now)
    sitting = Sitting(seat, on_page) if on_page else _next(seat, lot, kind, now)
    if not ahead or not sitting.reviews:
        return sitting
    reserved = _extended(_leased(seat, lot, kind).filter(shown_at=None), study, now)
    return replace(sitting, ahead=reserved or _taken(seat, lot, kind, now, is_shown=False) or [])


def _leased(seat: Seat, lot: Lot, kind: str) -> QuerySet[Review]:
    own = Review.objects.filter(lot=lot, reviewer=seat.person_id, kind=kind, state=State.LEASED)
    return own.order_by("pk")


def _extended(leased: QuerySet[Review], study: Study, now: datetime) -> list[Review]:
    """Extend the first of these leases with its whole sitting, and return it. Return no review if there is none."""
    reviews = sitting_of(leased.first())
    if reviews:
        Review.objects.filter(pk__in=[one.pk for one in reviews]).update(expires_at=_ends(study, now))
    return sitting_of(reviews[0]) if reviews else []


def _next(seat: Seat, lot: Lot, kind: str, now: datetime) -> Sitting:
    """Lease the reserved pair or another one for the person's page, or return why there is none."""
    reserved = _leased(seat, lot, kind).values_list("pair_id", flat=True).first()
    if reserved:
        _leased(seat, lot, kind).update(state=State.RETURNED, ended_at=now)
    if seat.consented_version < lot.study.consent_version:
        return Sitting(seat, reason=CONSENT)
    reviews = (reserved and _taken(seat, lot, kind, now, just=reserved)) or _taken(seat, lot, kind, now)
    if reviews is None:
        return Sitting(seat, reason=BUSY, retry_after_s=1)
    if not reviews:
        return _nothing(seat, lot, kind, _limits(seat, lot.study), now)
    seat.dose_s += review_exposure.expect(reviews[0], _pair(reviews[0].pair_id), seat.person, now)
    return Sitting(seat, reviews)


def _taken(
    seat: Seat, lot: Lot, kind: str, now: datetime, *, just: int | None = None, is_shown: bool = True
) -> list[Review] | None:
    """Lease the next pair, or `just` this one. Return no review if nothing waits, and None if others were faster."""
    limits = _limits(seat, lot.study)
    for _try in range(TRIES):
        found = due.next_pair(lot, kind, limits, just)
        if found is None:
            return []
        try:
            with transaction.atomic():
                reviews = _written(seat.person, lot, kind, found[0], limits, now, is_shown=is_shown)
        except IntegrityError:
            continue  # another reviewer was faster, and this statement had begun before
        if reviews:
            return reviews
    return None


def _limits(seat: Seat, study: Study) -> dict[str, Any]:
    capped = 0 < study.daily_dose_s <= seat.dose_s
    return {"person": seat.person_id, "excluded": seat.excluded, "capped": capped}


def _nothing(seat: Seat, lot: Lot, kind: str, limits: dict[str, Any], now: datetime) -> Sitting:
    if lot.state != Lot.State.IN_REVIEW and kind not in due.AFTER_DECISION:
        raise not_in_review()
    left, showable = due.left_for(lot, kind, limits)
    if not left:
        return Sitting(seat, reason=NOTHING)
    if showable:
        return Sitting(seat, reason=BUSY, retry_after_s=1)
    if limits["capped"] and due.left_for(lot, kind, limits | {"capped": False})[1]:
        return Sitting(seat, reason=CAP, retry_after_s=exposure.seconds_to_tomorrow(seat.person, now))
    return Sitting(seat, reason=EXCLUDED)


def not_in_review() -> Refused:
    return Refused(_("This lot is not in review, so its answers cannot be reviewed now."), "lot_not_in_review")


def _pair(pair_id: int) -> Pair:
    return Pair.objects.select_related("video_0__asset", "video_1__asset").get(pk=pair_id)


def _ends(study: Study, now: datetime) -> datetime:
    return now + timedelta(seconds=study.lease_s)


#: Lease an item to a person. A row of theirs that ended is leased again, unless it showed them the answer in another
#: role.
LEASED = """
INSERT INTO qc_review AS review (study_id, lot_id, item_id, pair_id, reviewer_id, kind, blind, sitting, "left", state,
                                 leased_at, expires_at, shown_at, revealed_at, skip_reason, look_reasons)
VALUES (%(study)s, %(lot)s, %(item)s, %(pair)s, %(person)s, %(kind)s, %(blind)s, %(sitting)s, %(left)s, 'leased',
        %(now)s, %(expires_at)s, %(shown_at)s, %(revealed_at)s, '', %(look_reasons)s)
    ON CONFLICT (item_id, reviewer_id) DO UPDATE
   SET kind = excluded.kind, blind = excluded.blind, sitting = excluded.sitting, state = 'leased', ended_at = NULL,
       lease_number = review.lease_number + 1, leased_at = excluded.leased_at, expires_at = excluded.expires_at,
       shown_at = excluded.shown_at, look_reasons = excluded.look_reasons,
       revealed_at = coalesce(review.revealed_at, excluded.revealed_at)
 WHERE review.state IN ('expired', 'returned')
   AND (review.revealed_at IS NULL OR review.kind = excluded.kind)
"""


def _written(
    person: User, lot: Lot, kind: str, pair_id: int, limits: dict[str, Any], now: datetime, *, is_shown: bool
) -> list[Review]:
    """Lease the items of the pair that wait for this kind of review. Raise IntegrityError if one was taken now.

    A pair that is not shown yet reveals nothing.
    """
    study, items = lot.study, due.items_of_pair(lot, kind, pair_id, limits)
    if kind == Kind.LOOK:
        items = looking.chosen(items)
    if not items:
        return []
    answered = ReviewAnswer.objects.filter(lot=lot, pair=pair_id, reviewer=person).exists()
    sitting = uuid.uuid4()
    is_blind = kind in ALWAYS_BLIND or (kind == Kind.SECONDARY and items[0][1])
    values = {
        "study": study.pk,
        "lot": lot.pk,
        "pair": pair_id,
        "person": person.pk,
        "kind": kind,
        "blind": is_blind,
        "sitting": sitting,
        "left": draws.left(study, person.pk, pair_id),
        "now": now,
        "expires_at": _ends(study, now),
        "shown_at": now if is_shown else None,
        "revealed_at": now if is_shown and (answered or not is_blind) else None,
    }
    for item_id, _blind, reasons in items:
        change(LEASED, values | {"item": item_id, "look_reasons": reasons})
    return sitting_of(Review.objects.filter(sitting=sitting).first())


def sitting_of(review: Review | None) -> list[Review]:
    """Return all reviews of a sitting, with what the page and the verdicts need."""
    if review is None:
        return []
    related = ("study", "lot", "pair", "reviewer", "item__assignment__standing__current", "item__first", "item__judged")
    return list(Review.objects.filter(sitting=review.sitting).select_related(*related).order_by("item__place"))


EXPIRED = """
UPDATE qc_review SET state = 'expired', ended_at = %(now)s
 WHERE id IN (SELECT id FROM qc_review WHERE lot_id = %(lot)s AND state = 'leased' AND expires_at < %(now)s
                 FOR NO KEY UPDATE SKIP LOCKED)
"""


def expire(lot: Lot, now: datetime) -> int:
    """End the lot's leases whose time is over. Return how many."""
    return change(EXPIRED, {"lot": lot.pk, "now": now})


def locked_sitting(review: Review, person: User) -> tuple[Seat, list[Review]]:
    """Lock the reviewer's seat, the lot against a decision, and the sitting. Return the seat and the reviews."""
    seat = locked_seat(person, review.study)
    fetch_one("SELECT id FROM qc_lot WHERE id = %(lot)s FOR SHARE", {"lot": review.lot_id})
    list(Review.objects.select_for_update().filter(sitting=review.sitting).order_by("pk").values_list("pk"))
    return seat, sitting_of(review)


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
    return Sitting(seat, sitting_of(review))


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
    return Sitting(seat, sitting_of(review))


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
