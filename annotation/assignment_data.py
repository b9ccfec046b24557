"""Read what the page needs of an assignment in one statement, without generators, labels or other people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from diptych.database.fixed import fetch_all


class Clip(NamedTuple):
    """One video of an assignment, as the page needs it."""

    asset: str
    duration_s: float
    fps: float
    text: str


@dataclass(frozen=True, slots=True)
class AssignmentData:
    """One assignment, as its person's page needs it."""

    id: int
    state: str
    round: int
    round_reason: str
    comment: str
    left: str
    dimension_first: str
    expires_at: datetime
    draft: dict[str, Any] | None
    guideline_version: int
    pair_id: str
    may_show: list[str]
    prompt_text: str
    language: str
    #: The person's own preferences: empty and None if they chose nothing.
    media_filter: str | None
    name_categories: bool | None
    #: The number of the pair's batch. A control names the batch from which the person's other pairs come.
    batch: int
    video_0: Clip
    video_1: Clip


ASSIGNMENTS = """
SELECT assignment.id, assignment.state, assignment.round, assignment.round_reason, assignment.comment,
       assignment."left", assignment.dimension_first, assignment.expires_at, assignment.draft,
       assignment.guideline_version, pair.public_id, pair.may_show, prompt.text, prompt.language,
       preference.media_filter, preference.name_categories, coalesce(assignment.shown_batch, batch.number),
       asset_0.public_id, asset_0.duration_s, asset_0.fps, video_0.video_text,
       asset_1.public_id, asset_1.duration_s, asset_1.fps, video_1.video_text
  FROM annotation_assignment assignment
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
  JOIN catalog_batch batch ON batch.id = pair.batch_id
  JOIN catalog_prompt prompt ON prompt.id = pair.prompt_id
  JOIN catalog_video video_0 ON video_0.id = pair.video_0_id
  JOIN media_asset asset_0 ON asset_0.id = video_0.asset_id
  JOIN catalog_video video_1 ON video_1.id = pair.video_1_id
  JOIN media_asset asset_1 ON asset_1.id = video_1.asset_id
  LEFT JOIN accounts_viewingpreference preference ON preference.user_id = assignment.person_id
 WHERE assignment.id IN (%(one)s, %(other)s)
"""
#: The number of columns before those of the two clips, and the index of the draft among them.
ASSIGNMENT_COLUMNS, DRAFT = 17, 8


def read_assignments(one: int | None, other: int | None = None) -> dict[int, AssignmentData]:
    """Return one or two assignments by key, as their person's page needs them."""
    if one is None:
        return {}
    return {row[0]: _read(row) for row in fetch_all(ASSIGNMENTS, {"one": one, "other": other})}


def _read(row: tuple[Any, ...]) -> AssignmentData:
    own = list(row[:ASSIGNMENT_COLUMNS])
    own[DRAFT] = None if own[DRAFT] is None else orjson.loads(own[DRAFT])
    columns: list[Any] = [
        *own,
        Clip(*row[ASSIGNMENT_COLUMNS : ASSIGNMENT_COLUMNS + 4]),
        Clip(*row[ASSIGNMENT_COLUMNS + 4 :]),
    ]
    return AssignmentData(*columns)
