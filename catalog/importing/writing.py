"""Writes prompts, assets and videos of a manifest. Each function runs inside the import's one transaction.

Nothing here updates a row that was there. Inserts are in one order (assets by SHA-256), so that imports into
different studies that bring the same bytes wait for each other in one direction only.
"""

from typing import NamedTuple

from psycopg import sql

from catalog.importing.files import original_name
from catalog.importing.report import Difference, ImportReport, Tally
from catalog.importing.rows import Manifest, PromptRow, VideoRow
from catalog.importing.staging import (
    Staged,
    column_kinds,
    differing,
    execute,
    fetch,
    or_default,
    refresh_statistics,
)
from catalog.models import Prompt, Study, Video
from catalog.models.assets import new_public_id

PROMPT_COLUMNS = (
    "language", "prompt_type", "labels", "labelled_by", "source", "source_detail", "licence", "set",
)  # fmt: skip
VIDEO_COLUMNS = ("video_text", "refined_by", "generator", "generator_version", "seed", "settings", "licence")


class VideoKeys(NamedTuple):
    """Where a manifest's video is in the database."""

    pk: int
    prompt: int
    asset: int


def write_prompts(study: Study, manifest: Manifest, report: ImportReport) -> list[tuple[int, str]]:
    """Adds new prompts; the keys and published ids of all prompts of the manifest, in its order."""
    rows = list(manifest.prompts.values())
    columns = {"public_id": "text", "text": "text"} | column_kinds(Prompt, PROMPT_COLUMNS)
    with Staged("importing_prompt", columns) as staged:
        staged.copy(
            (number, row.public_id, row.text, *(row.stated.get(name) for name in PROMPT_COLUMNS))
            for number, row in enumerate(rows)
        )
        added = execute(_insert_prompts(), study=study.pk)
        refresh_statistics(Prompt, added)
        report.prompts = Tally(added, len(rows) - added)
        there = fetch(_match_prompts(), study=study.pk)
    report.differences += [
        _difference("prompt", rows[number], fields) for number, _pk, _public_id, fields in there if fields
    ]
    return [(pk, public_id) for _number, pk, public_id, _fields in there]


def _insert_prompts() -> sql.Composable:
    return sql.SQL("""
        INSERT INTO catalog_prompt (study_id, public_id, text, cluster, split, {columns})
        SELECT %(study)s, staged.public_id, staged.text, '', '', {values}
          FROM importing_prompt staged
         ORDER BY staged.row
            ON CONFLICT DO NOTHING
    """).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, PROMPT_COLUMNS)),
        values=sql.SQL(", ").join(or_default(Prompt, name) for name in PROMPT_COLUMNS),
    )


def _match_prompts() -> sql.Composable:
    return sql.SQL("""
        SELECT staged.row, there.id, there.public_id, {differing}
          FROM importing_prompt staged
          JOIN catalog_prompt there ON there.study_id = %(study)s AND there.public_id = staged.public_id
         ORDER BY staged.row
    """).format(differing=differing(Prompt, PROMPT_COLUMNS))


def write_assets(manifest: Manifest, kept: set[str], report: ImportReport) -> list[int]:
    """Adds assets for the files that were `kept` (by SHA-256); the keys of those that are new."""
    marks = {video.fingerprint.sha256: video.fingerprint for video in manifest.videos.values() if video.fingerprint}
    columns = {"public_id": "text", "sha256": "text", "byte_size": "bigint", "original": "text"}
    with Staged("importing_asset", columns) as staged:
        staged.copy(
            (number, new_public_id(), sha256, marks[sha256].size, original_name(sha256))
            for number, sha256 in enumerate(sorted(kept))
        )
        added = fetch(sql.SQL("""
            INSERT INTO catalog_asset (public_id, sha256, byte_size, original, state, reason, facts,
                                       fence, attempts)
            SELECT public_id, sha256, byte_size, original, 'pending', '', '{}', 0, 0
              FROM importing_asset ORDER BY sha256
                ON CONFLICT (sha256) DO NOTHING
            RETURNING id
        """))  # fmt: skip
    report.assets = Tally(len(added), len(marks) - len(added))
    return [pk for (pk,) in added]


def write_videos(study: Study, manifest: Manifest, report: ImportReport) -> dict[str, VideoKeys]:
    """Adds new videos; where each video of the manifest is now, by its local id."""
    rows = list(manifest.videos.values())
    columns = dict.fromkeys(("public_id", "prompt", "sha256", "origin"), "text")
    columns |= column_kinds(Video, VIDEO_COLUMNS) | {"is_new": "boolean"}
    with Staged("importing_video", columns) as staged:
        staged.copy(
            (number, *_video_values(row, manifest), *(row.stated.get(name) for name in VIDEO_COLUMNS), False)
            for number, row in enumerate(rows)
        )
        added = execute(_insert_videos(), study=study.pk)
        report.videos = Tally(added, len(rows) - added)
        refresh_statistics(Video, added)
        if any(row.derived_from for row in rows):
            execute(LINK_ORIGINS, study=study.pk)
        there = fetch(_match_videos(), study=study.pk)
    report.differences += [_difference("video", rows[number], fields) for number, *_, fields in there if fields]
    return {rows[number].id: VideoKeys(pk, prompt, asset) for number, pk, prompt, asset, _fields in there}


def _video_values(row: VideoRow, manifest: Manifest) -> tuple[str, str, str, str | None]:
    assert row.fingerprint is not None  # noqa: S101 - a row without one was refused
    origin = manifest.videos[row.derived_from].public_id if row.derived_from else None
    return row.public_id, manifest.prompts[row.prompt].public_id, row.fingerprint.sha256, origin


def _insert_videos() -> sql.Composable:
    """Inserts, and marks each staged row that became a new one, and only the first of equal rows."""
    return sql.SQL("""
        WITH added AS (
            INSERT INTO catalog_video (study_id, prompt_id, asset_id, public_id, {columns})
            SELECT %(study)s, prompt.id, asset.id, staged.public_id, {values}
              FROM importing_video staged
              JOIN catalog_prompt prompt ON prompt.study_id = %(study)s AND prompt.public_id = staged.prompt
              JOIN catalog_asset asset ON asset.sha256 = staged.sha256
             ORDER BY staged.row
                ON CONFLICT DO NOTHING
            RETURNING public_id
        ), firsts AS (
            SELECT min(staged.row) AS row FROM added JOIN importing_video staged USING (public_id)
             GROUP BY staged.public_id
        )
        UPDATE importing_video staged SET is_new = true FROM firsts WHERE staged.row = firsts.row
    """).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, VIDEO_COLUMNS)),
        values=sql.SQL(", ").join(or_default(Video, name) for name in VIDEO_COLUMNS),
    )


#: Origins are linked once all videos are there, so lines may come in any order.
LINK_ORIGINS = sql.SQL("""
    UPDATE catalog_video video SET derived_from_id = origin.id
      FROM importing_video staged
      JOIN catalog_video origin ON origin.study_id = %(study)s AND origin.public_id = staged.origin
     WHERE staged.is_new AND staged.origin IS NOT NULL AND origin.id <> video.id
       AND video.study_id = %(study)s AND video.public_id = staged.public_id
""")


def _match_videos() -> sql.Composable:
    return sql.SQL("""
        SELECT staged.row, there.id, there.prompt_id, there.asset_id,
               {differing} || CASE WHEN staged.origin <> coalesce(origin.public_id, '')
                                   THEN ARRAY['derived_from'] ELSE ARRAY[]::text[] END
          FROM importing_video staged
          JOIN catalog_video there ON there.study_id = %(study)s AND there.public_id = staged.public_id
          LEFT JOIN catalog_video origin ON origin.id = there.derived_from_id
         ORDER BY staged.row
    """).format(differing=differing(Video, VIDEO_COLUMNS))


def _difference(kind: str, row: PromptRow | VideoRow, fields: list[str]) -> Difference:
    return Difference(kind, row.id, row.place.file, row.place.line, fields)
