"""What each state of a study and of a batch accepts from annotators. Every write that depends on a state asks here.

`docs/accepted-by-state.md` has the whole table. The test that tries every state writes it. In every state, a person can
renew a live lease, save a draft of it and skip its pair. They can always report and release a pair.

A lease is live until its `expires_at`, whether or not the sweep has run since. What is accepted never depends on when
the sweep ran. A decision that depends on a state is made under a lock, because the state may change at the same moment
(decision 023).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from annotation.models import Assignment, Seat, Standing
from catalog.models import Batch
from diptych.database.fixed import fetch_one
from studies.models import Study


@dataclass(frozen=True, slots=True)
class StudyAccepts:
    """What a study accepts in one state, in addition to what every state accepts."""

    #: Lease a new pair, promote the next one, and renew a lease that has ended.
    leases: bool
    #: Save a draft and skip after the lease has ended.
    after_lease: bool
    #: Count a first answer after its lease has ended, if its pair has a free slot. Otherwise the answer is surplus.
    counts_late: bool
    revisions: bool


@dataclass(frozen=True, slots=True)
class BatchAccepts:
    """What a batch accepts for its pairs in one state. Annotators write `revisions`, reviewers write `corrections`."""

    #: Lease, as for a study. An answer to a pair of a batch that is being checked would not count.
    leases: bool
    #: Count a first answer. Otherwise it is kept as surplus.
    counts: bool
    revisions: bool
    corrections: bool = True


BY_STUDY: dict[str, StudyAccepts] = {
    Study.State.RUNNING: StudyAccepts(leases=True, after_lease=True, counts_late=True, revisions=True),
    Study.State.PAUSED: StudyAccepts(leases=False, after_lease=True, counts_late=True, revisions=True),
    Study.State.CLOSED: StudyAccepts(leases=False, after_lease=False, counts_late=False, revisions=False),
}
_TAKES_WORK = BatchAccepts(leases=True, counts=True, revisions=True)
_IS_CHECKED = BatchAccepts(leases=False, counts=False, revisions=False)
BY_BATCH: dict[str, BatchAccepts] = {
    Batch.State.OPEN: _TAKES_WORK,
    Batch.State.ANNOTATED: _TAKES_WORK,
    Batch.State.IN_REVIEW: _IS_CHECKED,
    Batch.State.ACCEPTED: BatchAccepts(leases=False, counts=False, revisions=False, corrections=False),
    Batch.State.RETURNED: _TAKES_WORK,
}

#: Reasons why an answer does not count (`Standing.uncounted_reason`). These answers never counted: another answer took
#: the slot, or the answer came too late for the study or for the batch.
SURPLUS, SURPLUS_STUDY_CLOSED, SURPLUS_BATCH_CLOSED = "surplus", "surplus_study_closed", "surplus_batch_closed"
#: The person was suspended when their answer arrived.
SURPLUS_SUSPENDED = "surplus_suspended"
SURPLUS_REASONS = (SURPLUS, SURPLUS_STUDY_CLOSED, SURPLUS_BATCH_CLOSED, SURPLUS_SUSPENDED)
#: These answers counted until a reviewer rejected them or returned them to their person, until their lot was returned
#: and somebody chose to ask for them again, or until their person was suspended. The pair is then asked again.
ASKED_AGAIN = (REJECTED, RETURNED, LOT_RETURNED, SUSPENDED) = ("rejected", "returned", "lot_returned", "suspended")


def surplus_reason(standing: Standing) -> str:
    """Return why an answer is kept but not counted, or an empty string.

    Reasons of reviewers are not returned: people see them only if the study shares feedback.
    """
    if standing.counted:
        return ""
    return standing.uncounted_reason if standing.uncounted_reason in SURPLUS_REASONS else SURPLUS


LEASING_BATCHES = [state for state, accepts in BY_BATCH.items() if accepts.leases]


def _listed(states: Iterable[str]) -> str:
    """Return the states as an SQL list."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"


# SQL conditions on states. They read each state as it is when the statement begins. They are subqueries because a join
# could read more than one row.
_STUDY = "(SELECT study.state FROM studies_study study WHERE study.id = {id})"
_BATCH = "(SELECT batch.state FROM catalog_batch batch WHERE batch.id = pair.batch_id)"
#: For a statement with the parameter `study`.
STUDY_LEASES = (
    f"{_STUDY.format(id='%(study)s')} IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.leases)}"
)
#: For a statement that has a row `assignment`.
STUDY_TAKES_WORK_AFTER_LEASE = (
    f"{_STUDY.format(id='assignment.study_id')} "
    f"IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.after_lease)}"
)
#: For a statement that has a row `pair`.
BATCH_LEASES = f"{_BATCH} IN {_listed(LEASING_BATCHES)}"
#: For a statement that has a row `study` or a row `batch`.
COUNTS_LATE = f"study.state IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.counts_late)}"
COUNTS = f"batch.state IN {_listed(state for state, accepts in BY_BATCH.items() if accepts.counts)}"

BATCH_SHARED = """
SELECT batch.state FROM catalog_pair pair JOIN catalog_batch batch ON batch.id = pair.batch_id
 WHERE pair.id = %(pair)s FOR SHARE OF batch
"""
STUDY_SHARED = "SELECT study.state FROM studies_study study WHERE study.id = %(study)s FOR SHARE OF study"


def locked_states(assignment: Assignment) -> tuple[str, str]:
    """Return the states of the assignment's study and batch, with both rows share-locked until the transaction ends.

    To change the pair as well, lock it before you call this.
    """
    values = {"pair": assignment.pair_id, "study": assignment.study_id}
    # The batch may have been left empty and deleted while we waited for its lock. The pair is then in another batch.
    batch = fetch_one(BATCH_SHARED, values) or fetch_one(BATCH_SHARED, values)
    study = fetch_one(STUDY_SHARED, values)
    assert batch is not None  # noqa: S101 - a foreign key
    assert study is not None  # noqa: S101 - a foreign key
    return str(study[0]), str(batch[0])


def is_live(assignment: Assignment, now: datetime) -> bool:
    """Return whether the lease of the assignment is live."""
    return assignment.state == Assignment.State.LEASED and assignment.expires_at > now


def is_suspended(seat: Seat) -> bool:
    """Return whether the person is suspended: they get no pairs, and what they still send does not count."""
    return seat.suspended_at is not None


def has_withdrawn(seat: Seat) -> bool:
    """Return whether the person of the seat has withdrawn their consent, or has never given it.

    Newer terms do not end the work on the current pair. The person is asked about them before the next pair.
    """
    return seat.consented_version == 0


# --- Error sentences ------------------------------------------------------------------------------------------

#: Error codes.
CONSENT, STUDY_CLOSED = "consent", "study_closed"


def consent_needed() -> str:
    return _(
        "You have withdrawn your consent to this study, so nothing was saved. To go on, agree again under"
        " “Content I agree to see”."
    )


def lease_ended_study_closed() -> str:
    return _(
        "The study is closed, and your time on this pair ran out. You can still submit your answer: it is kept, but"
        " not counted."
    )
