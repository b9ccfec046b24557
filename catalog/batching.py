"""List a study's batches, and regroup the pairs that no one has answered or leased yet."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop

from catalog.models import Batch, PairsChange
from catalog.models.pairs import usable
from diptych.database import locks
from diptych.database.fixed import change, fetch_all
from diptych.refusals import Refused
from studies.deletion import delete
from studies.models import Study

BATCHES_A_PAGE = 50


def batches_of(study: Study) -> QuerySet[Batch, Any]:
    """Return the batches in order, each with counts. The batch of the controls is left out.

    `.pair_count` counts its pairs and `.held_count` the held ones. Both leave out pairs in quarantine, as the library
    does. `.wanted` is how many answers the pairs need, and `.taken` how many of these are submitted or in progress.
    """
    listed = usable("pairs__")
    return (
        Batch.objects.filter(study=study, number__gt=0)
        .annotate(
            pair_count=Count("pairs", filter=listed),
            held_count=Count("pairs", filter=listed & ~Q(pairs__held="")),
            wanted=Coalesce(Sum("pairs__wanted"), 0),
            taken=Coalesce(Sum(F("pairs__wanted") - F("pairs__open_slots")), 0),
        )
        .order_by("number")
    )


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Counts of one batch: answers that count, and pairs that are being answered now."""

    counted: int = 0
    pairs_leased: int = 0


#: Functions of higher apps that count the answers of some batches, by the key of the batch. They register in `ready()`.
answer_counts: dict[str, Callable[[Collection[int]], Mapping[int, AnswerCounts]]] = {}


def answer_counts_of(batches: Collection[Batch]) -> dict[int, AnswerCounts]:
    """Return the answers of each of these batches, by the key of the batch. Pairs in quarantine are left out."""
    found: dict[int, AnswerCounts] = {batch.pk: AnswerCounts() for batch in batches}
    for count in answer_counts.values():
        found |= count(list(found))
    return found


#: Pairs without a live lease or a counted answer, in a batch that is still open. Held pairs are regrouped too: after
#: their release they belong to a batch like any other pair.
FREE = """
  FROM catalog_pair pair
  JOIN catalog_batch batch ON batch.id = pair.batch_id AND batch.state = 'open'
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE pair.study_id = %(study)s AND pair.kind = 'real' AND pair.open_slots = pair.wanted
   AND (%(prompt_type)s = '' OR prompt.prompt_type = %(prompt_type)s)
"""
COUNT_FREE = f"SELECT count(*) {FREE}"

#: 1. Lock the free pairs. Statements that lease pairs skip locked rows. If another transaction has locked a pair, wait
#:    for it and read the row again: if the pair was leased meanwhile, it stays in its batch.
#: 2. Number the new batches in the order in which pairs are served, after the study's last number.
#: 3. Create the batches, and move the pairs into them.
REGROUP = f"""
WITH free AS (
    SELECT pair.id, pair.priority {FREE} AND pair.id <= %(until)s
     ORDER BY pair.id FOR NO KEY UPDATE OF pair
), last AS (
    SELECT coalesce(max(number), 0) AS number FROM catalog_batch WHERE study_id = %(study)s
), placed AS (
    SELECT id, last.number + 1 + (row_number() OVER (ORDER BY priority DESC, id) - 1) / %(size)s AS number
      FROM free, last
), made AS (
    INSERT INTO catalog_batch (study_id, number, state)
    SELECT DISTINCT %(study)s, number, 'open' FROM placed
    RETURNING id, number
), moved AS (
    UPDATE catalog_pair pair SET batch_id = made.id
      FROM placed JOIN made USING (number) WHERE pair.id = placed.id
    RETURNING pair.id
)
SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM made), (SELECT min(number) FROM made)
"""  # noqa: S608 - of constants

#: Conditions of higher apps for batches that stay, even if they have no pairs: a lot may have them. They register in
#: `ready()`.
kept_empty: list[Callable[[], Q]] = []


def empty_batches(study_id: int) -> QuerySet[Batch]:
    """Return the study's batches without pairs that nothing else uses, so that they can be deleted."""
    found = Batch.objects.filter(study=study_id, pairs=None, number__gt=0)
    for kept in kept_empty:
        found = found.exclude(kept())
    return found


#: Locks the pairs by id. Those that need answers, or are held, leave their decided batches.
UNFINISHED = """
SELECT pair.id FROM catalog_pair pair
 WHERE pair.batch_id = ANY(%(batches)s) AND (pair.open_slots > 0 OR pair.held <> '')
 ORDER BY pair.id FOR NO KEY UPDATE OF pair
"""
MOVE = "UPDATE catalog_pair SET batch_id = %(batch)s WHERE id = ANY(%(pairs)s)"


def move_unfinished(study: Study, batches: Collection[Batch]) -> tuple[int, Batch | None]:
    """Move the pairs of these batches that need answers or are held to the study's last batch, if that one is open.

    Otherwise they get a new batch. Return how many pairs moved, and the batch that they are in now. Call it in the
    transaction that accepts the batches, before their state changes.

    The last batch is locked, as an import does, so that no other transaction numbers a batch or starts a review.
    """
    pairs = [pk for (pk,) in fetch_all(UNFINISHED, {"batches": [batch.pk for batch in batches]})]
    if not pairs:
        return 0, None
    last = locked_last_batch(study)
    if last.state == Batch.State.OPEN and last not in batches:
        batch = last
    else:
        batch = Batch.objects.create(study=study, number=last.number + 1)
    change(MOVE, {"batch": batch.pk, "pairs": pairs})
    return len(pairs), batch


def locked_last_batch(study: Study) -> Batch:
    """Return the study's last batch, locked. Another one may be added while this waits for the lock."""
    rows = Batch.objects.filter(study=study).order_by("-number")
    while True:
        last = rows.select_for_update(no_key=True)[0]
        if rows.values_list("pk", flat=True)[0] == last.pk:
            return last


#: Why pairs cannot be regrouped, as sentences for people.
IMPORTING = gettext_noop("An import into this study is running. Regroup the pairs after it has ended.")
NOTHING_FREE = gettext_noop("All of these pairs have answers or are being answered, so they stay in their batches.")


def count_free(study: Study, prompt_type: str = "") -> int:
    """Return how many pairs could be put into other batches now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FREE, {"study": study.pk, "prompt_type": prompt_type})
        return int(cursor.fetchone()[0])


def regroup(change: PairsChange) -> tuple[int, dict[str, int]]:
    """Put the pairs that no one has answered or leased into new batches, in one statement. Call it in a transaction.

    Only such pairs are locked, however many there are. Return how many pairs moved, and a dict: `first` is the number
    of the first new batch, `batches` how many were created, `emptied` how many old ones were empty and deleted.
    Raises Refused.
    """
    values: dict[str, Any] = {"study": change.study_id, "size": change.value, "until": change.until} | change.choice
    # An import also numbers batches and fills the last one, so the two must not run at the same time.
    if not locks.try_lock(locks.Key.IMPORT_INTO_STUDY, change.study_id):
        raise Refused(IMPORTING)
    with connection.cursor() as cursor:
        cursor.execute(REGROUP, values)
        pairs, batches, first = cursor.fetchone()
        if not pairs:
            raise Refused(NOTHING_FREE)
    empty = empty_batches(change.study_id).filter(state=Batch.State.OPEN).values_list("pk", flat=True)
    emptied = delete(Batch.objects.filter(pk__in=list(empty)))
    return pairs, {"first": first, "batches": batches, "emptied": emptied}
