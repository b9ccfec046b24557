"""Skips end: a pair that several people could not judge waits for a researcher instead of coming round for ever."""

from catalog.models import Pair, Study
from diptych.database.fixed import change, fetch_one

#: Skips that say something about the pair. `too_distressing` and `not_revealed` say something about the person, and are
#: never counted.
ABOUT_THE_PAIR = ("technical_problem", "cannot_judge")


class ReasonNeeded(Exception):
    """The pair is not known to show harm, so a person cannot skip it without a reason."""


def require_sensitive(pair_id: int) -> None:
    """Raise ReasonNeeded unless the pair may show harm: only such a pair is served under a filter."""
    if not Pair.objects.filter(pk=pair_id, may_show__len__gt=0).exists():
        raise ReasonNeeded


LOCKED = "SELECT id FROM catalog_pair WHERE id = %(pair)s FOR NO KEY UPDATE"

HOLD = """
WITH skipped AS (
    SELECT count(*) FILTER (WHERE skip_reason = 'technical_problem') AS technical,
           count(*) FILTER (WHERE skip_reason = 'cannot_judge') AS unjudged
      FROM annotation_assignment WHERE pair_id = %(pair)s AND state = 'skipped'
)
UPDATE catalog_pair pair
   SET held = 'skipped: technical problem ' || skipped.technical || ' ×, cannot judge ' || skipped.unjudged || ' ×'
  FROM skipped
 WHERE pair.id = %(pair)s AND pair.held = '' AND skipped.technical + skipped.unjudged >= %(limit)s
"""


def hold_if_often(pair_id: int, study: Study) -> bool:
    """Holds the pair if it was skipped `Study.hold_after_skips` times for reasons of its own. Call it after a skip,
    in the skip's transaction: the lock on the pair makes two skips at once count each other, and one that ended no
    live lease has none yet."""
    fetch_one(LOCKED, {"pair": pair_id})
    return change(HOLD, {"pair": pair_id, "limit": study.hold_after_skips}) == 1
