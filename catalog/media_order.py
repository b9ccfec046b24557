"""In which order videos are prepared: as their pairs will be served."""

from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from catalog.models import Pair
from jobs import messages
from studies.models import Study

# The place of each pair in the queue as one number, which grows with what is due sooner: first whether its study runs,
# then the pair's priority (all below -255 and all above 255 are alike), then how early it stands in its study. Those of
# a running study are positive, of a paused one negative; an asset that no open study pairs comes last of all. Assets
# that somebody holds are passed over, so this waits for nobody.
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
    """Lets the unfinished videos of the study's pairs, from `first_pair_id` on, be prepared in the order of serving.

    Call it when pairs were written, when their priority changed, and when the study was paused, resumed or closed. An
    asset has the place of the first of its pairs, in whatever study. Answers how many assets have another place now.
    """
    with connection.cursor() as cursor:
        cursor.execute(PRIORITISE, {"study": study.pk, "first": first_pair_id or 0})
        return cursor.rowcount


def prioritise_all() -> int:
    """Do the same for every study with unready pairs: it catches up with messages that were lost. Return how many."""
    unready = Pair.objects.filter(study=OuterRef("pk"), ready=False, held="")
    return sum(prioritise(study) for study in Study.objects.filter(Exists(unready)))


def follow_state(*, study: Study, **_: Any) -> None:
    """Receiver of `study_state_changed`: a worker puts the study's videos into another order after the commit."""
    announce_after_commit(study.pk)


def announce_after_commit(study_id: int) -> None:
    """Let a worker put the study's videos in order. Without a broker the task `order_all_media` does it later."""
    messages.send_after_commit("catalog.tasks.order_media", [study_id])
