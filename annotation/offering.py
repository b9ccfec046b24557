"""Asking again: the same person, as a later round of their pair; or somebody else, when an answer is rejected.

An offer waits for its person and comes before anything new (`leases.accept`), with its reason and the reviewer's
comment on the page. It reserves nothing: whoever is first takes the slot that the answer gave back. Locks: assignment,
pair, standing, batch (decision 023). Call one function a transaction, as `change_standing` says.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import acceptance
from annotation.acceptance import REJECTED, RETURNED
from annotation.models import Assignment, Standing
from annotation.standings import change_standing
from catalog.models import Batch, Pair
from diptych.refusals import Refused
from studies.models import Study


def reject(standing: Standing, *, reason: str, actor: User | None) -> Standing:
    """Rule an answer invalid and ask for its pair again, of somebody else. Twice is harmless.

    Args:
        reason: a code such as `off_guideline`, which the person reads as words.
    """
    return change_standing(
        standing,
        actor=actor,
        validity=Standing.Validity.INVALID,
        reason=reason,
        counts=False,
        uncounted_reason=REJECTED,
    )


@transaction.atomic
def restore(standing: Standing, *, actor: User | None) -> Standing:
    """Rule an answer valid again. One that was rejected counts again if its pair still has a free slot.

    What never counted, or was returned to its person, does not count by being valid.
    """
    Pair.objects.select_for_update(of=("self",), no_key=True).get(assignments=standing.assignment_id)
    standing.refresh_from_db(from_queryset=Standing.objects.select_for_update(of=("self",), no_key=True))
    counts = True if standing.uncounted_reason == REJECTED else None
    return change_standing(standing, actor=actor, validity=Standing.Validity.VALID, counts=counts)


@transaction.atomic
def offer_again(answered: Assignment, *, reason: str, actor: User | None, comment: str = "") -> Assignment:
    """Ask the person of an answered assignment for its pair once more, as the next round. Return the new assignment.

    1. Lock the answered assignment, so that of two at once the second finds what the first offered, and returns that.
    2. The earlier answer counts no more: its slot is free. It is kept, and as valid as it was.
    3. Write the offer, with the sides and the order of dimensions that the person had before.

    Raise Refused if the person has not answered, was asked again since, or would never get the pair: its study is
    closed, its batch is accepted, or no further answer is wanted.

    Args:
        reason: one of `Assignment.RoundReason`; the person reads it as words.
        comment: what the reviewer says to the person.
    """
    locked = Assignment.objects.select_related("study", "pair__batch").select_for_update(of=("self",))
    earlier = locked.get(pk=answered.pk)
    rounds = Assignment.objects.filter(pair=earlier.pair_id, person=earlier.person_id, round__gt=earlier.round)
    later = rounds.order_by("-round").first()
    if later is not None and later.state in (Assignment.State.OFFERED, Assignment.State.LEASED):
        return later
    if refusal := _refusal(earlier, later):
        raise refusal
    standing = Standing.objects.select_related("study").get(pk=earlier.pk)
    change_standing(standing, actor=actor, counts=False, uncounted_reason=RETURNED)
    if not Pair.objects.filter(pk=earlier.pair_id, open_slots__gt=0).exists():
        raise Refused(_("This answer does not count, and the pair already has all the answers it needs."), "no_slot")
    offer = _written(earlier, reason, comment)
    audit.record(
        "assignment.offered",
        offer,
        actor=actor,
        study_slug=earlier.study.slug,
        after={"pair": offer.pair_id, "person": offer.person_id, "round": offer.round, "reason": reason},
    )
    return offer


def _refusal(earlier: Assignment, later: Assignment | None) -> Refused | None:
    """Return why the pair cannot be offered again; None if it can."""
    if earlier.state != Assignment.State.SUBMITTED:
        return Refused(_("The person has not answered this pair, so it cannot be returned."), "not_answered")
    if later is not None:
        return Refused(
            _("The person was asked to answer this pair again later. Return their latest answer instead."),
            "asked_since",
        )
    if earlier.study.state == Study.State.CLOSED:
        return Refused(_("The study is closed. Open it again before you return answers."), acceptance.STUDY_CLOSED)
    if earlier.pair.batch.state == Batch.State.ACCEPTED:
        return Refused(_("The pair’s batch is accepted, so this answer cannot be returned."), "batch_accepted")
    return None


def _written(earlier: Assignment, reason: str, comment: str) -> Assignment:
    now, study = timezone.now(), earlier.study
    return Assignment.objects.create(
        study=study,
        pair_id=earlier.pair_id,
        person_id=earlier.person_id,
        round=earlier.round + 1,
        round_reason=Assignment.RoundReason(reason),
        comment=comment,
        left=earlier.left,
        dimension_first=earlier.dimension_first,
        state=Assignment.State.OFFERED,
        leased_at=now,
        lease_number=0,  # accepting it is its first lease
        expires_at=now + timedelta(seconds=study.lease_s),
        protocol_version=study.protocol_version,
        guideline_version=study.guideline_version,
    )
