"""Find the reason why a person gets no pair, and after how many seconds the page should ask again."""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, Min, OuterRef, Q
from django.utils import timezone

from annotation import exposure
from annotation.acceptance import BY_STUDY, LEASING_BATCHES
from annotation.leases import RECLAIMABLE
from annotation.models import Assignment, Seat
from catalog.models import Pair
from studies.models import Study

FINISHED, ALL_LEASED, PAUSED, EXCLUDED = "finished", "all_leased", "paused", "excluded"
CAP, BREAK, CONSENT, GUIDELINE, QUALIFICATION = "cap", "break", "consent", "guideline", "qualification"
#: The person is suspended; a pause rule stopped them; or they have given their largest share of the answers for now.
SUSPENDED, WORK_PAUSED, SHARE = "suspended", "work_paused", "share"
#: The study is closed.
CLOSED = "closed"
REASONS = (
    *(FINISHED, ALL_LEASED, PAUSED, EXCLUDED, CAP, BREAK, CONSENT, GUIDELINE, QUALIFICATION),
    *(SUSPENDED, WORK_PAUSED, SHARE, CLOSED),
)

#: A reason, and the seconds until the page should ask again. None: the page should not ask again automatically.
Refusal = tuple[str, int | None]


def why_stopped(study_state: str) -> Refusal | None:
    """Return the reason why a study in this state serves no pairs, or None if it serves them."""
    if BY_STUDY[study_state].leases:
        return None
    return (PAUSED, 60) if study_state == Study.State.PAUSED else (CLOSED, None)


def why_not_now(seat: Seat, study: Study, now: datetime, *, qualifying: bool = False) -> Refusal | None:
    """Return the reason why a person without a current pair may not get one now, or None if they may.

    Args:
        qualifying: the pair is one with which they qualify.
    """
    if stopped := why_stopped(study.state):
        return stopped
    if seat.suspended_at is not None:
        return SUSPENDED, None
    if seat.consented_version < study.consent_version:
        return CONSENT, None
    if seat.paused_at is not None:
        return WORK_PAUSED, None
    if study.qualification_required and seat.qualified_at is None and not qualifying:
        return QUALIFICATION, None
    if seat.guideline_read < study.guideline_version:
        return GUIDELINE, None
    if (break_s := exposure.break_left_s(seat, study, now)) > 0:
        return BREAK, break_s
    return None


def possible(seat: Seat, study: Study) -> Any:
    """Return the study's pairs that the person could still get, now or later."""
    assigned = Assignment.objects.filter(pair=OuterRef("pk"), person_id=seat.person_id).exclude(state__in=RECLAIMABLE)
    pairs = Pair.objects.filter(~Exists(assigned), study=study, held="").exclude(kind=Pair.Kind.CONTROL)
    pairs = pairs.filter(batch__state__in=LEASING_BATCHES)
    if seat.batches:
        pairs = pairs.filter(batch__number__in=seat.batches)
    if seat.languages:
        spoken = (Q(prompt__language=tag) | Q(prompt__language__startswith=f"{tag}-") for tag in seat.languages)
        pairs = pairs.filter(reduce(or_, spoken))
    return pairs


def why_nothing(seat: Seat, study: Study) -> Refusal:
    """Return the reason why no pair can be served to the person, and when to ask again."""
    if stopped := why_stopped(Study.objects.values_list("state", flat=True).get(pk=study.pk)):
        return stopped  # the state has changed since the request began
    agreed = possible(seat, study).exclude(may_show__overlap=seat.excluded)
    expiry = agreed.filter(assignments__state="leased").aggregate(first=Min("assignments__expires_at"))["first"]
    if expiry is not None:
        return ALL_LEASED, _seconds_until(expiry)
    servable = agreed.filter(ready=True, open_slots__gt=0)
    if servable.exists():  # another request has locked them
        return ALL_LEASED, 1
    if agreed.filter(ready=False).exists():  # their videos are still being prepared
        return ALL_LEASED, 15
    if seat.excluded and possible(seat, study).filter(ready=True, open_slots__gt=0).exists():
        return EXCLUDED, None
    return FINISHED, None


def _seconds_until(moment: datetime) -> int:
    """Return whole seconds from now to `moment`, from 2 to 60: a lease can also end early."""
    return min(60, max(2, int((moment - timezone.now()).total_seconds()) + 1))
