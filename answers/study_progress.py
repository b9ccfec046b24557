"""A study's progress as counts."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from catalog.library.listing import hidden_in
from catalog.models.pairs import QUARANTINED
from studies.models import Study


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one study. Each count is the length of a list in the library.

    Held pairs are counted only in `pairs_held`. Answers are current revisions, counted or surplus. Material in
    quarantine, or reported and not decided yet, is in no list and in no count. Controls are in `people` only: they
    are work, and not data.
    """

    prompts: int
    videos: int
    media_waiting: int
    media_running: int
    media_done: int
    media_failed: int
    pairs: int
    pairs_held: int
    pairs_preparing: int
    pairs_done: int
    answers_wanted: int
    answers_counted: int
    answers_surplus: int
    answers_invalid: int
    pairs_leased: int
    people: int


COUNTS = """
WITH media AS (
    SELECT count(*) AS videos,
           count(*) FILTER (WHERE asset.state = 'waiting') AS waiting,
           count(*) FILTER (WHERE asset.state = 'running') AS running,
           count(*) FILTER (WHERE asset.state = 'done') AS done,
           count(*) FILTER (WHERE asset.state = 'failed') AS failed
      FROM catalog_video video JOIN media_asset asset ON asset.id = video.asset_id
     WHERE video.study_id = %(study)s AND asset.quarantined_at IS NULL AND NOT asset.id = ANY(%(hidden)s)
), pair AS (
    SELECT count(*) FILTER (WHERE held = '') AS pairs,
           count(*) FILTER (WHERE held <> '') AS held,
           count(*) FILTER (WHERE held = '' AND NOT ready) AS preparing,
           coalesce(sum(wanted) FILTER (WHERE held = ''), 0) AS wanted
      FROM catalog_pair WHERE study_id = %(study)s AND held <> %(quarantined)s AND kind = 'real'
), answered AS (
    SELECT assignment.pair_id,
           count(*) FILTER (WHERE standing.counted) AS counted,
           count(*) FILTER (WHERE NOT standing.counted) AS surplus,
           count(*) FILTER (WHERE standing.validity = 'invalid') AS invalid
      FROM annotation_standing standing JOIN annotation_assignment assignment ON assignment.id = standing.assignment_id
     WHERE assignment.study_id = %(study)s
     GROUP BY assignment.pair_id
), answer AS (
    SELECT coalesce(sum(answered.counted) FILTER (WHERE pair.held = ''), 0) AS counted,
           coalesce(sum(answered.surplus), 0) AS surplus,
           coalesce(sum(answered.invalid), 0) AS invalid,
           count(*) FILTER (WHERE pair.held = '' AND answered.counted >= pair.wanted) AS done
      FROM answered JOIN catalog_pair pair ON pair.id = answered.pair_id AND pair.held <> %(quarantined)s
                    AND pair.kind = 'real'
)
SELECT (SELECT count(*) FROM catalog_prompt WHERE study_id = %(study)s),
       media.videos, media.waiting, media.running, media.done, media.failed,
       pair.pairs, pair.held, pair.preparing, answer.done, pair.wanted,
       answer.counted, answer.surplus, answer.invalid,
       (SELECT count(DISTINCT assignment.pair_id)
          FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
         WHERE assignment.study_id = %(study)s AND assignment.state = 'leased' AND pair.held <> %(quarantined)s
           AND pair.kind = 'real'),
       (SELECT count(DISTINCT person_id) FROM annotation_assignment
         WHERE study_id = %(study)s AND state = 'submitted')
  FROM media, pair, answer
"""


def progress(study: Study) -> Progress:
    """Return the study's counts, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"study": study.pk, "hidden": sorted(hidden_in(study)), "quarantined": QUARANTINED})
        row: Any = cursor.fetchone()
    return Progress(*(int(count) for count in row))
