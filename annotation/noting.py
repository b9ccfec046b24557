"""What people tagged protects those who come after: it becomes known harm of the tagged videos and of their pairs."""

from django.db import transaction

from annotation.protocol import VIDEOS
from catalog import known_harm
from diptych.database.fixed import change, fetch_all

#: The answers are locked first, then what `known_harm` locks.
UNNOTED = """
SELECT standing.assignment_id, pair.video_0_id, annotation.tags_video_0, pair.video_1_id, annotation.tags_video_1
  FROM annotation_standing standing
  JOIN annotation_annotation annotation ON annotation.id = standing.current_id
  JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE standing.tags_unnoted
 ORDER BY standing.assignment_id LIMIT %(limit)s
   FOR UPDATE OF standing SKIP LOCKED
"""
NOTED = "UPDATE annotation_standing SET tags_unnoted = false WHERE assignment_id = ANY(%(assignments)s)"


@transaction.atomic
def note_tags(limit: int = 500) -> int:
    """Adds what answers tagged since the last time to what is known of the videos. Reads `limit` answers at most, and
    returns how many it read."""
    rows = fetch_all(UNNOTED, {"limit": limit})
    found = {(row[1 + 2 * place], tag) for row in rows for place in range(len(VIDEOS)) for tag in row[2 + 2 * place]}
    known_harm.note(found)
    if rows:
        change(NOTED, {"assignments": [row[0] for row in rows]})
    return len(rows)
