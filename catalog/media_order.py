"""Prepare videos in the order in which their pairs will be served."""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from catalog.models import Pair
from jobs import messages
from studies.models import Study

# Each pair's place in the queue is one number; a higher number is due sooner. It depends first on whether the study is
# running, then on the pair's priority (limited to -255 to 255), then on how early the pair is in its study. Pairs of a
# running study have positive numbers, those of a paused one negative numbers. An asset in no pair of an open study
# comes last. Assets that another transaction has locked are skipped, so this statement never waits.
PRIORITISE = """
    WITH touched AS MATERIALIZED (
        SELECT asset.id FROM media_asset asset
         WHERE asset.state IN ('waiting', 'running') AND asset.id IN (
                   SELECT video.asset_id FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_0_id
                    WHERE pair.study_id = %(study)s AND pair.id >= %(first)s AND NOT pair.ready
                    UNION ALL
                   SELECT video.asset_id FROM catalog_pair pair JOIN catalog_video video ON video.id = pair.video_1_id
                    WHERE pair.study_id = %(study)s AND pair.id >= %(first)s AND NOT pair.ready)
    ), study AS MATERIALIZED (
        SELECT study.id, CASE study.state WHEN 'running' THEN 1 << 30 ELSE -(1 << 30) END AS tier,
               (SELECT min(pair.id) FROM catalog_pair pair WHERE pair.study_id = study.id) AS first
          FROM studies_study study WHERE study.state <> 'closed'
    ), use AS (
        SELECT video.asset_id, pair.study_id, pair.id, pair.priority
          FROM touched JOIN catalog_video video ON video.asset_id = touched.id
               JOIN catalog_pair pair ON pair.video_0_id = video.id
         UNION ALL
        SELECT video.asset_id, pair.study_id, pair.id, pair.priority
          FROM touched JOIN catalog_video video ON video.asset_id = touched.id
               JOIN catalog_pair pair ON pair.video_1_id = video.id
    ), place AS (
        SELECT use.asset_id, max(study.tier + (least(greatest(use.priority, -255), 255) << 22)
                                 + greatest(0, (1 << 22) - 1 - (use.id - study.first)))::integer AS priority
          FROM use JOIN study ON study.id = use.study_id
         GROUP BY use.asset_id
    ), moved AS MATERIALIZED (
        SELECT asset.id, coalesce(place.priority, -2147483648) AS priority
          FROM touched LEFT JOIN place ON place.asset_id = touched.id JOIN media_asset asset ON asset.id = touched.id
         WHERE asset.priority <> coalesce(place.priority, -2147483648)
           FOR NO KEY UPDATE OF asset SKIP LOCKED
    )
    UPDATE media_asset asset SET priority = moved.priority FROM moved WHERE asset.id = moved.id
"""


def prioritise(study: Study, first_pair_id: int | None = None) -> int:
    """Order the preparation of the study's unfinished videos as their pairs, from `first_pair_id` on, will be served.

    Call it after pairs were written, after their priority changed, and after the study was paused, resumed or closed.
    An asset has the place of the first of its pairs in any study. Return how many assets changed their place.
    """
    with connection.cursor() as cursor:
        cursor.execute(PRIORITISE, {"study": study.pk, "first": first_pair_id or 0})
        return cursor.rowcount


def prioritise_all() -> int:
    """Do the same for every study with unready pairs, in case messages were lost. Return how many assets moved."""
    unready = Pair.objects.filter(study=OuterRef("pk"), ready=False, held="")
    return sum(prioritise(study) for study in Study.objects.filter(Exists(unready)))


def follow_state(*, study: Study, **_: Any) -> None:
    """Have a worker reorder the study's videos after the commit. Receiver of `study_state_changed`."""
    announce_after_commit(study.pk)


def announce_after_commit(study_id: int) -> None:
    """Have a worker order the study's videos after the commit. Without a broker `order_all_media` does it later."""
    messages.send_after_commit("catalog.tasks.order_media", [study_id])
