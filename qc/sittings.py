"""Read sittings in one statement: the reviews of a person's pairs, with what the page and the verdicts need."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from accounts.models import User
from annotation.models import Annotation, Assignment, Standing
from catalog.models import Batch, Pair, Prompt, Video
from diptych.database.fixed import Columns, fetch_all
from media.models import Asset
from qc.models import FrameItem, Lot, Review
from studies.models import Study

#: The tables of a sitting, by their alias.
PARTS: dict[str, Columns[Any]] = {
    alias: Columns(model, f'"{alias}"')
    for alias, model in {
        "review": Review,
        "lot": Lot,
        "pair": Pair,
        "batch": Batch,
        "prompt": Prompt,
        "video_0": Video,
        "asset_0": Asset,
        "video_1": Video,
        "asset_1": Asset,
        "item": FrameItem,
        "assignment": Assignment,
        "standing": Standing,
        "current": Annotation,
        "first": Annotation,
        "judged": Annotation,
    }.items()
}
#: Which row hangs at which, under what name.
HANGING = (
    *(("review", "lot", "lot"), ("review", "pair", "pair"), ("review", "item", "item")),
    *(("pair", "batch", "batch"), ("pair", "prompt", "prompt")),
    *(("pair", "video_0", "video_0"), ("video_0", "asset", "asset_0")),
    *(("pair", "video_1", "video_1"), ("video_1", "asset", "asset_1")),
    *(("item", "lot", "lot"), ("item", "assignment", "assignment")),
    *(("assignment", "standing", "standing"), ("standing", "current", "current")),
    *(("item", "first", "first"), ("item", "judged", "judged")),
)
SITTINGS = f"""
SELECT {", ".join(part.sql for part in PARTS.values())}
  FROM qc_review review
  JOIN qc_lot lot ON lot.id = review.lot_id
  JOIN catalog_pair pair ON pair.id = review.pair_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN media_asset asset_0 ON asset_0.id = video_0.asset_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id
  JOIN media_asset asset_1 ON asset_1.id = video_1.asset_id
  JOIN qc_frameitem item ON item.id = review.item_id
  JOIN annotation_assignment assignment ON assignment.id = item.assignment_id
  JOIN annotation_standing standing ON standing.assignment_id = assignment.id
  JOIN annotation_annotation "current" ON "current".id = standing.current_id
  JOIN annotation_annotation "first" ON "first".id = item.first_id
  LEFT JOIN annotation_annotation judged ON judged.id = item.judged_id
 WHERE review.sitting = ANY(%(sittings)s)
 ORDER BY item.place
"""  # noqa: S608 - of column names


def reviews_of(sittings: Collection[UUID], study: Study, person: User) -> list[Review]:
    """Return all reviews of these sittings of a person, in the order of their lot."""
    return [_read(row, study, person) for row in fetch_all(SITTINGS, {"sittings": list(sittings)})]


def sitting_of(review: Review, person: User) -> list[Review]:
    """Return all reviews of the person's sitting."""
    return reviews_of([review.sitting], review.study, person)


def _read(row: tuple[Any, ...], study: Study, person: User) -> Review:
    found: dict[str, Any] = {}
    start = 0
    for alias, part in PARTS.items():
        key = part.names.index(part.model._meta.pk.attname)
        found[alias] = part.instance(row, start) if row[start + key] is not None else None
        start += len(part.names)
    for alias, name, other in HANGING:
        setattr(found[alias], name, found[other])
    review: Review = found["review"]
    review.study = review.lot.study = study
    review.reviewer = person
    return review
