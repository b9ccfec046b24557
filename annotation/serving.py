"""Who gets which pair: lease, renew and release.

Each function is one transaction that first locks the person's seat, so one person's requests follow one another;
different people meet only at a pair, where `FOR UPDATE SKIP LOCKED` sends them past each other. A slot is taken
and returned by conditional updates of `Pair.open_slots` beside the change of the assignment's state. Nothing here
waits for a pair while it holds another, so no two people can wait for each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from annotation import acceptance, leases
from annotation.leases import RECLAIMABLE, Held, held_leases
from annotation.models import Assignment, Seat
from annotation.reasons import ALL_LEASED, why_not_now, why_nothing
from annotation.seats import look_back_soon, take_seat
from annotation.taking import Taking
from annotation.taking_back import take_back
from diptych.refusals import Refused
from studies.models import Study


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
    """Brings both places of a locked seat up to date: promotes the next pair, takes what is missing. A lease that has
    ended goes on only where the person could be given its pair anew."""
    now = timezone.now()
    taking = Taking(seat, person, study, now)
    current, following = held.get("current"), held.get("next")
    if current is None or current.expires_at <= now or not leases.keep(current, study, now):
        if reason := why_not_now(seat, study, now):
            return Desk(seat, None, None, *reason)
        if current is not None and not taking.may_show(current):
            if not leases.let_go(current):
                return Desk(seat, None, None, ALL_LEASED, 1)  # its pair is locked at this moment
            current = None
        elif current is not None and not leases.keep(current, study, now):
            current = None  # the sweep was sooner
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
    if following_id is None and place_is_free and acceptance.BY_STUDY[study.state].leases:
        following_id = taking.take(Assignment.Place.NEXT)
    return Desk(seat, current_id, following_id)


def renew(assignment: Assignment, person: User) -> Assignment:
    """Extends a lease, or takes the pair back if the lease has ended and the person could be given the pair anew.

    Raises Refused if it was answered or skipped, the person has withdrawn their consent, or the pair cannot be taken
    back.
    """
    with transaction.atomic():
        renewed = _renewed(assignment, person)
    if isinstance(renewed, Refused):  # after the commit: a break that is due has begun
        raise renewed
    return renewed


def _renewed(assignment: Assignment, person: User) -> Assignment | Refused:
    study = assignment.study
    seat = take_seat(person, study)
    assignment = Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    if assignment.state not in (Assignment.State.LEASED, *RECLAIMABLE):
        state = assignment.get_state_display()
        return Refused(_("This pair was already %(state)s.") % {"state": state}, "already_answered")
    if acceptance.has_withdrawn(seat):
        return Refused(acceptance.consent_needed(), acceptance.CONSENT)
    now = timezone.now()
    if not acceptance.is_live(assignment, now):
        return take_back(assignment, person, seat, study, now) or assignment
    assignment.expires_at = now + timedelta(seconds=leases.length_s(assignment.place, study))
    assignment.save(update_fields=["expires_at"])
    return assignment


@transaction.atomic
def release(assignment: Assignment, person: User) -> None:
    """Gives the pair back unanswered; the draft stays. Releasing twice is harmless."""
    seat = take_seat(person, assignment.study)
    leases.end(assignment.pk, Assignment.State.RELEASED)
    look_back_soon(seat)
