"""What a report of illegal material means for people at work: the pair leaves every desk, and costs nobody anything.

An answer that comes afterwards, from somebody who had the pair before them, is kept as surplus: `submission.WRITE`
takes no slot of a held pair.
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
from annotation.seats import take_seat
from catalog.models import Pair
from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import change
from diptych.refusals import Refused
from safety import quarantine
from safety.models import Quarantine

#: Ends leases and returns their slots. A later round is offered again: its person gets it after a release. Locks both
#: rows and waits for neither, so it may run while anything is locked.
END_LEASES = """
WITH dark AS (
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.state = 'leased' AND pair.held = %(held)s
       AND (%(pairs)s::bigint[] IS NULL OR pair.id = ANY(%(pairs)s))
       FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment
       SET state = CASE WHEN round > 0 THEN 'offered' ELSE 'released' END,
           ended_at = CASE WHEN round > 0 THEN NULL ELSE %(now)s END
      FROM dark WHERE assignment.id = dark.id
    RETURNING assignment.pair_id
)
UPDATE catalog_pair pair SET open_slots = pair.open_slots + returned.slots
  FROM (SELECT pair_id, count(*) AS slots FROM ended GROUP BY pair_id) returned
 WHERE pair.id = returned.pair_id
"""


def end_leases(pairs: Collection[int] | None = None) -> int:
    """Ends the leases of pairs in quarantine, all of them or those of `pairs`; how many pairs got slots back.

    A lease whose owner is just doing something with it is passed over: the next call finds it.
    """
    values = {"held": QUARANTINED, "pairs": None if pairs is None else list(pairs), "now": timezone.now()}
    return change(END_LEASES, values)


def take_off_desks(*, pairs: list[int], **_: Any) -> None:
    """Receiver of `assets_quarantined`: ends the leases now, and after the commit those that were in use meanwhile;
    what even that passes over, the sweep ends."""
    end_leases(pairs)
    transaction.on_commit(lambda: end_leases(pairs), robust=True)


def _mark_shown(assignment: Assignment, now: datetime) -> bool:
    """Note that the pair was on the person's page, if it is or was there. Return whether that is so.

    The next pair, which waits behind the present one, is not on the page. Without a network the page itself goes on to
    it; then nothing is leased in the present one's place once its answer has arrived.
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
    """What lies before the person after a report, and what became of it."""

    desk: serving.Desk
    outcome: str


#: What became of a report: the videos are out of everything; or the pair is held in its study until an officer or a
#: second person agrees; or an officer has looked before, and released what this person reported.
HIDDEN, HELD, RELEASED = OUTCOMES = ("hidden", "held", "released")


def report(
    assignment: Assignment, person: User, *, videos: Collection[str], care: Mapping[str, Any] | None = None
) -> Reported:
    """Reports videos of the person's own assignment as illegal, and fills their desk again. Repeating is harmless.

    Two transactions: the quarantine locks assets and pairs, the desk locks the seat, and neither waits for the other.
    Cut off in between, the report stands and the page asks for the desk anew. Raises Refused.
    """
    if not _mark_shown(assignment, timezone.now()):
        raise Refused(_("You can only report a pair that was shown to you."), "not_shown", status=403)
    quarantines = quarantine.report(assignment.pair, videos, by=person)
    return Reported(_leave(assignment, person, care), outcome_of(quarantines))


def outcome_of(quarantines: Collection[Quarantine]) -> str:
    """The weakest of what became of each video."""
    if any(one.released_at is not None for one in quarantines):
        return RELEASED
    return HELD if any(one.everywhere_at is None for one in quarantines) else HIDDEN


@transaction.atomic
def _leave(assignment: Assignment, person: User, care: Mapping[str, Any] | None) -> serving.Desk:
    study = assignment.study
    seat = take_seat(person, study)
    assignment = Assignment.objects.select_for_update(of=("self",)).select_related("pair").get(pk=assignment.pk)
    if assignment.state == Assignment.State.LEASED:
        leases.end(assignment.pk, Assignment.State.RELEASED)
    answered = assignment.state == Assignment.State.SUBMITTED
    if care is not None or not answered:
        exposure_reports.settle(
            assignment,
            person,
            care=care,
            showing="report" if answered else exposure_reports.lease_of(assignment),
            sensitive=assignment.pair.lane == Pair.Lane.SENSITIVE,
        )
    return serving.fill(seat, person, study, leases.held_leases(seat))
