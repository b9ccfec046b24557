"""Lease a new pair from the queue to one person, within their limits on exposure."""

from datetime import datetime, timedelta

from accounts import days
from accounts.models import User
from annotation import draws, exposure, leases, queue, reasons, share_cap
from annotation.leases import LiveLease
from annotation.models import Assignment, Seat
from annotation.queue import CONTROL_LANES, HARMLESS_CONTROL_LANES, HARMLESS_LANES, REAL_LANES, Positions
from catalog.models import Pair
from studies.models import Study


class NewLeases:
    """Leases pairs from the queue to the person of a locked seat, within their limits on exposure."""

    def __init__(self, seat: Seat, person: User, study: Study, now: datetime) -> None:
        self.seat, self.person, self.study, self.now = seat, person, study, now
        self.positions = Positions(seat.positions)
        self.refusal: reasons.Refusal | None = None

    @property
    def capped(self) -> bool:
        """Return whether the person has reached their daily limit, so that only harmless pairs may follow."""
        return 0 < self.study.daily_dose_s <= self.seat.dose_s

    def may_show(self, lease: LiveLease) -> bool:
        """Return whether a pair that was leased earlier may still be shown now."""
        return lease.agreed and lease.servable and (lease.lane != Pair.Lane.SENSITIVE or not self.capped)

    def lease(self, place: str) -> int | None:
        """Lease the first pair in order that the person can have. Return the assignment's key, or None."""
        if refused := share_cap.refusal(self.seat, self.study):
            self.refusal = refused
            return None
        lanes = HARMLESS_LANES if self.capped else REAL_LANES
        parameters = self._parameters(place)
        leased = None
        if draws.is_control(self.study, self.seat):
            harmless_only = self.capped or self._harmless_is_due
            controls = HARMLESS_CONTROL_LANES if harmless_only else CONTROL_LANES
            # A person who is limited to some batches gets controls too, which are in a batch of their own.
            leased = queue.lease_first(parameters | {"batches": []}, self.positions, controls, self.now)
        if leased is None and self._harmless_is_due:
            leased = queue.lease_first(parameters, self.positions, HARMLESS_LANES, self.now)
        leased = leased or queue.lease_first(parameters, self.positions, lanes, self.now)
        if leased is None and place == Assignment.Place.CURRENT:
            leases.return_expired(study_id=self.study.pk)
            leased = queue.lease_anywhere(parameters, self.positions, lanes)
        if leased is None:
            if place == Assignment.Place.CURRENT:
                self._set_refusal()
            return None
        self._update_seat(leased)
        if leased.sensitive and not leased.is_new:
            is_shown = place == Assignment.Place.CURRENT
            self.seat.dose_s += exposure.expect(
                leased.assignment_id, leased.pair_id, self.person, self.now, is_shown=is_shown
            )
        return leased.assignment_id

    @property
    def _harmless_is_due(self) -> bool:
        return 0 < self.study.harmless_after <= self.seat.sensitive_run

    def _set_refusal(self) -> None:
        """Set the refusal for a person without a pair. If the daily limit is the reason, it lasts until tomorrow."""
        if self.capped and reasons.possible(self.seat, self.study).filter(lane=Pair.Lane.SENSITIVE).exists():
            seconds = exposure.seconds_to_tomorrow(self.person, self.now)
            exposure.record_dose_break(self.seat, self.study, self.now, seconds)
            self.refusal = reasons.CAP, seconds

    def _update_seat(self, leased: queue.LeasedPair) -> None:
        """Copy what the statement wrote to the seat's row to the seat in memory."""
        if leased.is_new:
            self.seat.served += 1
            self.seat.controls += leased.lane in CONTROL_LANES
            self.seat.left_balance += 1 if leased.left == "video_0" else -1
        if leased.sensitive:
            self.seat.sensitive_run += 1
            self.seat.dose_s += leased.expected_s
        else:
            self.seat.sensitive_run = 0

    def _parameters(self, place: str) -> queue.LeaseParameters:
        study, seat = self.study, self.seat
        shown = place == Assignment.Place.CURRENT
        return {
            "study": study.pk,
            "person": seat.person_id,
            "seat": seat.pk,
            "languages": seat.languages,
            "batches": seat.batches,
            "excluded": seat.excluded,
            "left": _left(seat, study),
            "dimension": draws.dimension_first(study, seat.person_id, seat.served),
            "place": place,
            "protocol": study.protocol_version,
            "guideline": study.guideline_version,
            "now": self.now,
            "shown_at": self.now if shown else None,
            "expires_at": self.now + timedelta(seconds=study.lease_s if shown else study.next_lease_s),
            "day": days.day_of(self.person, self.now),
            "looks": exposure.LOOKS,
        }


def _left(seat: Seat, study: Study) -> str:
    """Return the video for the left side that evens out the person's own balance. If it is even, draw one."""
    if seat.left_balance:
        return "video_1" if seat.left_balance > 0 else "video_0"
    return draws.left(study, seat.person_id, seat.served)
