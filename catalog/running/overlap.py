"""Changing how many answers pairs want, or how soon they are served, while people answer them.

`open_slots` follows `wanted` in the statement that changes it, from the row as it is at that moment: what is taken
stays taken, so a pair never wants fewer answers than it has or is being given.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts import audit
from accounts.models import AuditEvent, User
from catalog.models import Study
from catalog.transcoding import prioritise

CHANGED = "pairs.changed"
OVERLAP, PRIORITY = "overlap", "priority"
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
#: Locked in the order in which everybody locks several pairs. A row that was waited for is read as it is by then.
LOCKED = f"""
WITH meant AS (
    SELECT pair.id, pair.wanted, pair.wanted - pair.open_slots AS taken, pair.priority
    {MEANT} ORDER BY pair.id FOR NO KEY UPDATE OF pair
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
SELECT count(*) FROM changed"""  # noqa: S608 - of constants

PRIORITY_EFFECT = f"""
SELECT count(*), count(*) FILTER (WHERE pair.priority <> %(value)s), min(pair.priority), max(pair.priority)
{MEANT}"""
CHANGE_PRIORITY = f"""{LOCKED}, changed AS (
    UPDATE catalog_pair pair SET priority = %(value)s
      FROM meant WHERE pair.id = meant.id AND meant.priority <> %(value)s
    RETURNING pair.id
)
SELECT count(*) FROM changed"""  # noqa: S608 - of constants


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


@dataclass(frozen=True, slots=True)
class PriorityEffect:
    """Pairs meant, pairs that would change, and the lowest and highest priority they have; None without pairs."""

    pairs: int
    changes: int
    lowest: int | None
    highest: int | None


class ChangedMeanwhile(Exception):
    """Somebody changed overlap or priority after the effect was shown; nothing was done."""


def preview(study: Study, what: str, choice: Choice, value: int) -> OverlapEffect | PriorityEffect:
    """What changing these pairs would do at this moment."""
    values = choice.parameters(study) | {"value": value}
    if what == OVERLAP:
        return OverlapEffect(*_one(EFFECT, values))
    return PriorityEffect(*_one(PRIORITY_EFFECT, values))


def last_change(study: Study) -> int:
    """Which change of overlap or priority was the last; 0: none yet."""
    events = AuditEvent.objects.filter(subject=Study._meta.db_table, subject_id=str(study.pk), action=CHANGED)
    return events.order_by("-pk").values_list("pk", flat=True).first() or 0


@transaction.atomic
def change(study: Study, what: str, choice: Choice, value: int, *, seen: int, actor: User) -> int:
    """Changes overlap or priority of the pairs meant, in one statement; how many pairs changed.

    `seen` is the last change that the person knew. Raises ChangedMeanwhile if there was one since.
    """
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)  # one such change at a time; leases do not wait
    if last_change(study) != seen:
        raise ChangedMeanwhile
    before = preview(study, what, choice, value)
    values = choice.parameters(study) | {"value": value}
    [count] = _one(CHANGE_OVERLAP if what == OVERLAP else CHANGE_PRIORITY, values)
    if what == PRIORITY:
        prioritise(study)
    audit.record(
        CHANGED,
        study,
        actor=actor,
        study_slug=study.slug,
        before=_before(before),
        after={"what": what, "value": value, "pairs": count} | choice.as_json(),
    )
    return int(count)


def _before(effect: OverlapEffect | PriorityEffect) -> dict[str, Any]:
    """What the record keeps of how it was: sums, since each pair may have had its own."""
    if isinstance(effect, OverlapEffect):
        return {"pairs": effect.pairs, "wanted": effect.wanted}
    return {"pairs": effect.pairs, "lowest": effect.lowest, "highest": effect.highest}


def _one(statement: str, values: dict[str, Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()
