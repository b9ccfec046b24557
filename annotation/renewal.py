"""Renew a lease that has ended, on the same conditions as a new lease."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from annotation import acceptance, exposure, leases, reasons
from annotation.models import Assignment, Seat
from annotation.new_leases import NewLeases
from catalog import slots
from catalog.models import Pair
from diptych.refusals import Refused
from studies.models import Study


def renew_ended(assignment: Assignment, person: User, seat: Seat, study: Study, now: datetime) -> Refused | None:
    """Make an ended lease of an assignment live again. Return the refusal if that is not possible.

    1. Lock the pair, then share-lock the batch and the study, so that none of them changes until the commit.
    2. Refuse everything that a new lease would be refused for: the study does not run, consent, qualification,
       guideline, a break, a harm that was not agreed to, the daily limit, a batch that is being checked, a held pair.
    3. Refuse if no place or no slot is free. A lease that the sweep has not ended yet still has both.
    4. Lease the pair under the versions in force now.

    A refusal is returned, not raised, because a break may begin with it. Seat and assignment are locked.
    """
    pair = Pair.objects.select_for_update(no_key=True).get(pk=assignment.pair_id)
    is_excluded = not set(pair.may_show).isdisjoint(seat.excluded)
    study.state, batch_state = acceptance.locked_states(assignment)
    if reason := _why_no_lease(seat, person, study, now, lane=pair.lane, is_excluded=is_excluded):
        return _refusal(reason)
    if not acceptance.BY_BATCH[batch_state].leases:
        return Refused(_("Your time on this pair ran out, and its batch is being checked."), "batch_closed")
    if pair.held:
        return Refused(_("Your time on this pair ran out, and the pair is on hold."), "held")
    if assignment.state != Assignment.State.LEASED:
        occupied = leases.live_leases(seat)
        free = [place for place in (Assignment.Place.CURRENT, Assignment.Place.NEXT) if place not in occupied]
        if not free:
            return Refused(_("Your time on this pair ran out, and you already have two other pairs."), "lease_lost")
        if not pair.open_slots:
            return Refused(_("Your time on this pair ran out, and it went to someone else."), "lease_lost")
        assignment.asked_because = slots.take(pair, again=assignment.round > 0)
        pair.save(update_fields=slots.FIELDS)
        assignment.place = free[0]
    assignment.state = Assignment.State.LEASED
    assignment.leased_at, assignment.ended_at = now, None
    assignment.expires_at = now + timedelta(seconds=leases.length_s(assignment.place, study))
    is_shown = assignment.place == Assignment.Place.CURRENT
    if is_shown:
        assignment.shown_at = assignment.shown_at or now
    assignment.protocol_version, assignment.guideline_version = study.protocol_version, study.guideline_version
    assignment.save(
        update_fields=[
            *("state", "place", "leased_at", "shown_at", "expires_at", "ended_at"),
            *("asked_because", "protocol_version", "guideline_version"),
        ]
    )
    exposure.expect(assignment.pk, assignment.pair_id, person, now, is_shown=is_shown)
    return None


def _why_no_lease(seat: Seat, person: User, study: Study, now: datetime, *, lane: int, is_excluded: bool) -> str | None:
    """Return the reason, one of `reasons.REASONS`, for which the person could not be given this pair as a new one."""
    if refusal := reasons.why_not_now(seat, study, now):
        return refusal[0]
    if is_excluded:
        return reasons.EXCLUDED
    if lane == Pair.Lane.SENSITIVE and NewLeases(seat, person, study, now).capped:
        return reasons.CAP
    return None


def _refusal(reason: str) -> Refused:
    """Return the refusal for a reason. A closed study has the same error code as everywhere else."""
    if reason == reasons.CLOSED:
        return Refused(acceptance.lease_ended_study_closed(), acceptance.STUDY_CLOSED)
    return Refused(SENTENCES[reason](), reason)


#: Functions, so that each sentence is in the language of the request.
SENTENCES = {
    reasons.PAUSED: lambda: _(
        "Your time on this pair ran out, and the study is paused. You can still submit your answer."
    ),
    reasons.CONSENT: lambda: _(
        "Your time on this pair ran out, and the study’s terms have changed. Agree to them first."
    ),
    reasons.SUSPENDED: lambda: _(
        "Your time on this pair ran out, and your work in this study is suspended. If you submit your answer, it is "
        "kept but does not count."
    ),
    reasons.WORK_PAUSED: lambda: _("Your time on this pair ran out, and your work in this study is paused."),
    reasons.QUALIFICATION: lambda: _("Your time on this pair ran out, and you have not qualified for this study."),
    reasons.GUIDELINE: lambda: _("Your time on this pair ran out, and the guideline has changed. Read it first."),
    reasons.BREAK: lambda: _("Your time on this pair ran out, and it is time for a break."),
    reasons.EXCLUDED: lambda: _("Your time on this pair ran out, and it may show harm that you chose not to see."),
    reasons.CAP: lambda: _(
        "Your time on this pair ran out, and you have reached today’s limit for possibly harmful video."
    ),
}
#: All error codes of a lease that cannot be renewed.
NOT_RENEWED = (*SENTENCES, acceptance.STUDY_CLOSED, "batch_closed", "held")
