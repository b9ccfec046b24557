"""Skip a pair for good.

A pair that several people could not judge is held for a researcher, so that it is not served and skipped forever.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from annotation import exposure_reports, leases
from annotation.leases import live_leases
from annotation.models import Assignment
from annotation.protocol import NOT_REVEALED, SKIP_REASONS
from annotation.seats import locked_seat
from annotation.serving import LeasedPairs, fill_places
from catalog.models import Pair
from diptych.refusals import BadInput
from studies.models import Study

#: Skip reasons that say something about the pair. `too_distressing` and `not_revealed` say something about the
#: person. They never count towards holding the pair. The wellbeing contact sees how often `too_distressing` was chosen.
ABOUT_THE_PAIR = ("technical_problem", "cannot_judge")


def require_sensitive(pair_id: int) -> None:
    """Raise BadInput unless the pair may show harm. Only such pairs are covered by the content filter."""
    if not Pair.objects.filter(pk=pair_id, may_show__len__gt=0).exists():
        raise BadInput(_("This pair is not known to show harm, so a skip needs a reason. Choose one."), field="reason")


def hold_if_often(pair_id: int, study: Study) -> bool:
    """Hold the pair after `Study.hold_after_skips` skips for a reason about the pair. Return whether it was held.

    Call it after a skip, in the same transaction. The lock on the pair makes simultaneous skips run
    one after the other, so the second sees the first. A skip without a live lease has not locked the pair yet.
    """
    pair = Pair.objects.select_for_update(no_key=True).get(pk=pair_id)
    skips = Assignment.objects.filter(
        pair=pair, state=Assignment.State.SKIPPED, skip_reason__in=ABOUT_THE_PAIR
    ).values_list("skip_reason", flat=True)
    count = Counter(skips)
    if pair.held or count.total() < study.hold_after_skips:
        return False
    pair.held = f"skipped: technical problem {count['technical_problem']} ×, cannot judge {count['cannot_judge']} ×"
    pair.save(update_fields=["held"])
    return True


@transaction.atomic
def skip(
    assignment: Assignment, person: User, *, reason: str, note: str = "", care: Mapping[str, Any] | None = None
) -> LeasedPairs:
    """Skip the pair for good and lease the next one. Return the person's current and next pair.

    After `Study.hold_after_skips` skips for a reason that concerns the pair, it is held for a researcher. Repeating is
    harmless.

    Args:
        reason: one of `protocol.SKIP_REASONS`, or `NOT_REVEALED`.
        note: what did not work. Only with the reason `technical_problem`.
        care: the exposure (see `exposure_reports`).

    Raises:
        Refused: if the pair was answered, or if its lease has ended and the study is closed.
        BadInput: if a harmless pair is skipped as `NOT_REVEALED`.
    """
    if reason not in (*SKIP_REASONS, NOT_REVEALED):
        raise ValueError(f"Unknown skip reason {reason!r}; known: {', '.join((*SKIP_REASONS, NOT_REVEALED))}.")
    if reason == NOT_REVEALED:
        require_sensitive(assignment.pair_id)
    study = assignment.study
    seat = locked_seat(person, study)
    if leases.skip(assignment.pk, reason, note):
        hold_if_often(assignment.pair_id, study)
        distressing = reason == "too_distressing"
        seat.dose_s += exposure_reports.record_report(
            assignment,
            person,
            care=care,
            showing=exposure_reports.lease_of(assignment),
            sensitive=Pair.objects.filter(pk=assignment.pair_id, lane=Pair.Lane.SENSITIVE).exists(),
            too_distressing=distressing,
        )
        # The reason is private to the person, so it is not in the record that managers read.
        audit.record("assignment.skipped", assignment, actor=person, study_slug=study.slug)
    return fill_places(seat, person, study, live_leases(seat))
