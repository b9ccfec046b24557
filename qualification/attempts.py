"""A person qualifies: begin a training or a test, get the next pair, answer it once, and go on.

Each function is one transaction that locks the person's seat first, so that one person's requests run one after
another, and then the attempt and the turn. People are protected as in ordinary work: they see only what they agreed to,
within their daily limit, with their own filter. No function writes an assignment or a slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import draws, exposure, reasons, revisions, sitting_exposure
from annotation.answers import Answers
from annotation.models import Seat
from annotation.seats import locked_seat
from catalog.models import Pair
from diptych.refusals import Refused
from qualification import judging, standing
from qualification.models import Attempt, Qualification, QualificationExposure, SetItem, Turn, TurnAnswer
from qualification.models.attempts import GONE
from qualification.models.sets import Kind
from studies.models import Study

#: Why there is no pair: the attempt has ended.
ENDED = "ended"
REASONS = (ENDED, *reasons.REASONS)
#: By stage: why a person cannot begin.
STAGES_THAT_REFUSE = {
    standing.NOT_ASKED: lambda: _("This study asks for no qualification now."),
    standing.QUALIFIED: lambda: _("You have qualified for this study. You can start working."),
    standing.WAIT: lambda: _("You can try again later. The page says when."),
    standing.FAILED: lambda: _("You have used all attempts. A researcher of the study can allow one more."),
    standing.TOO_FEW: lambda: _("Too few pairs are left that you agreed to see. Ask a researcher of the study."),
    standing.SEES_ANSWERS: lambda: _(
        "You can see the expected answers in this study, so you cannot take its test. Another researcher or admin can "
        "waive it for you."
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A person's current turn, or the reason why there is none. left: pairs that they have not done yet."""

    seat: Seat
    attempt: Attempt
    turn: Turn | None = None
    reason: str | None = None
    retry_after_s: int | None = None
    left: int = 0


@transaction.atomic
def begin(person: User, study: Study, kind: str) -> Attempt:
    """Return the person's open attempt at the training or the test, and begin one if there is none.

    A training that was begun in an earlier version ends, and the version in force begins.

    Raise Refused if the person cannot begin: see `standing.STAGES`.
    """
    seat = locked_seat(person, study)
    now = timezone.now()
    opened = Attempt.objects.select_for_update().filter(study=study, person=person, kind=kind, ended_at=None).first()
    found = standing.standing_of(person, study, seat, now)
    if found.stage in STAGES_THAT_REFUSE and not (opened and kind == Kind.TEST):
        raise Refused(STAGES_THAT_REFUSE[found.stage](), found.stage)
    wanted = found.training if kind == Kind.TRAINING else found.test
    if wanted is None:
        raise Refused(_("This study has no training. Begin with the test."), "no_training")
    if kind == Kind.TEST and not opened and not found.trained:
        raise Refused(_("Finish the training first. The test follows."), "train_first")
    if opened is not None and (kind == Kind.TEST or opened.set_id == wanted.pk):
        return opened
    if opened is not None:
        _end(opened, now, end=Attempt.End.SUPERSEDED)
    last = Attempt.objects.filter(set=wanted, person=person).aggregate(last=Max("number"))["last"] or 0
    made = Attempt.objects.create(
        study=study,
        kind=kind,
        set=wanted,
        person=person,
        number=last + 1,
        pass_share=study.qualification_pass_share if kind == Kind.TEST else None,
    )
    after = {"kind": kind, "version": wanted.number, "attempt": made.number}
    audit.record("qualification.begun", made, actor=person, study_slug=study.slug, after=after)
    return made


@transaction.atomic
def next_step(attempt: Attempt, person: User) -> Step:
    """Return the person's next pair of an attempt. Repeating it returns the same pair until they have done it.

    1. Return the pair that they are at, if it can still be shown.
    2. Otherwise give the next one. A person at their daily limit gets only harmless pairs.
    3. If none is left, end the attempt.
    """
    seat, found = _locked(attempt, person)
    if found.ended_at is not None:
        return Step(seat, found, reason=ENDED)
    study, now = found.study, timezone.now()
    if refusal := reasons.why_not_now(seat, study, now, qualifying=True):
        return Step(seat, found, None, *refusal, left=len(_left(found, seat)))
    if (current := _current(found, seat, now)) is not None:
        return Step(seat, found, current, left=len(_left(found, seat)))
    items = _left(found, seat)
    if not items:
        _finish(found, now)
        return Step(seat, found, reason=ENDED)
    capped = 0 < study.daily_dose_s <= seat.dose_s
    item = next((one for one in items if not (capped and one.pair.lane == Pair.Lane.SENSITIVE)), None)
    if item is None:
        seconds = exposure.seconds_to_tomorrow(person, now)
        exposure.record_dose_break(seat, study, now, seconds)
        return Step(seat, found, None, reasons.CAP, seconds, left=len(items))
    turn = Turn.objects.create(
        study=study,
        set_id=found.set_id,
        attempt=found,
        item=item,
        left=draws.left(study, person.pk, item.pk),
    )
    seat.dose_s += sitting_exposure.expect(QualificationExposure, turn, item.pair, person, now)
    return Step(seat, found, turn, left=len(items))


def _locked(attempt: Attempt, person: User) -> tuple[Seat, Attempt]:
    """Lock the person's seat and the attempt, in this order, and return both as they are now."""
    seat = locked_seat(person, attempt.study)
    rows = Attempt.objects.select_for_update(of=("self",), no_key=True).select_related("study", "set__study")
    return seat, rows.get(pk=attempt.pk)


def _current(attempt: Attempt, seat: Seat, now: datetime) -> Turn | None:
    """Return the turn that the person is at. A turn whose pair cannot be shown any more ends, and is left out."""
    rows = Turn.objects.filter(attempt=attempt, seen_at=None).select_related("item__pair", "study", "attempt")
    turn = rows.filter(skip_reason="").first()
    if turn is None:
        return None
    if any(item.pk == turn.item_id for item in standing.items_for(attempt.set, seat)):
        return turn
    values = {"seen_at": now} if turn.ended_at else {"seen_at": now, "ended_at": now, "skip_reason": GONE}
    Turn.objects.filter(pk=turn.pk).update(**values)
    sitting_exposure.report(QualificationExposure, turn, attempt.person, None, showing=_showing(turn), ends=True)
    return None


def _left(attempt: Attempt, seat: Seat) -> list[SetItem]:
    """Return the items that the person has not done yet: of a training in its order, of a test in an order drawn for
    this attempt."""
    done = set(Turn.objects.filter(attempt=attempt, seen_at__isnull=False).values_list("item", flat=True))
    items = [item for item in standing.items_for(attempt.set, seat) if item.pk not in done]
    if attempt.kind == Kind.TRAINING:
        return items
    return sorted(items, key=lambda item: sha256(f"{attempt.study.seed}/{attempt.pk}/{item.pk}".encode()).digest())


def _turn_locked(turn: Turn, person: User) -> tuple[Seat, Turn]:
    seat, attempt = _locked(turn.attempt, person)
    rows = Turn.objects.select_for_update(of=("self",), no_key=True).select_related("study", "item__pair")
    found = rows.get(pk=turn.pk)
    found.attempt = attempt
    return seat, found


@transaction.atomic
def answer(
    turn: Turn,
    person: User,
    *,
    submission_id: UUID,
    answers: Answers,
    timings_ms: Mapping[str, int],
    viewing: Mapping[str, Any],
    care: Mapping[str, Any] | None = None,
) -> Turn:
    """Store the person's answer in their turn. It is stored once and stays. The same submission again changes nothing.

    In a test, the last answer ends the attempt. In a training, the turn goes on until `go_on`.

    Raise Refused for another answer, after a skip, or if the attempt has ended.
    """
    seat, found = _turn_locked(turn, person)
    is_test = found.attempt.kind == Kind.TEST
    _report(found, person, care, ends=is_test)
    stored = TurnAnswer.objects.filter(turn=found).first()
    if stored is not None:
        if stored.submission_id != submission_id:
            raise Refused(_("You have already answered this pair. Your first answer stays."), "already_answered")
        return found
    _refuse_ended(found)
    now = timezone.now()
    TurnAnswer.objects.create(
        turn=found,
        submission_id=submission_id,
        active_ms=revisions.credit(seat, timings_ms, since=found.begun_at, now=now),
        timings_ms=dict(timings_ms),
        viewing=dict(viewing),
        guideline_version=found.study.guideline_version,
        **answers.columns(),
    )
    found.ended_at, found.seen_at = now, now if is_test else None
    found.save(update_fields=["ended_at", "seen_at"])
    after = {"kind": found.attempt.kind, "attempt": found.attempt.number, "place": found.item.place}
    audit.record("qualification.answered", found, actor=person, study_slug=found.study.slug, after=after)
    if is_test:
        _finish_if_done(found.attempt, seat, now)
    return found


@transaction.atomic
def go_on(turn: Turn, person: User, *, care: Mapping[str, Any] | None = None) -> None:
    """Record that the person has seen what was expected, and wants the next pair. Repeating it is harmless.

    Raise Refused before they have answered.
    """
    seat, found = _turn_locked(turn, person)
    _report(found, person, care, ends=True)
    if found.ended_at is None:
        raise Refused(_("Answer this pair first."), "answer_first")
    if found.seen_at is None:
        now = timezone.now()
        found.seen_at = now
        found.save(update_fields=["seen_at"])
        _finish_if_done(found.attempt, seat, now)


@transaction.atomic
def skip(turn: Turn, person: User, *, reason: str, care: Mapping[str, Any] | None = None) -> None:
    """Decline the pair with a reason. It is left out of the result. Repeating it is harmless.

    Raise Refused if it was answered, or if the attempt has ended.
    """
    seat, found = _turn_locked(turn, person)
    _report(found, person, care, ends=True, too_distressing=reason == "too_distressing")
    if found.skip_reason:
        return
    _refuse_ended(found)
    now = timezone.now()
    found.ended_at, found.seen_at, found.skip_reason = now, now, reason
    found.save(update_fields=["ended_at", "seen_at", "skip_reason"])
    after = {"kind": found.attempt.kind, "attempt": found.attempt.number, "place": found.item.place, "reason": reason}
    audit.record("qualification.skipped", found, actor=person, study_slug=found.study.slug, after=after)
    _finish_if_done(found.attempt, seat, now)


def _refuse_ended(turn: Turn) -> None:
    if turn.skip_reason:
        raise Refused(_("You have already skipped this pair."), "already_answered")
    if turn.ended_at is not None:
        raise Refused(_("You have already answered this pair. Your first answer stays."), "already_answered")
    if turn.attempt.ended_at is not None:
        raise Refused(_("This attempt has ended. Go back to the page of the qualification."), "attempt_ended")


@transaction.atomic
def record_exposure(turn: Turn, person: User, care: Mapping[str, Any]) -> None:
    """Record what the page showed so far. Repeating it is harmless."""
    _seat, found = _turn_locked(turn, person)
    _report(found, person, care, ends=found.seen_at is not None)


def _report(
    turn: Turn, person: User, care: Mapping[str, Any] | None, *, ends: bool, too_distressing: bool = False
) -> None:
    sitting_exposure.report(
        QualificationExposure, turn, person, care, showing=_showing(turn), ends=ends, too_distressing=too_distressing
    )


def _showing(turn: Turn) -> str:
    """Return the name of a showing that the report does not name."""
    return f"turn {turn.pk}"


def _finish_if_done(attempt: Attempt, seat: Seat, now: datetime) -> None:
    if attempt.ended_at is None and not _left(attempt, seat):
        _finish(attempt, now)


def _finish(attempt: Attempt, now: datetime) -> None:
    """End the attempt with its result. A person who passes is qualified in the same transaction."""
    result = judging.result_of(attempt)
    _end(attempt, now, end=Attempt.End.FINISHED, judged=result.judged, right=result.right, passed=result.passed)
    person, slug = attempt.person, attempt.study.slug
    after = {"kind": attempt.kind, "attempt": attempt.number, "passed": result.passed}
    audit.record("qualification.finished", attempt, actor=person, study_slug=slug, after=after)
    if not result.passed or Qualification.objects.filter(study=attempt.study, person=person, ended_at=None).exists():
        return
    given = Qualification.objects.create(
        study=attempt.study, person=person, how=Qualification.How.PASSED, attempt=attempt, given_at=now
    )
    audit.record("qualification.given", given, actor=person, study_slug=slug, after={"how": given.how})


def _end(attempt: Attempt, now: datetime, **values: Any) -> None:
    attempt.ended_at = now
    for name, value in values.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=["ended_at", *values])


def attempt_at(person: User, study: Study, kind: str) -> Attempt | None:
    """Return the person's open attempt at the training or the test, or None."""
    rows = Attempt.objects.filter(study=study, person=person, kind=kind, ended_at=None)
    return rows.select_related("study", "set").first()
