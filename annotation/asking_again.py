"""Stop counting many answers at once, so that their pairs are asked again, and take that back.

`standings.change_standing` changes one answer, `offering.py` asks for one. These functions are for the answers of a
returned lot or of a suspended person. They lock in the usual order: pairs by id, then standings. Lock the batches
afterwards.
"""

from collections.abc import Collection

from django.db import transaction

from accounts import audit
from accounts.models import User
from annotation.acceptance import LOT_RETURNED, SURPLUS
from annotation.models import Standing
from annotation.standings import STANDING_CHANGED
from diptych.database.fixed import change, fetch_all
from studies.models import Study

LOCK_PAIRS = """
SELECT pair.id FROM catalog_pair pair
 WHERE pair.id IN (SELECT assignment.pair_id FROM annotation_assignment assignment
                    WHERE assignment.study_id = %(study)s AND assignment.id = ANY(%(assignments)s))
 ORDER BY pair.id FOR NO KEY UPDATE OF pair
"""
LOCK_STANDINGS = """
SELECT standing.assignment_id FROM annotation_standing standing
 WHERE standing.study_id = %(study)s AND standing.assignment_id = ANY(%(assignments)s)
   AND standing.counted = %(counted)s AND standing.uncounted_reason = %(reason)s
 ORDER BY standing.assignment_id FOR NO KEY UPDATE OF standing
"""
MOVED = """
  FROM (SELECT assignment.pair_id, count(*)::integer AS number FROM annotation_assignment assignment
         WHERE assignment.id = ANY(%(assignments)s) GROUP BY assignment.pair_id) moved
 WHERE pair.id = moved.pair_id
"""
#: The slots of the answers that stop counting return to their pairs, as replacements.
RETURN_SLOTS = f"""
UPDATE catalog_pair pair
   SET open_slots = open_slots + moved.number, replacement_open = replacement_open + moved.number {MOVED}
"""  # noqa: S608 - of constants
#: The answers that count again take slots, in the order of `catalog.slots.OF_ANSWER_AGAIN`.
TAKE_SLOTS = f"""
UPDATE catalog_pair pair
   SET open_slots = open_slots - moved.number,
       replacement_open = replacement_open - least(replacement_open, moved.number),
       more_open = more_open - least(more_open, moved.number - least(replacement_open, moved.number)) {MOVED}
"""  # noqa: S608 - of constants


#: For each of these answers that no longer counts: whether its pair still has a slot for it. No two answers of a pair
#: get the same slot.
FITTING = """
SELECT standing.assignment_id,
       row_number() OVER (PARTITION BY pair.id ORDER BY standing.assignment_id) <= pair.open_slots
  FROM annotation_standing standing
  JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE standing.assignment_id = ANY(%(assignments)s)
"""


@transaction.atomic
def stop_counting(
    study: Study, assignments: Collection[int], *, actor: User | None, reason: str = LOT_RETURNED
) -> list[int]:
    """Keep these answers, but stop counting them, so that somebody else is asked. Return those that counted until now.

    Args:
        reason: why they no longer count: one of `acceptance.ASKED_AGAIN`.
    """
    values = {"study": study.pk, "assignments": list(assignments)}
    fetch_all(LOCK_PAIRS, values)
    counted = [key for (key,) in fetch_all(LOCK_STANDINGS, values | {"counted": True, "reason": ""})]
    change(RETURN_SLOTS, {"assignments": counted})
    _write(study, counted, reason, actor)
    return counted


@transaction.atomic
def count_again(study: Study, assignments: Collection[int], *, actor: User) -> int:
    """Count the answers of a returned lot that `stop_counting` stopped. Return how many. Each needs a free slot.

    Raises IntegrityError if somebody took a slot at the same moment.
    """
    values = {"study": study.pk, "assignments": list(assignments)}
    fetch_all(LOCK_PAIRS, values)
    stopped = [key for (key,) in fetch_all(LOCK_STANDINGS, values | {"counted": False, "reason": LOT_RETURNED})]
    change(TAKE_SLOTS, {"assignments": stopped})
    _write(study, stopped, "", actor)
    return len(stopped)


@transaction.atomic
def count_where_free(
    study: Study, assignments: Collection[int], *, actor: User | None, reason: str
) -> tuple[list[int], list[int]]:
    """Count answers again that `stop_counting` stopped for this reason, if their pairs still have a slot.

    The others become surplus: other answers have taken their slots. Return both. Answers that no longer count for
    another reason by now are in neither.
    """
    values = {"study": study.pk, "assignments": list(assignments)}
    fetch_all(LOCK_PAIRS, values)
    stopped = [key for (key,) in fetch_all(LOCK_STANDINGS, values | {"counted": False, "reason": reason})]
    fitting = dict(fetch_all(FITTING, {"assignments": stopped}))
    again = [key for key in stopped if fitting[key]]
    taken = [key for key in stopped if not fitting[key]]
    change(TAKE_SLOTS, {"assignments": again})
    _write(study, again, "", actor)
    _write(study, taken, SURPLUS, actor)
    return again, taken


def _write(study: Study, assignments: Collection[int], uncounted_reason: str, actor: User | None) -> None:
    """Write how the locked answers stand now, and an audit row for each. An empty reason means that they count."""
    after = {"counted": not uncounted_reason, "uncounted_reason": uncounted_reason}
    rows = Standing.objects.filter(pk__in=assignments)
    rows.update(**after)
    audit.record_each(STANDING_CHANGED, [(row, after) for row in rows], actor=actor, study_slug=study.slug)
