"""A person judges the pairs of an open calibration session: get the next pair, answer it once, or skip it.

People are protected as in a review: they see only what they agreed to, within their daily limit, with their own filter.
Each function locks the person's seat first, so that one person's requests run one after another, and then the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import draws, exposure, unleased
from annotation.answers import Answers
from annotation.models import Seat
from annotation.responses import assignment_json
from annotation.seats import locked_seat
from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from catalog.models import Pair
from diptych.database.fixed import fetch_one
from diptych.refusals import Refused
from qc import review_exposure
from qc.reviewing import CAP, CONSENT, EXCLUDED, NOTHING, own_answers

State = CalibrationSession.State


@dataclass(frozen=True, slots=True)
class Turn:
    """A person's current sitting, or the reason why there is none. left: pairs that they have not judged."""

    seat: Seat
    sitting: CalibrationSitting | None = None
    reason: str | None = None
    retry_after_s: int | None = None
    left: int = 0


@transaction.atomic
def next_turn(person: User, session: CalibrationSession) -> Turn:
    """Return the person's next pair of an open session. Repeating it returns the same pair until they answer it.

    Raise Refused if the session is not open.
    """
    seat = locked_seat(person, session.study)
    _refuse_unless_open(session)
    if seat.consented_version < session.study.consent_version:
        return Turn(seat, reason=CONSENT)
    items = _left(session, person)
    now = timezone.now()
    capped = 0 < session.study.daily_dose_s <= seat.dose_s
    agreed = [item for item in items if not set(item.pair.may_show) & set(seat.excluded)]
    allowed = [item for item in agreed if not (capped and item.pair.lane == Pair.Lane.SENSITIVE)]
    if not items:
        return Turn(seat, reason=NOTHING)
    if not allowed and agreed:
        return Turn(seat, reason=CAP, retry_after_s=exposure.seconds_to_tomorrow(person, now), left=len(items))
    if not allowed:
        return Turn(seat, reason=EXCLUDED, left=len(items))
    item = allowed[0]
    sitting, is_new = CalibrationSitting.objects.get_or_create(
        item=item,
        person=person,
        defaults={"study": session.study, "left": draws.left(session.study, person.pk, item.pair_id)},
    )
    if is_new:
        seat.dose_s += review_exposure.expect(sitting, item.pair, person, now)
    return Turn(seat, sitting, left=len(items))


def _left(session: CalibrationSession, person: User) -> list[CalibrationItem]:
    """Return the items that the person has neither answered nor skipped, and that can be shown, in their own order."""
    done = CalibrationSitting.objects.filter(item__session=session, person=person, ended_at__isnull=False)
    items = CalibrationItem.objects.filter(session=session).exclude(pk__in=done.values("item"))
    pairs = unleased.playable(session.study).in_bulk([item.pair_id for item in items])
    shown = [item for item in items if item.pair_id in pairs]
    for item in shown:
        item.pair = pairs[item.pair_id]
    return sorted(shown, key=lambda item: sha256(f"{session.pk}/{person.pk}/{item.pair_id}".encode()).digest())


def has_judged(person: User, session: CalibrationSession) -> bool:
    """Return whether the person has answered or skipped every pair of the session that can be shown."""
    return bool(CalibrationSitting.objects.filter(item__session=session, person=person).exists()) and not _left(
        session, person
    )


def sees_results(person: User, session: CalibrationSession) -> bool:
    """Return whether the person sees what others answered: the session is closed, or they have judged all of it."""
    return session.state == State.CLOSED or (session.state == State.OPEN and has_judged(person, session))


def require_results(person: User, session: CalibrationSession) -> None:
    """Raise Refused while the person may not see the results."""
    if not sees_results(person, session):
        raise Refused(_("You see the results after you have judged all pairs of the session."), "judge_first")


def _refuse_unless_open(session: CalibrationSession) -> None:
    """Lock the session against being closed meanwhile."""
    row = fetch_one("SELECT state FROM calibration_calibrationsession WHERE id = %(id)s FOR SHARE", {"id": session.pk})
    if row is None or row[0] != State.OPEN:
        raise Refused(_("This calibration session is not open, so its pairs cannot be judged now."), "not_open")


def locked(sitting: CalibrationSitting, person: User) -> tuple[Seat, CalibrationSitting]:
    """Lock the person's seat and the sitting, in this order, and return both as they are now."""
    seat = locked_seat(person, sitting.study)
    rows = CalibrationSitting.objects.select_for_update(of=("self",), no_key=True)
    return seat, rows.select_related("study", "item__session__study", "item__pair").get(pk=sitting.pk)


@transaction.atomic
def answer(
    sitting: CalibrationSitting,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    care: Mapping[str, Any] | None = None,
) -> None:
    """Store the person's answer on the pair. It is stored once and stays. The same submission again changes nothing.

    Raise Refused for other answers, after a skip, or if the session is not open.
    """
    _seat, found = locked(sitting, person)
    review_exposure.report(found, person, care, ends=True)
    stored = CalibrationAnswer.objects.filter(sitting=found).first()
    if stored is not None:
        if stored.submission_id != submission_id or own_answers(stored) != answers:
            raise Refused(_("You have already answered this pair. Your first answer stays."), "already_answered")
        return
    if found.ended_at is not None:
        raise Refused(_("You have already skipped this pair."), "already_submitted")
    _refuse_unless_open(found.item.session)
    CalibrationAnswer.objects.create(
        sitting=found,
        submission_id=submission_id,
        active_ms=min(timings_ms.get("total_active", 0), 24 * 3600 * 1000),
        timings_ms=dict(timings_ms),
        viewing=dict(viewing),
        guideline_version=found.study.guideline_version,
        **answers.columns(),
    )
    _end(found)
    after = {"session": found.item.session.number, "place": found.item.place}
    audit.record("calibration.answered", found, actor=person, study_slug=found.study.slug, after=after)


@transaction.atomic
def skip(sitting: CalibrationSitting, person: User, *, reason: str, care: Mapping[str, Any] | None = None) -> None:
    """Decline the pair with a reason. Repeating it is harmless. Raise Refused if it was answered."""
    _seat, found = locked(sitting, person)
    review_exposure.report(found, person, care, ends=True)
    if found.skip_reason:
        return
    if found.ended_at is not None:
        raise Refused(_("You have already answered this pair. Your first answer stays."), "already_submitted")
    _end(found, skip_reason=reason)
    after = {"session": found.item.session.number, "place": found.item.place, "reason": reason}
    audit.record("calibration.skipped", found, actor=person, study_slug=found.study.slug, after=after)


def _end(sitting: CalibrationSitting, **values: Any) -> None:
    CalibrationSitting.objects.filter(pk=sitting.pk).update(ended_at=timezone.now(), **values)


@transaction.atomic
def record_exposure(sitting: CalibrationSitting, person: User, care: Mapping[str, Any]) -> None:
    """Record what the page showed so far. Repeating it is harmless."""
    _seat, found = locked(sitting, person)
    review_exposure.report(found, person, care, ends=False)


def sitting_json(sitting: CalibrationSitting, seat: Seat) -> dict[str, Any]:
    """Return the pair as the review page shows it, blind."""
    study, session = sitting.study, sitting.item.session
    pair = unleased.playable(study).get(pk=sitting.item.pair_id)
    about = unleased.assignment_data(pair, study, sitting.person)
    ends = timezone.now() + timedelta(seconds=study.lease_s)
    about = replace(about, id=sitting.pk, left=sitting.left, expires_at=ends)
    return assignment_json(about, seat, study) | {
        "kind": "calibration",
        "blind": True,
        "lot": session.number,
        "judging": None,
    }


def turn_json(turn: Turn) -> dict[str, Any]:
    """Return `{"current", "reason", "retry_after_s", "left"}`."""
    return {
        "current": sitting_json(turn.sitting, turn.seat) if turn.sitting else None,
        "reason": turn.reason,
        "retry_after_s": turn.retry_after_s,
        "left": turn.left,
    }
