"""What people tagged protects those who come after: tags are noted with every pair that shows the same video."""

from django.db import transaction

from diptych.database.fixed import fetch_all

#: Pairs are locked in the order of their ids, after the answers; nothing else waits for pairs while holding others.
NOTE = """
WITH told AS (
    SELECT standing.assignment_id, pair.video_0_id, pair.video_1_id, annotation.tags_video_0, annotation.tags_video_1
      FROM annotation_standing standing
      JOIN annotation_annotation annotation ON annotation.id = standing.current_id
      JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
      JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE standing.tags_unnoted
     ORDER BY standing.assignment_id LIMIT %(limit)s
       FOR UPDATE OF standing SKIP LOCKED
), tagged AS (
    SELECT video_0_id AS video_id, unnest(tags_video_0) AS tag FROM told
     UNION
    SELECT video_1_id, unnest(tags_video_1) FROM told
), shown AS (
    SELECT pair.id, tagged.tag FROM tagged JOIN catalog_pair pair ON pair.video_0_id = tagged.video_id
     UNION
    SELECT pair.id, tagged.tag FROM tagged JOIN catalog_pair pair ON pair.video_1_id = tagged.video_id
), more AS (
    SELECT shown.id, array_agg(shown.tag) AS tags
      FROM shown JOIN catalog_pair pair ON pair.id = shown.id
     WHERE NOT shown.tag = ANY(pair.may_show)
     GROUP BY shown.id
), locked AS (
    SELECT pair.id FROM catalog_pair pair JOIN more ON more.id = pair.id ORDER BY pair.id FOR UPDATE OF pair
), widened AS (
    UPDATE catalog_pair pair
       SET may_show = ARRAY(SELECT DISTINCT unnest(pair.may_show || more.tags) ORDER BY 1)
      FROM more, locked WHERE pair.id = more.id AND locked.id = pair.id
), noted AS (
    UPDATE annotation_standing standing SET tags_unnoted = false FROM told
     WHERE standing.assignment_id = told.assignment_id
)
SELECT assignment_id FROM told
"""


@transaction.atomic
def note_tags(limit: int = 500) -> int:
    """Widens `Pair.may_show` by what answers tagged since the last time, `limit` answers at most; how many it read."""
    return len(fetch_all(NOTE, {"limit": limit}))
