"""Return the answers of a suspended person in steps, or count them again. A suspension is a job: see `jobs.engine`.

Each step is one transaction. It locks the job, the lots in review, pairs by id, standings, and batches. So the decision
about a lot comes before a step or after it, and a worker that is killed loses one step.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts import audit
from annotation import asking_again, leases
from annotation.acceptance import SUSPENDED
from catalog import batches
from catalog.models import Batch, Pair
from diptych.database.fixed import fetch_all
from jobs import engine, ordered
from jobs.policy import Policy
from qc import frames
from qc.models import FrameItem, Lot
from suspensions.models import SuspendedAnswer, Suspension

Outcome = SuspendedAnswer.Outcome
#: Answers of one step. Whoever answers one of these pairs waits for at most one step.
A_STEP = 200
TROUBLE = gettext_noop(
    "The database failed several times. Tell the operator of this installation. The log has details."
)
NO_END = gettext_noop(
    "The job was started several times but made no progress. Tell the operator of this installation. The log has "
    "details."
)

#: The counted answers of a person that a choice names, with the state of their batches, the lot in review that has
#: them, and whether an accepted lot has released them. Controls are no data and stay.
RETURNABLE = """
SELECT assignment.id, batch.state AS batch_state,
       (SELECT lot.number FROM qc_lotbatch member JOIN qc_lot lot ON lot.id = member.lot_id
         WHERE member.batch_id = batch.id AND member.undecided AND lot.state = 'in_review') AS lot_number,
       batch.state = 'accepted' OR EXISTS (
           SELECT FROM qc_frameitem item JOIN qc_lot lot ON lot.id = item.lot_id
            WHERE item.assignment_id = assignment.id AND lot.state = 'accepted' AND item.judged_id IS NOT NULL OFFSET 0
       ) AS is_released
  FROM annotation_assignment assignment
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
 WHERE assignment.study_id = %(study)s AND assignment.person_id = %(person)s AND assignment.state = 'submitted'
   AND standing.counted AND pair.kind = 'real' AND %(what)s <> 'none'
   AND (%(since)s::timestamptz IS NULL OR assignment.ended_at >= %(since)s::timestamptz)
   AND (%(lot)s::bigint IS NULL OR EXISTS (
       SELECT FROM qc_frameitem item WHERE item.lot_id = %(lot)s::bigint AND item.assignment_id = assignment.id))
"""
NEXT = f"""
SELECT id FROM ({RETURNABLE}) chosen
 WHERE NOT is_released AND id > %(reached)s AND id <= %(until)s ORDER BY id LIMIT %(most)s
"""  # noqa: S608 - of constants
LOCK_BATCHES = """
SELECT id FROM catalog_batch
 WHERE id IN (SELECT pair.batch_id FROM catalog_pair pair JOIN annotation_assignment assignment
                  ON assignment.pair_id = pair.id WHERE assignment.id = ANY(%(assignments)s))
 ORDER BY id FOR NO KEY UPDATE
"""


def parameters(study: int, person: int, what: str, since: datetime | None, lot: int | None) -> dict[str, Any]:
    """Return the parameters of `RETURNABLE`."""
    return {"study": study, "person": person, "what": what, "since": since, "lot": lot}


def run(suspension_id: int) -> None:
    """Do the work, if it waits and no other worker has it."""
    engine.run(POLICY, suspension_id, work)


def work(job: Suspension) -> None:
    """Return all chosen answers, or count them again. Raises Cancelled and TakenOver."""
    ordered.go_through(POLICY, job, step)


@transaction.atomic
def step(job: Suspension) -> bool:
    """Do the next answers, and store the progress. Return whether any are left."""
    there = engine.locked(POLICY, job.pk, job.fence)
    list(Lot.objects.filter(study=there.study_id, state=Lot.State.IN_REVIEW).select_for_update(no_key=True))
    keys = _restore_next(there) if there.lifting else _return_next(there)
    reached = keys[-1] if keys else there.reached
    engine.get_further(there, steps=there.steps + len(keys), reached=reached)
    return len(keys) == A_STEP


def _return_next(job: Suspension) -> list[int]:
    """Stop counting the next chosen answers. Return the assignments that were looked at.

    The batches are locked before the frames are read. So the review of a lot that starts at this moment freezes its
    answers before that, and they are marked lost here, or after it, and leaves them out.
    """
    values = parameters(job.study_id, job.person_id, job.what, job.since, job.lot_id)
    values |= {"reached": job.reached, "until": job.until, "most": A_STEP}
    keys = [key for (key,) in fetch_all(NEXT, values)]
    stopped = asking_again.stop_counting(job.study, keys, actor=job.asked_by, reason=SUSPENDED)
    fetch_all(LOCK_BATCHES, {"assignments": stopped})
    frozen = FrameItem.objects.filter(frames.UNDECIDED, assignment__in=stopped, lost="")
    lost = set(frozen.values_list("assignment", flat=True))
    frames.mark_withdrawn(stopped)
    SuspendedAnswer.objects.bulk_create(
        SuspendedAnswer(study_id=job.study_id, suspension=job, assignment_id=key, lost=key in lost) for key in stopped
    )
    batches.ask_for_more(Pair.objects.filter(assignments__in=stopped), actor=job.asked_by)
    return keys


def _restore_next(job: Suspension) -> list[int]:
    """Count the next returned answers again, where that is possible. Return the assignments that were looked at."""
    mine = SuspendedAnswer.objects.filter(suspension=job, outcome=Outcome.RETURNED, assignment__gt=job.reached)
    keys = list(mine.order_by("assignment").values_list("assignment", flat=True)[:A_STEP])
    again, taken = asking_again.count_where_free(job.study, keys, actor=job.lifted_by, reason=SUSPENDED)
    fetch_all(LOCK_BATCHES, {"assignments": again})
    frames.bring_back_withdrawn(again)
    decided = set(keys) - set(again) - set(taken)
    for outcome, found in ((Outcome.RESTORED, again), (Outcome.TAKEN, taken), (Outcome.DECIDED, decided)):
        _note(job, found, outcome)
    for batch in Batch.objects.filter(pairs__assignments__in=again, state=Batch.State.OPEN).distinct():
        leases.complete_after_commit(batch.pk)
    return keys


def _note(job: Suspension, assignments: Collection[int], outcome: str) -> None:
    SuspendedAnswer.objects.filter(suspension=job, assignment__in=assignments).update(outcome=outcome)


def counts(job: Suspension) -> Counter[str]:
    """Return how many answers of the suspension have each outcome."""
    return Counter(SuspendedAnswer.objects.filter(suspension=job).values_list("outcome", flat=True))


def record_outcome(job: Suspension) -> None:
    """Write the outcome into the audit record, however the job ended."""
    action = "person.answers_restored" if job.lifting else "person.answers_returned"
    after = {"state": job.state, "person": job.person_id} | dict(counts(job))
    actor = job.lifted_by if job.lifting else job.asked_by
    audit.record(action, job, actor=actor, study_slug=job.study.slug, after=after)


POLICY = Policy(
    model=Suspension,
    name="Suspension",
    task="suspensions.tasks.carry_out_suspension",
    most_attempts=10,  # attempts in a row without progress
    pause=lambda _pauses: timedelta(minutes=1),
    tried_in_vain=TROUBLE,
    begun_in_vain=NO_END,
    ended=record_outcome,
)
