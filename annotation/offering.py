"""Ask for an answer again: from the same person as a later round, or from someone else after a rejection.

An offer waits for its person and comes before new pairs (`leases.lease_offer`). The page shows its reason and the
reviewer's comment. An offer reserves nothing: the first person to lease the pair takes the slot. Lock assignment, pair,
standing, batch in this order (decision 023). Call one of these functions once per
transaction, as `change_standing` says.
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
    """Mark an answer invalid, so that someone else is asked for its pair. Repeating it is harmless.

    Args:
        reason: a code such as `off_guideline`. The annotator reads it as words.
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
    """Mark an answer valid again. A rejected one counts again if its pair still has a free slot.

    An answer that never counted, or that was returned to its annotator, still does not count.
    """
    Pair.objects.select_for_update(of=("self",), no_key=True).get(assignments=standing.assignment_id)
    standing.refresh_from_db(from_queryset=Standing.objects.select_for_update(of=("self",), no_key=True))
    counts = True if standing.uncounted_reason == REJECTED else None
    return change_standing(standing, actor=actor, validity=Standing.Validity.VALID, counts=counts)


@transaction.atomic
def offer_again(answered: Assignment, *, reason: str, actor: User | None, comment: str = "") -> Assignment:
    """Offer the pair of an answered assignment to the same person again, as the next round. Return the new assignment.

    1. Lock the answered assignment. If two calls run at once, the second finds and returns the offer of the first.
    2. The earlier answer no longer counts, and its slot is free. The answer and its validity are kept.
    3. Write the offer, with the same sides and the same order of dimensions as before.

    Raise Refused if the person has not answered or was asked again since. Also raise it if they could never get the
    pair: its study is closed, its batch is accepted, or it wants no more answers.

    Args:
        reason: one of `Assignment.RoundReason`. The person reads it as words.
        comment: the reviewer's message to the person.
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
    """Return the refusal if the pair cannot be offered again, or None."""
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
        lease_number=0,  # the first lease begins when the offer is accepted
        expires_at=now + timedelta(seconds=study.lease_s),
        protocol_version=study.protocol_version,
        guideline_version=study.guideline_version,
    )
