"""What a report of illegal material means for people at work: the pair leaves every desk, and costs nobody anything.

An answer that comes afterwards, from somebody who had the pair before them, is kept as surplus: `submission.WRITE`
takes no slot of a held pair.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotation import exposure, leases, serving
from annotation.models import Assignment, Exposure
from annotation.seats import take_seat
from catalog import quarantine
from catalog.models.pairs import QUARANTINED
from diptych.database.fixed import change

#: Ends leases and returns their slots. Locks both rows and waits for neither, so it may run while anything is locked.
END_LEASES = """
WITH dark AS (
    SELECT assignment.id, assignment.pair_id
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.state = 'leased' AND pair.held = %(held)s
       AND (%(pairs)s::bigint[] IS NULL OR pair.id = ANY(%(pairs)s))
       FOR NO KEY UPDATE SKIP LOCKED
), ended AS (
    UPDATE annotation_assignment assignment SET state = 'released', ended_at = %(now)s
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


def report(
    assignment: Assignment, person: User, *, videos: Collection[str], care: Mapping[str, Any] | None = None
) -> serving.Desk:
    """Reports videos of the person's own assignment as illegal, and fills their desk again. Repeating is harmless.

    Two transactions: the quarantine locks assets and pairs, the desk locks the seat, and neither waits for the other.
    Cut off in between, the report stands and the page asks for the desk anew.
    """
    quarantine.report(assignment.pair, videos, by=person)
    return _leave(assignment, person, care)


@transaction.atomic
def _leave(assignment: Assignment, person: User, care: Mapping[str, Any] | None) -> serving.Desk:
    study = assignment.study
    seat = take_seat(person, study)
    assignment = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if assignment.state == Assignment.State.LEASED:
        leases.end(assignment.pk, Assignment.State.RELEASED)
    settled = Exposure.objects.filter(assignment=assignment, revealed_s__isnull=False).exists()
    if assignment.state != Assignment.State.SUBMITTED and not settled:
        exposure.settle(assignment, person, care=care)
    return serving.fill(seat, person, study, leases.held_leases(seat))
