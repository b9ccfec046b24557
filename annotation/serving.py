"""Who gets which pair: lease, renew and release.

Each function is one transaction that first locks the person's seat, so that one person's requests run one after
another. Different people meet only at a pair, where `FOR UPDATE SKIP LOCKED` lets them pass. Slots are taken and
returned by conditional updates of `Pair.open_slots`, together with the assignment's change of state. No transaction
waits for a pair while it has another one locked, so there are no deadlocks.
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
from annotation.leases import RECLAIMABLE, LiveLease, live_leases
from annotation.models import Assignment, Seat
from annotation.new_leases import NewLeases
from annotation.reasons import ALL_LEASED, why_not_now, why_nothing
from annotation.renewal import renew_ended
from annotation.seats import locked_seat, look_back_soon
from diptych.refusals import Refused
from studies.models import Study


@dataclass(frozen=True)
class LeasedPairs:
    """A person's current pair and their next one, or the reason why there is none."""

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
def lease(person: User, study: Study) -> LeasedPairs:
    """Lease up to two pairs of the study to the person. Repeating it returns the same two while they are live."""
    seat = locked_seat(person, study)
    return fill_places(seat, person, study, live_leases(seat))


def fill_places(seat: Seat, person: User, study: Study, live: Mapping[str, LiveLease]) -> LeasedPairs:
    """Fill both places of a locked seat: promote the next pair and lease the missing ones.

    An ended lease is continued only if the person could be given its pair as a new one.
    """
    now = timezone.now()
    new_leases = NewLeases(seat, person, study, now)
    current, following = live.get("current"), live.get("next")
    if current is None or current.expires_at <= now or not leases.extend(current, study, now):
        if reason := why_not_now(seat, study, now):
            return LeasedPairs(seat, None, None, *reason)
        if current is not None and not new_leases.may_show(current):
            if not leases.release_without_waiting(current):
                return LeasedPairs(seat, None, None, ALL_LEASED, 1)  # the pair is locked at this moment
            current = None
        elif current is not None and not leases.extend(current, study, now):
            current = None  # the sweep has already ended it
    place_is_free = True
    if following is not None and current is None and not new_leases.may_show(following):
        place_is_free = leases.release_without_waiting(following)
        following = None
    current_id = current.assignment_id if current else None
    if current_id is None and "offered" in live:
        current_id = leases.lease_offer(seat, person, study, now, capped=new_leases.capped)
    if current_id is None and following is not None:
        current_id, following = leases.promote(following, seat, person, study, now), None
    if following is not None and not leases.extend(following, study, now):
        following = None
    current_id = current_id or new_leases.lease(Assignment.Place.CURRENT)
    if current_id is None:
        return LeasedPairs(seat, None, None, *(new_leases.refusal or why_nothing(seat, study)))
    following_id = following.assignment_id if following else None
    if following_id is None and place_is_free and acceptance.BY_STUDY[study.state].leases:
        following_id = new_leases.lease(Assignment.Place.NEXT)
    return LeasedPairs(seat, current_id, following_id)


def renew(assignment: Assignment, person: User) -> Assignment:
    """Extend a lease, or renew an ended one if the person could be given its pair as a new one.

    Raise Refused if the pair was answered or skipped, the person has withdrawn their consent, or the lease cannot be
    renewed.
    """
    with transaction.atomic():
        renewed = _renewed(assignment, person)
    if isinstance(renewed, Refused):  # raised after the commit, which saves the beginning of a break
        raise renewed
    return renewed


def _renewed(assignment: Assignment, person: User) -> Assignment | Refused:
    study = assignment.study
    seat = locked_seat(person, study)
    assignment = Assignment.objects.select_for_update(of=("self",)).get(pk=assignment.pk)
    if assignment.state not in (Assignment.State.LEASED, *RECLAIMABLE):
        state = assignment.get_state_display()
        return Refused(_("This pair was already %(state)s.") % {"state": state}, "already_answered")
    if acceptance.has_withdrawn(seat):
        return Refused(acceptance.consent_needed(), acceptance.CONSENT)
    now = timezone.now()
    if not acceptance.is_live(assignment, now):
        return renew_ended(assignment, person, seat, study, now) or assignment
    assignment.expires_at = now + timedelta(seconds=leases.length_s(assignment.place, study))
    assignment.save(update_fields=["expires_at"])
    return assignment


@transaction.atomic
def release(assignment: Assignment, person: User) -> None:
    """Release the pair without an answer. The draft is kept. Repeating it is harmless."""
    seat = locked_seat(person, assignment.study)
    leases.end(assignment.pk, Assignment.State.RELEASED)
    look_back_soon(seat)


@transaction.atomic
def release_all(person: User, study: Study) -> int:
    """Release all leases of the person in the study. Return how many. Their drafts are kept.

    1. Lock the seat: wait for the person's current request to end.
    2. Release the leases in the order of their pairs, so that two transactions never wait for each other.
    """
    locked_seat(person, study)
    leased = Assignment.objects.filter(study=study, person=person, state=Assignment.State.LEASED)
    ended = [release(assignment, person) for assignment in leased.select_related("study").order_by("pair_id")]
    return len(ended)
