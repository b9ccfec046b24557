"""Changing how many answers pairs want, or how soon they are served, while people answer them.

`open_slots` follows `wanted` in the statement that changes it, from the row as it is at that moment: what is taken
stays taken, so a pair never wants fewer answers than it has or is being given. `carrying_out` goes through many pairs,
some at a time.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from catalog.models import PairsChange, Study

OVERLAP, PRIORITY = PairsChange.What.OVERLAP, PairsChange.What.PRIORITY
#: Of the pairs meant: those that still want answers, or all; those of the random sample, the others, or both.
STILL_OPEN, ALL = "open", "all"
SAMPLE, OTHERS = "sample", "others"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which pairs. Controls, held pairs and pairs of a batch in review or accepted are never meant."""

    which: str = STILL_OPEN
    sample: str = OTHERS
    batch: int | None = None
    prompt_type: str = ""

    def parameters(self, study: Study) -> dict[str, Any]:
        return {"study": study.pk} | self.as_json()

    def as_json(self) -> dict[str, Any]:
        return {"which": self.which, "sample": self.sample, "batch": self.batch, "prompt_type": self.prompt_type}


MEANT = """
  FROM catalog_pair pair
  JOIN catalog_batch batch ON batch.id = pair.batch_id AND batch.state IN ('open', 'annotated', 'returned')
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
 WHERE pair.study_id = %(study)s AND pair.kind = 'real' AND pair.held = ''
   AND (%(which)s = 'all' OR pair.open_slots > 0)
   AND (%(sample)s = 'all' OR pair.in_sample = (%(sample)s = 'sample'))
   AND (%(batch)s::integer IS NULL OR batch.number = %(batch)s)
   AND (%(prompt_type)s = '' OR prompt.prompt_type = %(prompt_type)s)
"""
#: The next ones, locked in the order in which everybody locks several pairs. A row that was waited for is read as it is
#: by then.
LOCKED = f"""
WITH meant AS (
    SELECT pair.id, pair.wanted, pair.wanted - pair.open_slots AS taken, pair.priority
    {MEANT} AND pair.id > %(reached)s AND pair.id <= %(until)s
     ORDER BY pair.id LIMIT %(most)s FOR NO KEY UPDATE OF pair
)"""

EFFECT = f"""
SELECT count(*), count(*) FILTER (WHERE would_want <> wanted), coalesce(sum(wanted), 0), coalesce(sum(would_want), 0),
       coalesce(sum(greatest(would_want - wanted, 0)), 0), coalesce(sum(greatest(wanted - would_want, 0)), 0),
       count(*) FILTER (WHERE would_want > %(value)s)
  FROM (SELECT pair.wanted, greatest(%(value)s, pair.wanted - pair.open_slots) AS would_want {MEANT}) meant
"""  # noqa: S608 - of constants
CHANGE_OVERLAP = f"""{LOCKED}, changed AS (
    UPDATE catalog_pair pair
       SET wanted = greatest(%(value)s, meant.taken), open_slots = greatest(%(value)s, meant.taken) - meant.taken
      FROM meant WHERE pair.id = meant.id AND greatest(%(value)s, meant.taken) <> meant.wanted
    RETURNING pair.id
)
SELECT (SELECT count(*) FROM meant), (SELECT max(id) FROM meant), count(*) FROM changed"""  # noqa: S608 - of constants

PRIORITY_EFFECT = f"""
SELECT count(*), count(*) FILTER (WHERE pair.priority <> %(value)s), min(pair.priority), max(pair.priority)
{MEANT}"""
CHANGE_PRIORITY = f"""{LOCKED}, changed AS (
    UPDATE catalog_pair pair SET priority = %(value)s
      FROM meant WHERE pair.id = meant.id AND meant.priority <> %(value)s
    RETURNING pair.id
)
SELECT (SELECT count(*) FROM meant), (SELECT max(id) FROM meant), count(*) FROM changed"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class OverlapEffect:
    """Pairs meant and pairs that would change; answers wanted of those meant now and then; how many more and fewer;
    pairs that keep wanting more than was asked for, since so many are given or being given."""

    pairs: int
    changes: int
    wanted: int
    would_want: int
    more: int
    fewer: int
    kept: int

    @property
    def before(self) -> dict[str, Any]:
        """What is kept of how it was: sums, since each pair may have had its own."""
        return {"pairs": self.pairs, "wanted": self.wanted}


@dataclass(frozen=True, slots=True)
class PriorityEffect:
    """Pairs meant, pairs that would change, and the lowest and highest priority they have; None without pairs."""

    pairs: int
    changes: int
    lowest: int | None
    highest: int | None

    @property
    def before(self) -> dict[str, Any]:
        return {"pairs": self.pairs, "lowest": self.lowest, "highest": self.highest}


def preview(study: Study, what: str, choice: Choice, value: int) -> OverlapEffect | PriorityEffect:
    """What changing these pairs would do at this moment."""
    values = choice.parameters(study) | {"value": value}
    if what == OVERLAP:
        return OverlapEffect(*_one(EFFECT, values))
    return PriorityEffect(*_one(PRIORITY_EFFECT, values))


class Step(NamedTuple):
    """How many of the pairs meant a step went through, the id of the last of them, and how many changed."""

    gone_through: int
    reached: int | None
    changed: int


def change_next(change: PairsChange, most: int) -> Step:
    """Changes up to `most` of the pairs meant that come next, in one statement."""
    values = change.choice | {"study": change.study_id, "value": change.value, "most": most}
    values |= {"reached": change.reached, "until": change.until}
    return Step(*_one(CHANGE_OVERLAP if change.what == OVERLAP else CHANGE_PRIORITY, values))


def _one(statement: str, values: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()
