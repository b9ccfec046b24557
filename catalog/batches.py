"""The states of a batch, and every transition between them.

    open → annotated → in review → accepted
                                 → returned → open

If a decision is taken back, the batch is in review again.

`mark_annotated` and `ask_for_more` happen automatically: when the last answer is submitted, and when more answers are
requested. A person makes the other transitions. `annotation/acceptance.py` says what people may do in each state.

Each transition is one statement. Its condition is that the batch is still in the old state, so of two concurrent
transitions only one happens. The statement stores when the new state began, and an audit row is written. A transaction
that writes an answer holds a shared lock on the batch's row until it commits (decision 023). So a transition comes
either before an answer or after it. Nothing here waits for a pair or a seat: lock the pairs first, and call these
functions last in your transaction.
"""

from collections.abc import Collection
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


#: The time at which a row is changed, read after the statement has waited for its lock.
NOW = Func(function="clock_timestamp", output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state, with its name in the audit record."""

    before: State
    after: State
    action: str


MARK_ANNOTATED = Transition(State.OPEN, State.ANNOTATED, "batch.annotated")
ASK_FOR_MORE = Transition(State.ANNOTATED, State.OPEN, "batch.opened_again")
START_REVIEW = Transition(State.ANNOTATED, State.IN_REVIEW, "batch.review_started")
ACCEPT = Transition(State.IN_REVIEW, State.ACCEPTED, "batch.accepted")
RETURN = Transition(State.IN_REVIEW, State.RETURNED, "batch.returned")
OPEN_AGAIN = Transition(State.RETURNED, State.OPEN, "batch.opened_again")
#: A decision about the batch was taken back.
TAKE_BACK = {
    before: Transition(before, State.IN_REVIEW, "batch.review_resumed")
    for before in (State.ACCEPTED, State.RETURNED, State.OPEN, State.ANNOTATED)
}


# --- Transitions that people make -----------------------------------------------------------------------------


def start_review(batch: Batch, *, actor: User) -> bool:
    """Start the review of an annotated batch. After that it accepts neither answers nor changes of answers.

    Held pairs do not delay the review. Return False if the review had already started. Raise Refused in any other
    state.
    """
    return _change(batch, START_REVIEW, actor=actor)


def accept(batch: Batch, *, actor: User, reason: str) -> bool:
    """Accept a batch in review. Return False if it is already accepted. Raise Refused in any other state."""
    return _change(batch, ACCEPT, actor=actor, reason=reason)


def return_batch(batch: Batch, *, actor: User, reason: str) -> bool:
    """Return a batch in review to its annotators. It accepts answers and changes again.

    Return False if it is already returned. Raise Refused in any other state.
    """
    return _change(batch, RETURN, actor=actor, reason=reason)


def open_again(batch: Batch, *, actor: User) -> bool:
    """Open a returned batch, after the reviewers have decided which pairs are asked again.

    Return False if it is already open. Raise Refused in any other state.
    """
    return _change(batch, OPEN_AGAIN, actor=actor)


def review_again(batch: Batch, *, actor: User, reason: str) -> bool:
    """Take back the decision about a batch, so that it is in review again. The caller checks that it was decided.

    Return False if it is already in review. Raise Refused if its state changed at the same moment.
    """
    batch.refresh_from_db()
    if batch.state == State.IN_REVIEW:
        return False
    return _change(batch, TAKE_BACK[State(batch.state)], actor=actor, reason=reason)


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
    """Return the columns that are written when a state begins."""
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


# --- Automatic transitions -------------------------------------------------------------------------------------

#: True if every pair that is not held has all the answers it needs, and if there is such a pair. Pairs in `left_out`
#: may need more. `{leased}`: see `mark_annotated`. `OFFSET 0` keeps the planner from making a join, which would read
#: every pair of every study. As a subquery it is one index lookup for each batch, and ends at the first pair that needs
#: answers.
COMPLETE = """
       NOT EXISTS (SELECT FROM catalog_pair pair WHERE pair.batch_id = batch.id AND pair.held = ''
                      AND (pair.open_slots > 0 AND pair.id <> ALL(%(left_out)s::bigint[]) OR {leased}) OFFSET 0)
       AND EXISTS (SELECT FROM catalog_pair pair WHERE pair.batch_id = batch.id AND pair.held = '' OFFSET 0)
"""
LOCKED = "SELECT id FROM catalog_batch WHERE id = %(batch)s AND state = 'open' AND number > 0 FOR UPDATE"
ANNOTATED = f"""
UPDATE catalog_batch batch SET state = 'annotated', annotated_at = clock_timestamp()
 WHERE batch.id = %(batch)s AND batch.state = 'open' AND {COMPLETE}
"""  # noqa: S608 - of a constant
COMPLETE_AND_OPEN = f"""
SELECT batch.id FROM catalog_batch batch
 WHERE batch.state = 'open' AND batch.number > 0 AND {COMPLETE} ORDER BY batch.id LIMIT 500
"""  # noqa: S608 - of a constant


@transaction.atomic
def mark_annotated(batch_id: int, *, leased: str, left_out: Collection[int] = (), actor: User | None = None) -> bool:
    """Move an open batch to annotated if it needs no more answers. Return whether it moved.

    Held pairs do not delay this.

    1. Lock the row of the batch. This waits for transactions that write an answer or ask for more: they hold the row
       with a shared lock.
    2. Then check, in the statement that changes the state, whether any answer is still needed. So when the last two
       answers of a batch are submitted at the same time, one of them finds the batch complete.

    Args:
        leased: SQL that is true of a row `pair` while someone has a lease on it. Leases are rows of a higher app.
        left_out: keys of pairs whose missing answers do not delay it, because nobody can give them.
        actor: the person who left these pairs out.
    """
    if not fetch_all(LOCKED, {"batch": batch_id}):
        return False
    if not change(ANNOTATED.format(leased=leased), {"batch": batch_id, "left_out": list(left_out)}):
        return False
    without = {"left_out": len(left_out)} if left_out else {}
    _record(Batch.objects.select_related("study").get(pk=batch_id), MARK_ANNOTATED, actor, without)
    return True


def complete_and_open(*, leased: str) -> list[int]:
    """Return at most 500 open batches that need no more answers. `leased`: as for `mark_annotated`."""
    return [batch_id for (batch_id,) in fetch_all(COMPLETE_AND_OPEN.format(leased=leased), {"left_out": []})]


#: The weakest lock. Only `mark_annotated` conflicts with it, so people can go on answering.
LOCKED_AGAINST_ANNOTATED = """
SELECT id FROM catalog_batch WHERE id = ANY(%(batches)s) AND state IN ('open', 'annotated') ORDER BY id FOR KEY SHARE
"""


@transaction.atomic
def ask_for_more(pairs: QuerySet[Pair], *, actor: User | None = None) -> int:
    """Move annotated batches back to open if these pairs of theirs need answers again. Return how many moved.

    Call it in the transaction that opened slots, ended holds or added pairs, after that change. Held pairs are left
    out. Someone may have a lease on a pair that was held, which this module cannot know. Such a batch is opened too,
    and becomes annotated again automatically.

    1. Lock the batches, including the open ones. `mark_annotated` does not see this transaction yet, so the lock makes
       it come either before or after.
    2. Move the batches that are annotated now.
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
