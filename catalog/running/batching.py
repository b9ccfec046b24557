"""A study's batches, and making them anew of the pairs that nobody has yet."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_noop

from catalog.models import Batch, PairsChange, Study
from diptych.database import locks

ROWS = """
SELECT batch.number, batch.state, count(pair.id), coalesce(sum(pair.wanted), 0),
       coalesce(sum(pair.wanted - pair.open_slots), 0), count(pair.id) FILTER (WHERE pair.held <> '')
  FROM catalog_batch batch LEFT JOIN catalog_pair pair ON pair.batch_id = batch.id
 WHERE batch.study_id = %(study)s
 GROUP BY batch.id ORDER BY batch.number
OFFSET %(after)s LIMIT %(limit)s
"""
BATCHES_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One batch: its pairs, the answers they want, and how many of those are given or being given now."""

    number: int
    state: str
    pairs: int
    wanted: int
    taken: int
    held: int

    @property
    def state_label(self) -> str:
        return str(Batch.State(self.state).label)


def batches_of(study: Study, page: int) -> list[Row]:
    """The batches of one page, in their order."""
    values = {"study": study.pk, "after": (page - 1) * BATCHES_A_PAGE, "limit": BATCHES_A_PAGE}
    with connection.cursor() as cursor:
        cursor.execute(ROWS, values)
        return [Row(*row) for row in cursor.fetchall()]


#: Pairs without a live lease or a counted answer, in a batch that is still open. Held ones come along: a pair that is
#: looked at and let go again belongs to a batch like every other.
FREE = """
  FROM catalog_pair pair
  JOIN catalog_batch batch ON batch.id = pair.batch_id AND batch.state = 'open'
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE pair.study_id = %(study)s AND pair.kind = 'real' AND pair.open_slots = pair.wanted
   AND (%(prompt_type)s = '' OR prompt.prompt_type = %(prompt_type)s)
"""
COUNT_FREE = f"SELECT count(*) {FREE}"

#: Whoever leases passes by the pairs that are locked here, and whoever has one locked is waited for: then the row is
#: looked at once more, and stays where it is if it was given. Filled in the order in which pairs are served.
REGROUP = f"""
WITH free AS (
    SELECT pair.id, pair.lane, pair.priority {FREE} AND pair.id <= %(until)s
     ORDER BY pair.id FOR NO KEY UPDATE OF pair
), placed AS (
    SELECT id, (row_number() OVER (ORDER BY priority DESC, id) - 1) / %(size)s AS place FROM free
), made AS (
    INSERT INTO catalog_batch (study_id, number, state)
    SELECT %(study)s, place + 1 + last.number, 'open'
      FROM placed, (SELECT coalesce(max(number), 0) AS number FROM catalog_batch WHERE study_id = %(study)s) last
     GROUP BY place, last.number
    RETURNING id, number
), ordered AS (
    SELECT id, row_number() OVER (ORDER BY number) - 1 AS place FROM made
), moved AS (
    UPDATE catalog_pair pair SET batch_id = ordered.id
      FROM placed JOIN ordered USING (place) WHERE pair.id = placed.id
    RETURNING pair.id
)
SELECT (SELECT count(*) FROM moved), (SELECT count(*) FROM made), (SELECT min(number) FROM made)
"""  # noqa: S608 - of constants
EMPTIED = """
DELETE FROM catalog_batch batch
 WHERE batch.study_id = %(study)s AND batch.state = 'open'
   AND NOT EXISTS (SELECT FROM catalog_pair pair WHERE pair.batch_id = batch.id)
"""


#: Why batches cannot be made, in words for people.
IMPORTING = gettext_noop("Material is being imported into this study. Make batches when that is done.")
NOTHING_FREE = gettext_noop("Every such pair is being answered or has answers, so none changes its batch.")


class NotRegrouped(Exception):
    """Nothing was changed; `str()` is one of the reasons above, untranslated."""


@dataclass(frozen=True, slots=True)
class Regrouped:
    """What was done: pairs moved, batches made from this number on, and batches that were left empty and went."""

    pairs: int
    batches: int
    first: int
    emptied: int


def count_free(study: Study, prompt_type: str = "") -> int:
    """How many pairs could be put into other batches now."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FREE, {"study": study.pk, "prompt_type": prompt_type})
        return int(cursor.fetchone()[0])


def regroup(change: PairsChange) -> Regrouped:
    """Puts the pairs that nobody has yet into new batches, in one statement. Call it in a transaction.

    One transaction, however many: only pairs that nobody has are locked. Raises NotRegrouped.
    """
    values: dict[str, Any] = {"study": change.study_id, "size": change.value, "until": change.until} | change.choice
    with connection.cursor() as cursor:
        # An import numbers batches too, and fills the last one.
        if not locks.try_lock(locks.Key.IMPORT_INTO_STUDY, change.study_id):
            raise NotRegrouped(IMPORTING)
        cursor.execute(REGROUP, values)
        pairs, batches, first = cursor.fetchone()
        if not pairs:
            raise NotRegrouped(NOTHING_FREE)
        cursor.execute(EMPTIED, values)
        return Regrouped(pairs, batches, first, cursor.rowcount)
