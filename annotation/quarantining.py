"""What a report of illegal content does to people at work: the pair disappears from their pages, without a penalty.

An answer that arrives later from someone who had the pair open is kept as surplus: `submission.WRITE` takes no slot of
a held pair.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from annotation import exposure_reports, leases, serving
from annotation.models import Assignment
from annotation.seats import locked_seat
from catalog import slots
from catalog.models import Pair
from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import change
from diptych.refusals import Refused
from safety import quarantine
from safety.models import Quarantine

#: End leases and return their slots. A later round becomes an offer again, which its person gets after a release. Both
#: rows are locked, and locked ones are skipped, so it can run while other locks are held.
END_LEASES = f"""
WITH quarantined AS (
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.state = 'leased' AND pair.held = %(held)s
       AND (%(pairs)s::bigint[] IS NULL OR pair.id = ANY(%(pairs)s))
       FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment
       SET state = CASE WHEN round > 0 THEN 'offered' ELSE 'released' END,
           ended_at = CASE WHEN round > 0 THEN NULL ELSE %(now)s END
      FROM quarantined WHERE assignment.id = quarantined.id
    RETURNING assignment.pair_id, assignment.asked_because
)
UPDATE catalog_pair pair SET {slots.ALL_RETURNED}
  FROM (SELECT pair_id, {slots.COUNTED} FROM ended GROUP BY pair_id) returned
 WHERE pair.id = returned.pair_id
"""  # noqa: S608 - of constants


def end_leases(pairs: Collection[int] | None = None) -> int:
    """End the leases of pairs in quarantine, of all of them or of `pairs`. Return how many pairs got slots back.

    A lease that its owner has locked at this moment is skipped. The next call ends it.
    """
    values = {"held": QUARANTINED, "pairs": None if pairs is None else list(pairs), "now": timezone.now()}
    return change(END_LEASES, values)


def end_leases_of_quarantined_pairs(*, pairs: list[int], **_: Any) -> None:
    """End leases when videos are quarantined (receiver of `assets_quarantined`).

    It runs now, and again after the commit for leases that were locked. The sweep ends any that are still left.
    """
    end_leases(pairs)
    transaction.on_commit(lambda: end_leases(pairs), robust=True)


def _mark_shown(assignment: Assignment, now: datetime) -> bool:
    """Record that the pair was on the person's page, and return whether it was or is.

    The next pair is not on the page while the current one is. Offline, however, the page goes on to the next pair by
    itself. In that case there is no current lease after the answer has arrived.
    """
    State, Place = Assignment.State, Assignment.Place
    of_person = Assignment.objects.filter(study=OuterRef("study"), person=OuterRef("person"))
    present = of_person.filter(state=State.LEASED, place=Place.CURRENT)
    was_on_page = (
        Q(shown_at__isnull=False)
        | Q(state__in=[State.SUBMITTED, State.SKIPPED])
        | Q(state=State.LEASED, place=Place.CURRENT)
        | (Q(state__in=[State.LEASED, State.EXPIRED], place=Place.NEXT) & ~Exists(present))
    )
    rows = Assignment.objects.filter(was_on_page, pk=assignment.pk)
    return rows.update(shown_at=Coalesce("shown_at", Value(now))) == 1


class Reported(NamedTuple):
    """The person's next pairs after a report, and the outcome of the report."""

    leased: serving.LeasedPairs
    outcome: str


#: Outcomes of a report. Hidden: nobody can see the videos any more. Held: the pair is held in its study until an
#: officer or a second person agrees. Released: an officer has already released what this person reported.
HIDDEN, HELD, RELEASED = OUTCOMES = ("hidden", "held", "released")


def report(
    assignment: Assignment, person: User, *, videos: Collection[str], care: Mapping[str, Any] | None = None
) -> Reported:
    """Report videos of the person's own assignment as illegal, and lease their next pairs. Repeating it is harmless.

    It uses two transactions, so that neither waits for the other: one locks assets and pairs, the other the seat. If
    the process stops in between, the report is stored and the page asks for its next pairs again.

    Raise Refused if the pair was never shown to the person.
    """
    if not _mark_shown(assignment, timezone.now()):
        raise Refused(_("You can only report a pair that was shown to you."), "not_shown", status=403)
    quarantines = quarantine.report(assignment.pair, videos, by=person)
    return Reported(_release_and_lease_next(assignment, person, care), outcome_of(quarantines))


def outcome_of(quarantines: Collection[Quarantine]) -> str:
    """Return the weakest outcome among the videos."""
    if any(one.released_at is not None for one in quarantines):
        return RELEASED
    return HELD if any(one.everywhere_at is None for one in quarantines) else HIDDEN


@transaction.atomic
def _release_and_lease_next(
    assignment: Assignment, person: User, care: Mapping[str, Any] | None
) -> serving.LeasedPairs:
    study = assignment.study
    seat = locked_seat(person, study)
    assignment = Assignment.objects.select_for_update(of=("self",)).select_related("pair").get(pk=assignment.pk)
    if assignment.state == Assignment.State.LEASED:
        leases.end(assignment.pk, Assignment.State.RELEASED)
    answered = assignment.state == Assignment.State.SUBMITTED
    if care is not None or not answered:
        exposure_reports.record_report(
            assignment,
            person,
            care=care,
            showing="report" if answered else exposure_reports.lease_of(assignment),
            sensitive=assignment.pair.lane == Pair.Lane.SENSITIVE,
        )
    return serving.fill_places(seat, person, study, leases.live_leases(seat))
