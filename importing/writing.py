"""Write prompts, assets and videos of an intake. Each function runs inside the import's one transaction.

Existing rows are never updated. Inserts have a fixed order (assets by SHA-256), so that two imports with the same bytes
cannot deadlock.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext_noop as _
from psycopg import sql
from psycopg.types.json import Jsonb

from catalog.models import Prompt, Video
from importing.clusters import CLUSTERS, decide_clusters
from importing.report import Difference, ImportReport, Tally
from importing.staging import Staged, column_kinds, differing, execute, fetch, or_default, refresh_statistics
from media.models import new_public_id
from media.originals import original_name
from sources.intake import Intake
from sources.sentences import Sentence
from studies.models import Study

PROMPT_COLUMNS = (
    "source_id", "language", "prompt_type", "labels", "labelled_by", "source", "source_detail", "licence", "set",
)  # fmt: skip
VIDEO_COLUMNS = (
    "source_id", "file_name", "video_text", "refined_by", "generator", "generator_version", "seed", "settings",
    "licence",
)  # fmt: skip
#: The file's name is not compared: the same video can be imported from another place.
COMPARED_VIDEO_COLUMNS = tuple(name for name in VIDEO_COLUMNS if name != "file_name")

STAGED_PROMPT = {"public_id": "text", "text": "text"} | column_kinds(Prompt, PROMPT_COLUMNS)
STAGED_VIDEO = (
    dict.fromkeys(("public_id", "prompt", "sha256", "origin"), "text")
    | column_kinds(Video, VIDEO_COLUMNS)
    | {"is_new": "boolean"}
)
#: Database keys of the intake's videos, by row.
VIDEO_KEYS = {"pk": "bigint", "prompt": "bigint", "asset": "bigint", "public_id": "text"}


def staged_prompts() -> Staged:
    """Return the temporary table of the intake's prompts."""
    return Staged("staged_prompt", STAGED_PROMPT)


def staged_videos() -> Staged:
    """Return the temporary table of the intake's videos."""
    return Staged("staged_video", STAGED_VIDEO)


def video_keys() -> Staged:
    """Return the temporary table of the database keys of the intake's videos."""
    return Staged("importing_video_key", VIDEO_KEYS)


def stage(prompts: Staged, videos: Staged, intake: Intake) -> None:
    """Copy the intake's prompts and videos into the temporary tables."""
    rows = intake.stream("SELECT row, public_id, text, stated FROM prompt ORDER BY row")
    prompts.copy((row, public_id, text, *_stated(written, PROMPT_COLUMNS)) for row, public_id, text, written in rows)
    prompts.number()
    rows = intake.stream("""
        SELECT video.row, video.public_id, prompt.public_id, video.sha256, origin.public_id, video.stated
          FROM video JOIN prompt ON prompt.id = video.prompt LEFT JOIN video origin ON origin.id = video.derived_from
         ORDER BY video.row
    """)
    videos.copy((*links, *_stated(written, VIDEO_COLUMNS), False) for *links, written in rows)
    videos.number()


def _stated(written: bytes, columns: Sequence[str]) -> Iterator[Any]:
    stated = orjson.loads(written)
    for name in columns:
        value = stated.get(name)
        yield Jsonb(value) if isinstance(value, dict) else value


def write_prompts(study: Study, number: int | None, intake: Intake, report: ImportReport) -> None:
    """Add new prompts, each with its cluster and its split."""
    with Staged("staged_cluster", CLUSTERS) as decided:
        report.splits = decide_clusters(study, decided)
        added = execute(_insert_prompts(), study=study.pk, number=number)
    report.prompts = Tally(added, intake.count("prompt") - added)
    refresh_statistics(Prompt, added)
    report.differences += _differences("prompt", _differing_prompts(), study, intake)


def warnings_of_spelling(study: Study) -> list[str]:
    """Return warnings about new prompts that the study has with accents stored in another way, but not too many."""
    return [
        Sentence(SPELT_OTHERWISE_WARNING, text=text[:100], id=public_id)
        for text, public_id in fetch(SPELT_OTHERWISE, study=study.pk, most=MOST_SPELT_OTHERWISE)
    ]


SPELT_OTHERWISE_WARNING = _(
    "The study has the prompt “%(text)s” with accents stored in another way (Unicode NFC and NFD): %(id)s. The "
    "imported prompt is treated as a separate one."
)
#: Plain ASCII has one spelling and is skipped. Without MATERIALIZED the planner would compare each prompt with each,
#: because of the LIMIT.
SPELT_OTHERWISE = sql.SQL(r"""
    WITH spelt AS MATERIALIZED (
        SELECT staged.row, staged.text, there.public_id
          FROM staged_prompt staged
          JOIN catalog_prompt there
            ON there.study_id = %(study)s AND normalize(there.text, NFC) = normalize(staged.text, NFC)
           AND there.text <> staged.text
         WHERE staged.text ~ '[^\x01-\x7f]' AND there.text ~ '[^\x01-\x7f]'
           AND NOT EXISTS (SELECT FROM catalog_prompt same
                            WHERE same.study_id = %(study)s AND same.public_id = staged.public_id)
    )
    SELECT text, public_id FROM spelt ORDER BY row LIMIT %(most)s
""")
MOST_SPELT_OTHERWISE = 20


def _insert_prompts() -> sql.Composable:
    return sql.SQL("""
        INSERT INTO catalog_prompt (study_id, import_number, public_id, text, cluster, split, {columns})
        SELECT %(study)s, %(number)s, staged.public_id, staged.text, decided.cluster, decided.split, {values}
          FROM staged_prompt staged JOIN staged_cluster decided USING (public_id)
         ORDER BY staged.row
            ON CONFLICT (study_id, public_id) DO NOTHING
    """).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, PROMPT_COLUMNS)),
        values=sql.SQL(", ").join(or_default(Prompt, name) for name in PROMPT_COLUMNS),
    )


def _differing_prompts() -> sql.Composable:
    return sql.SQL("""
        SELECT row, fields
          FROM (SELECT staged.row, {differing} AS fields
                  FROM staged_prompt staged
                  JOIN catalog_prompt there
                    ON there.study_id = %(study)s AND there.public_id = staged.public_id) compared
         WHERE fields <> '{{}}' ORDER BY row
    """).format(differing=differing(Prompt, PROMPT_COLUMNS))


def write_assets(intake: Intake, report: ImportReport, *, most: int) -> list[int]:
    """Add assets for the stored files. Return the keys of the first new assets, at most `most`."""
    columns = {"public_id": "text", "sha256": "text", "byte_size": "bigint", "original": "text"}
    with Staged("staged_asset", columns) as staged:
        kept = intake.stream("SELECT row, sha256, size FROM file WHERE state = 'content' ORDER BY sha256")
        staged.copy((row, new_public_id(), sha256, size, original_name(sha256)) for row, sha256, size in kept)
        [(added, first)] = fetch(INSERT_ASSETS, most=most)
    report.assets = Tally(added, intake.fetch("SELECT count(DISTINCT sha256) FROM video")[0][0] - added)
    return list(first)


INSERT_ASSETS = sql.SQL("""
    WITH added AS (
        INSERT INTO media_asset (public_id, sha256, byte_size, original, facts)
        SELECT public_id, sha256, byte_size, original, '{}'
          FROM staged_asset ORDER BY sha256
            ON CONFLICT (sha256) DO NOTHING
        RETURNING id
    )
    SELECT (SELECT count(*) FROM added), ARRAY(SELECT id FROM added ORDER BY id LIMIT %(most)s)
""")


def write_videos(study: Study, number: int | None, keys: Staged, intake: Intake, report: ImportReport) -> None:
    """Add new videos, and store the database keys of all videos of the intake."""
    has_origins = intake.fetch("SELECT 1 FROM video WHERE derived_from IS NOT NULL LIMIT 1")
    if has_origins:
        execute(MARK_NEW, study=study.pk)
    added = execute(_insert_videos(), study=study.pk, number=number)
    report.videos = Tally(added, intake.count("video") - added)
    refresh_statistics(Video, added)
    if has_origins:
        execute(LINK_ORIGINS, study=study.pk)
    execute(KEEP_VIDEO_KEYS, study=study.pk)
    keys.number()
    report.differences += _differences("video", _differing_videos(), study, intake)


#: Mark the videos that will be new, and of equal ones only the first: an existing origin is not changed.
MARK_NEW = sql.SQL("""
    UPDATE staged_video SET is_new = true
     WHERE row IN (SELECT min(staged.row) FROM staged_video staged
                    WHERE NOT EXISTS (SELECT FROM catalog_video there
                                       WHERE there.study_id = %(study)s AND there.public_id = staged.public_id)
                    GROUP BY staged.public_id)
""")


def _insert_videos() -> sql.Composable:
    return sql.SQL("""
        INSERT INTO catalog_video (study_id, import_number, prompt_id, asset_id, public_id, {columns})
        SELECT %(study)s, %(number)s, prompt.id, asset.id, staged.public_id, {values}
          FROM staged_video staged
          JOIN catalog_prompt prompt ON prompt.study_id = %(study)s AND prompt.public_id = staged.prompt
          JOIN media_asset asset ON asset.sha256 = staged.sha256
         ORDER BY staged.row
            ON CONFLICT (study_id, public_id) DO NOTHING
    """).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, VIDEO_COLUMNS)),
        values=sql.SQL(", ").join(or_default(Video, name) for name in VIDEO_COLUMNS),
    )


#: Origins are linked after all videos were added, so lines can have any order.
LINK_ORIGINS = sql.SQL("""
    UPDATE catalog_video video SET derived_from_id = origin.id
      FROM staged_video staged
      JOIN catalog_video origin ON origin.study_id = %(study)s AND origin.public_id = staged.origin
     WHERE staged.is_new AND staged.origin IS NOT NULL AND origin.id <> video.id
       AND video.study_id = %(study)s AND video.public_id = staged.public_id
""")


KEEP_VIDEO_KEYS = sql.SQL("""
    INSERT INTO importing_video_key (row, pk, prompt, asset, public_id)
    SELECT staged.row, there.id, there.prompt_id, there.asset_id, there.public_id
      FROM staged_video staged
      JOIN catalog_video there ON there.study_id = %(study)s AND there.public_id = staged.public_id
     ORDER BY staged.row
""")


def _differing_videos() -> sql.Composable:
    return sql.SQL("""
        SELECT row, fields
          FROM (SELECT staged.row,
                       {differing} || CASE WHEN staged.origin <> coalesce(origin.public_id, '')
                                           THEN ARRAY['derived_from'] ELSE ARRAY[]::text[] END AS fields
                  FROM staged_video staged
                  JOIN catalog_video there ON there.study_id = %(study)s AND there.public_id = staged.public_id
                  LEFT JOIN catalog_video origin ON origin.id = there.derived_from_id) compared
         WHERE fields <> '{{}}' ORDER BY row
    """).format(differing=differing(Video, COMPARED_VIDEO_COLUMNS))


def _differences(kind: str, query: sql.Composable, study: Study, intake: Intake) -> Iterator[Difference]:
    for row, fields in fetch(query, study=study.pk):
        [(local,)] = intake.fetch(f"SELECT id FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table of the intake
        yield Difference(kind, local, *intake.place(kind, row), fields)
