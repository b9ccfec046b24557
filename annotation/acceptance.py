"""What each state of a study and of a batch accepts from annotators. Every write that depends on a state asks here.

`docs/accepted-by-state.md` is the whole table, written by the test that walks it. In every state a live lease can be
renewed, a draft of it saved and its pair skipped; a pair can always be reported and released.

A lease is live until its `expires_at`, whether or not the sweep has passed since: what is accepted never depends on
when the sweep ran. What depends on a state that may change at this moment is decided under a lock, see decision 023.
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
    """What a study accepts in one state, apart from what every state does."""

    #: Leasing a new pair, promoting the next one, and taking back a pair whose lease has ended.
    leases: bool
    #: Saving a draft and skipping after the lease has ended.
    after_lease: bool
    #: A first answer after the lease has ended is counted if its pair has a free slot; else it is kept as surplus.
    counts_late: bool
    revisions: bool


@dataclass(frozen=True, slots=True)
class BatchAccepts:
    """What the pairs of a batch accept in one state. `revisions` are the annotators', `corrections` the reviewers'."""

    #: As of a study. Answers to pairs of a batch that is being checked would be work for nothing.
    leases: bool
    #: A first answer is counted; else it is kept as surplus.
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

#: Reasons for which an answer does not count (`Standing.uncounted_reason`). It never did: its slot had gone to somebody
#: else, or it came too late for the study or for the batch.
SURPLUS, SURPLUS_STUDY_CLOSED, SURPLUS_BATCH_CLOSED = "surplus", "surplus_study_closed", "surplus_batch_closed"
SURPLUS_REASONS = (SURPLUS, SURPLUS_STUDY_CLOSED, SURPLUS_BATCH_CLOSED)
#: It counted until review rejected it, or returned it to its person, so that the pair is asked again.
ASKED_AGAIN = (REJECTED, RETURNED) = ("rejected", "returned")


def surplus_reason(standing: Standing) -> str:
    """Return why an answer is kept and not counted; empty if it is counted. A reason of review is not said here: it is
    shared only where the study shares it."""
    if standing.counted:
        return ""
    return standing.uncounted_reason if standing.uncounted_reason in SURPLUS_REASONS else SURPLUS


LEASING_BATCHES = [state for state, accepts in BY_BATCH.items() if accepts.leases]


def _listed(states: Iterable[str]) -> str:
    """The states as SQL."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"


# Conditions for statements, which read the states as they are when the statement begins. Subqueries, so that a
# condition never becomes a join that reads more than one row.
_STUDY = "(SELECT study.state FROM studies_study study WHERE study.id = {id})"
_BATCH = "(SELECT batch.state FROM catalog_batch batch WHERE batch.id = pair.batch_id)"
#: Of a statement with the parameter `study`.
STUDY_LEASES = (
    f"{_STUDY.format(id='%(study)s')} IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.leases)}"
)
#: Of a statement that has a row `assignment`.
STUDY_TAKES_WORK_AFTER_LEASE = (
    f"{_STUDY.format(id='assignment.study_id')} "
    f"IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.after_lease)}"
)
#: Of a statement that has a row `pair`.
BATCH_LEASES = f"{_BATCH} IN {_listed(LEASING_BATCHES)}"
#: Of a statement that has a row `study`, or `batch`.
COUNTS_LATE = f"study.state IN {_listed(state for state, accepts in BY_STUDY.items() if accepts.counts_late)}"
COUNTS = f"batch.state IN {_listed(state for state, accepts in BY_BATCH.items() if accepts.counts)}"

BATCH_SHARED = """
SELECT batch.state FROM catalog_pair pair JOIN catalog_batch batch ON batch.id = pair.batch_id
 WHERE pair.id = %(pair)s FOR SHARE OF batch
"""
STUDY_SHARED = "SELECT study.state FROM studies_study study WHERE study.id = %(study)s FOR SHARE OF study"


def locked_states(assignment: Assignment) -> tuple[str, str]:
    """Return the states of the assignment's study and batch, which nobody changes until this transaction ends: both
    rows are locked, shared. Where the pair is to be changed as well, lock it first."""
    values = {"pair": assignment.pair_id, "study": assignment.study_id}
    # A batch that was left empty and removed while we waited for it: the pair has another one by now.
    batch = fetch_one(BATCH_SHARED, values) or fetch_one(BATCH_SHARED, values)
    study = fetch_one(STUDY_SHARED, values)
    assert batch is not None  # noqa: S101 - a foreign key
    assert study is not None  # noqa: S101 - a foreign key
    return str(study[0]), str(batch[0])


def is_live(assignment: Assignment, now: datetime) -> bool:
    """Whether the person holds the lease."""
    return assignment.state == Assignment.State.LEASED and assignment.expires_at > now


def has_withdrawn(seat: Seat) -> bool:
    """Whether the person of the seat agrees to nothing any more, or has not agreed yet. Newer terms do not end the work
    on the pair in hand; they are asked about before the next one."""
    return seat.consented_version == 0


# --- What a person is told where something is refused ---------------------------------------------------------

#: For programs.
CONSENT, STUDY_CLOSED = "consent", "study_closed"


def consent_needed() -> str:
    return _(
        "You have withdrawn your consent to this study, so nothing was saved. Agree again under “Content I agree to"
        " see”, then send it again."
    )


def lease_ended_study_closed() -> str:
    return _(
        "The study is closed, and your time on this pair ran out. You can still submit your answer: it is kept, but"
        " not counted."
    )
