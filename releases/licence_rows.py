"""Read the licences of the prompts and videos that a release has, or would have now.

A prompt or a video has its own licence, or else the one that is recorded for its source or generator. Rows with the
same licence are one row here, so that a study with an address for each prompt does not make a list of a million.
"""

from typing import Any

from django.db import connection

from catalog.models import Provenance
from releases import funnel
from releases.filters import Filter
from releases.licences import Material
from releases.models import Release
from studies.models import Study

_PROVENANCE = Provenance._meta.db_table
#: Of `chosen_pairs`, a common table expression with the ids of pairs: a row for each kind and licence.
_LICENCES = f"""
of_prompts AS (
  SELECT 'source' AS kind, coalesce(nullif(prompt.source_detail, ''), prompt.source) AS name, prompt.licence
    FROM catalog_prompt prompt
   WHERE prompt.id IN (SELECT pair.prompt_id FROM chosen_pairs JOIN catalog_pair pair ON pair.id = chosen_pairs.id)),
of_videos AS (
  SELECT 'generator' AS kind, video.generator AS name, video.licence
    FROM catalog_video video
   WHERE video.id IN (SELECT unnest(ARRAY[pair.video_0_id, pair.video_1_id])
                        FROM chosen_pairs JOIN catalog_pair pair ON pair.id = chosen_pairs.id)),
named AS (
  SELECT kind, name, licence, count(*) AS number
    FROM (SELECT * FROM of_prompts UNION ALL SELECT * FROM of_videos) material
   GROUP BY kind, name, licence)
SELECT named.kind, coalesce(nullif(named.licence, ''), recorded.licence, '') AS licence, sum(named.number)::bigint,
       (array_agg(named.name ORDER BY named.number DESC, named.name COLLATE "C") FILTER (WHERE named.name <> ''))[1:3]
  FROM named
  LEFT JOIN {_PROVENANCE} recorded
    ON recorded.study_id = %(study)s AND recorded.kind = named.kind AND recorded.name = named.name
 GROUP BY 1, 2
 ORDER BY 1 DESC, 3 DESC, 2"""  # noqa: S608 - of table names
PLANNED = f"""
WITH {funnel.JUDGED},
chosen_pairs AS MATERIALIZED (
  SELECT DISTINCT assignment.pair_id AS id
    FROM judged JOIN annotation_assignment assignment ON assignment.id = judged.assignment_id
   WHERE judged.stage = 'released' AND judged.reason = ''),
{_LICENCES}"""  # noqa: S608 - of statements in this module
FROZEN = f"""
WITH chosen_pairs AS MATERIALIZED (
  SELECT DISTINCT assignment.pair_id AS id
    FROM releases_releaseitem item
    JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
    JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
   WHERE item.release_id = %(release)s),
{_LICENCES}"""  # noqa: S608 - of statements in this module


def planned(study: Study, wanted: Filter) -> list[Material]:
    """Return the licences of the material of a release that would be made now with this filter."""
    return _found(PLANNED, funnel.values(study, wanted))


def frozen(release: Release) -> list[Material]:
    """Return the licences of the material of the release's items, in the transaction that wrote them."""
    return _found(FROZEN, {"release": release.pk, "study": release.study_id})


def _found(statement: str, values: dict[str, Any]) -> list[Material]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Material(kind, licence, number, tuple(names or ())) for kind, licence, number, names in cursor]
