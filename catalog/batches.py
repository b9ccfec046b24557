"""The states of a batch, and every transition between them.

    open → annotated → in review → accepted
                                 → returned → open

`mark_annotated` and `ask_for_more` happen by themselves, when the last answer comes and when more are asked for; the
others are a person's. What people may do in each state is in `annotation/acceptance.py`.

Each transition is one statement on the condition that the batch still is in the state that it leaves, so of two at
once one happens. It stamps when the new state began and writes an audit row. Whoever writes an answer holds the
batch's row, shared, until they commit (decision 023): so a transition comes before an answer or after it. Nothing here
waits for a pair or a seat: lock the pairs first, and call this last in your transaction.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, Func, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog.models import Batch, Pair
from diptych.database.fixed import change, fetch_all
from diptych.refusals import Refused

State = Batch.State

#: The column that says when each state last began.
BEGAN = {
    State.OPEN: "opened_at",
    State.ANNOTATED: "annotated_at",
    State.IN_REVIEW: "review_started_at",
    State.ACCEPTED: "accepted_at",
    State.RETURNED: "returned_at",
}


#: The time at which a row is changed, after the statement has waited for its lock.
NOW = Func(function="clock_timestamp", output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Transition:
    """From which state to which, and what the audit record calls it."""

    before: State
    after: State
    action: str


MARK_ANNOTATED = Transition(State.OPEN, State.ANNOTATED, "batch.annotated")
ASK_FOR_MORE = Transition(State.ANNOTATED, State.OPEN, "batch.opened_again")
START_REVIEW = Transition(State.ANNOTATED, State.IN_REVIEW, "batch.review_started")
ACCEPT = Transition(State.IN_REVIEW, State.ACCEPTED, "batch.accepted")
RETURN = Transition(State.IN_REVIEW, State.RETURNED, "batch.returned")
OPEN_AGAIN = Transition(State.RETURNED, State.OPEN, "batch.opened_again")


# --- What a person does -------------------------------------------------------------------------------------


def start_review(batch: Batch, *, actor: User) -> bool:
    """Begin to check an annotated batch: from now on it takes neither answers nor changes of them.

    Pairs that are held are not waited for. Return False if the review has begun before. Raise Refused from any
    other state.
    """
    return _change(batch, START_REVIEW, actor=actor)


def accept(batch: Batch, *, actor: User, reason: str) -> bool:
    """Accept a batch in review. Return False if it is accepted already. Raise Refused from any other state."""
    return _change(batch, ACCEPT, actor=actor, reason=reason)


def return_batch(batch: Batch, *, actor: User, reason: str) -> bool:
    """Return a batch in review. It takes answers and changes again.

    Return False if it is returned already. Raise Refused from any other state.
    """
    return _change(batch, RETURN, actor=actor, reason=reason)


def open_again(batch: Batch, *, actor: User) -> bool:
    """Open a returned batch, once it is decided what is asked again. Return False if it is open already.

    Raise Refused from any other state.
    """
    return _change(batch, OPEN_AGAIN, actor=actor)


@transaction.atomic
def _change(batch: Batch, transition: Transition, *, actor: User, reason: str = "") -> bool:
    """Carry out a transition that a person asked for, and bring `batch` up to date."""
    before, after = transition.before, transition.after
    changed = Batch.objects.filter(pk=batch.pk, state=before).update(**_began(after))
    batch.refresh_from_db()
    if changed:
        _record(batch, transition, actor, {"reason": reason} if reason else {})
        return True
    if batch.state == after:
        return False
    about = {"number": batch.number, "state": batch.get_state_display(), "needed": before.label}
    raise Refused(
        _("Batch %(number)s is %(state)s. Nothing was changed: this action needs a batch that is %(needed)s.") % about
    )


def _began(state: State) -> dict[str, Any]:
    """Return what is written when a state begins."""
    return {"state": state, BEGAN[state]: NOW}


def _record(batch: Batch, transition: Transition, actor: User | None, after: dict[str, Any]) -> None:
    audit.record(
        transition.action,
        batch,
        actor=actor,
        study_slug=batch.study.slug,
        before={"state": transition.before},
        after={"number": batch.number, "state": transition.after} | after,
    )


# --- What happens by itself -----------------------------------------------------------------------------------

#: Every pair that is not held has all the answers that are wanted, and there is one. `{leased}`: see `mark_annotated`.
#: `OFFSET 0` keeps it a look into an index for each batch, which ends at the first pair that is wanted: turned into a
#: join it would read every pair of every study.
COMPLETE = """
       NOT EXISTS (SELECT FROM catalog_pair pair WHERE pair.batch_id = batch.id AND pair.held = ''
                      AND (pair.open_slots > 0 OR {leased}) OFFSET 0)
       AND EXISTS (SELECT FROM catalog_pair pair WHERE pair.batch_id = batch.id AND pair.held = '' OFFSET 0)
"""
LOCKED = "SELECT id FROM catalog_batch WHERE id = %(batch)s AND state = 'open' FOR UPDATE"
ANNOTATED = f"""
UPDATE catalog_batch batch SET state = 'annotated', annotated_at = clock_timestamp()
 WHERE batch.id = %(batch)s AND batch.state = 'open' AND {COMPLETE}
"""  # noqa: S608 - of a constant
COMPLETE_AND_OPEN = f"""
SELECT batch.id FROM catalog_batch batch WHERE batch.state = 'open' AND {COMPLETE} ORDER BY batch.id LIMIT 500
"""  # noqa: S608 - of a constant


@transaction.atomic
def mark_annotated(batch_id: int, *, leased: str) -> bool:
    """Move an open batch to annotated if nothing is wanted of it any more. Held pairs are not waited for.

    1. Lock its row. Answers that are being written at this moment hold it shared, and so do those who ask for more:
       they are waited for.
    2. Only then look whether anything is wanted, in the statement that changes the state, so that of the last two
       answers of a batch, at once, one finds it complete.

    Args:
        leased: SQL that is true of a row `pair` while somebody holds a lease of it. Leases are rows of a higher app.
    """
    if not fetch_all(LOCKED, {"batch": batch_id}):
        return False
    if not change(ANNOTATED.format(leased=leased), {"batch": batch_id}):
        return False
    _record(Batch.objects.select_related("study").get(pk=batch_id), MARK_ANNOTATED, None, {})
    return True


def complete_and_open(*, leased: str) -> list[int]:
    """Return open batches, at most 500, of which nothing is wanted any more. `leased`: as for `mark_annotated`."""
    return [batch_id for (batch_id,) in fetch_all(COMPLETE_AND_OPEN.format(leased=leased), {})]


#: The weakest lock, which only `mark_annotated` waits for or makes wait: people go on answering.
LOCKED_AGAINST_ANNOTATED = """
SELECT id FROM catalog_batch WHERE id = ANY(%(batches)s) AND state IN ('open', 'annotated') ORDER BY id FOR KEY SHARE
"""


@transaction.atomic
def ask_for_more(pairs: QuerySet[Pair], *, actor: User | None = None) -> int:
    """Move the annotated batches of these pairs, which want answers again, back to open. Return how many.

    Call it in the transaction that opened slots, ended holds or added pairs, after the change. Held pairs are left out.
    Of a pair that was held somebody may hold a lease, which is not known here: its batch is opened in any case, and is
    annotated again by itself.

    1. Lock the batches, the open ones too: `mark_annotated`, which does not see this transaction yet, then comes
       before it or after it.
    2. Move those that are annotated now.
    """
    keys = set(pairs.filter(held="").values_list("batch_id", flat=True))
    if not keys:
        return 0
    locked = fetch_all(LOCKED_AGAINST_ANNOTATED, {"batches": list(keys)})
    moved = 0
    annotated = Batch.objects.filter(pk__in=[pk for (pk,) in locked], state=State.ANNOTATED)
    for batch in annotated.select_related("study").order_by("pk"):
        if Batch.objects.filter(pk=batch.pk, state=State.ANNOTATED).update(**_began(State.OPEN)):
            _record(batch, ASK_FOR_MORE, actor, {})
            moved += 1
    return moved
