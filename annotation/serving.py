"""Who gets which pair: lease, renew, release, skip, and the return of what expired.

Each function is one transaction that first locks the person's seat, so one person's requests follow one another;
different people meet only at a pair, where `FOR UPDATE SKIP LOCKED` sends them past each other. A slot is taken
and returned by conditional updates of `Pair.open_slots` beside the change of the assignment's state. Nothing here
waits for a pair while it holds another, so no two people can wait for each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import exposure, exposure_reports, leases, skipping
from annotation.leases import RECLAIMABLE, Held, NotYours, held_leases, return_expired, take_slot
from annotation.models import Assignment, Seat
from annotation.protocol import NOT_REVEALED, SKIP_REASONS
from annotation.reasons import agreed, why_not_now, why_nothing
from annotation.seats import look_back_soon, take_seat
from annotation.taking import Taking
from catalog.models import Pair, Study

__all__ = ["Desk", "NotYours", "fill", "lease", "release", "renew", "return_expired", "skip", "take_seat", "take_slot"]


@dataclass(frozen=True)
class Desk:
    """What lies before a person: the pair they work on, the one after it, or the reason that there is none."""

    seat: Seat
    current_id: int | None
    next_id: int | None
    reason: str | None = None
    retry_after_s: int | None = None

    @cached_property
    def current(self) -> Assignment | None:
        return _assignment(self.current_id)

    @cached_property
    def next(self) -> Assignment | None:
        return _assignment(self.next_id)


def _assignment(pk: int | None) -> Assignment | None:
    return None if pk is None else Assignment.objects.select_related("pair").get(pk=pk)


@transaction.atomic
def lease(person: User, study: Study) -> Desk:
    """Gives the person up to two pairs of the study. Repeating it returns the same two while they are live."""
    seat = take_seat(person, study)
    return fill(seat, person, study, held_leases(seat))


def fill(seat: Seat, person: User, study: Study, held: Mapping[str, Held]) -> Desk:
    """Brings both places of a locked seat up to date: promotes the next pair, takes what is missing."""
    now = timezone.now()
    current, following = held.get("current"), held.get("next")
    if current is not None and not leases.keep(current, study, now):
        current = None
    if current is None and (reason := why_not_now(seat, study, now)):
        return Desk(seat, None, None, *reason)
    taking = Taking(seat, person, study, now)
    place_is_free = True
    if following is not None and current is None and not taking.may_show(following):
        place_is_free = leases.let_go(following)
        following = None
    current_id = current.assignment_id if current else None
    if current_id is None and "offered" in held:
        current_id = leases.accept(seat, person, study, now, capped=taking.capped)
    if current_id is None and following is not None:
        current_id, following = leases.promote(following, seat, person, study, now), None
    if following is not None and not leases.keep(following, study, now):
        following = None
    current_id = current_id or taking.take(Assignment.Place.CURRENT)
    if current_id is None:
        return Desk(seat, None, None, *(taking.refusal or why_nothing(seat, study)))
    following_id = following.assignment_id if following else None
    if following_id is None and place_is_free and study.state == Study.State.RUNNING:
        following_id = taking.take(Assignment.Place.NEXT)
    return Desk(seat, current_id, following_id)


@transaction.atomic
def renew(assignment: Assignment, person: User) -> Assignment:
    """Extends a lease, or takes it back if it expired and its pair still has a slot.

    Raises NotYours if it was answered or skipped, or if the slot has gone to somebody else.
    """
    study = assignment.study
    seat = take_seat(person, study)
    assignment = Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    if assignment.state not in (Assignment.State.LEASED, *RECLAIMABLE):
        raise NotYours(
            "already_answered",
            _("This pair was already %(state)s.") % {"state": assignment.get_state_display()},
        )
    if assignment.state in RECLAIMABLE:
        _take_back(assignment, person, seat, study)
    assignment.expires_at = timezone.now() + timedelta(seconds=leases.length_s(assignment.place, study))
    assignment.save(update_fields=["expires_at"])
    return assignment


def _take_back(assignment: Assignment, person: User, seat: Seat, study: Study) -> None:
    """An expired or released assignment becomes a lease again, if a place and a slot are free."""
    occupied = held_leases(seat)
    free = [place for place in (Assignment.Place.CURRENT, Assignment.Place.NEXT) if place not in occupied]
    if seat.consented_version < study.consent_version or not agreed(seat, assignment.pair_id):
        raise NotYours("lease_lost", _("The lease has ended, and you did not agree to see what this pair may show."))
    if not free:
        raise NotYours("lease_lost", _("The lease has ended, and you already hold two other pairs."))
    if not take_slot(assignment.pair_id):
        raise NotYours("lease_lost", _("The lease has ended, and somebody else has this pair now."))
    assignment.state = Assignment.State.LEASED
    assignment.place = free[0]
    assignment.leased_at = timezone.now()
    is_shown = assignment.place == Assignment.Place.CURRENT
    if is_shown:
        assignment.shown_at = assignment.shown_at or assignment.leased_at
    assignment.expires_at = assignment.leased_at + timedelta(seconds=1)
    assignment.ended_at = None
    assignment.save(update_fields=["state", "place", "leased_at", "shown_at", "expires_at", "ended_at"])
    exposure.expect(assignment.pk, assignment.pair_id, person, assignment.leased_at, is_shown=is_shown)


@transaction.atomic
def release(assignment: Assignment, person: User) -> None:
    """Gives the pair back unanswered; the draft stays. Releasing twice is harmless."""
    seat = take_seat(person, assignment.study)
    leases.end(assignment.pk, Assignment.State.RELEASED)
    look_back_soon(seat)


@transaction.atomic
def skip(assignment: Assignment, person: User, *, reason: str, care: Mapping[str, Any] | None = None) -> Desk:
    """Give the pair back for good and fill the desk again. `reason`: one of `protocol.SKIP_REASONS`, or `NOT_REVEALED`.

    After `Study.hold_after_skips` skips that say something about the pair, it is held for a researcher. `care` says
    what was seen of it (`exposure_reports`). Raises NotYours if it was answered, and skipping.ReasonNeeded if a
    harmless pair is skipped as `NOT_REVEALED`. Skipping twice is harmless.
    """
    if reason not in (*SKIP_REASONS, NOT_REVEALED):
        raise ValueError(f"Unknown skip reason {reason!r}; known: {', '.join((*SKIP_REASONS, NOT_REVEALED))}.")
    if reason == NOT_REVEALED:
        skipping.require_sensitive(assignment.pair_id)
    study = assignment.study
    seat = take_seat(person, study)
    if leases.end(assignment.pk, Assignment.State.SKIPPED, skip_reason=reason):
        skipping.hold_if_often(assignment.pair_id, study)
        distressing = reason == "too_distressing"
        seat.dose_s += exposure_reports.settle(
            assignment,
            person,
            care=care,
            showing=exposure_reports.lease_of(assignment),
            sensitive=Pair.objects.filter(pk=assignment.pair_id, lane=Pair.Lane.SENSITIVE).exists(),
            too_distressing=distressing,
        )
        # Why is nobody's business but the person's: the reason is not in the record that managers read.
        audit.record("assignment.skipped", assignment, actor=person, study_slug=study.slug)
    return fill(seat, person, study, held_leases(seat))
