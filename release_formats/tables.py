"""The tables of a release, and the Parquet files in which each of them is.

A file has the rows of one part, and a limited number of them. So its name and its rows follow from the counts of the
release alone, and a worker that takes the job over writes the same files.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from django.db import connection

from release_formats import columns, rows
from release_formats.columns import Columns
from releases import videos
from releases.formats import Folder
from releases.items import Items
from releases.models import Release, ReleaseFile

ROWS_A_FILE = 500_000
#: For each part: rows of each table. A valid answer has current and earlier revisions; other tables use current ones.
COUNTS = """
WITH items AS MATERIALIZED (
  SELECT item.part, item.standing__validity AS validity, item.standing__current AS is_current, assignment.pair_id
    FROM releases_releaseitem item
    JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
    JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
   WHERE item.release_id = %(release)s),
pairs AS (
  SELECT DISTINCT items.part, pair.id, pair.prompt_id, pair.video_0_id, pair.video_1_id
    FROM items JOIN catalog_pair pair ON pair.id = items.pair_id
   WHERE validity = 'valid' AND is_current)
SELECT CASE validity WHEN 'valid' THEN 'annotations' ELSE 'invalid' END, part, count(*) FROM items GROUP BY 1, 2
UNION ALL SELECT 'pairs', part, count(*) FROM pairs GROUP BY part
UNION ALL SELECT 'prompts', part, count(*) FROM releases_releaseprompt WHERE release_id = %(release)s GROUP BY part
UNION ALL SELECT 'tv_pairs', part, count(DISTINCT one)
            FROM pairs CROSS JOIN LATERAL unnest(ARRAY[video_0_id, video_1_id]) AS one GROUP BY part"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, and its rows in a part of the release, by prompt."""

    name: str
    columns: Callable[[Release], Columns]
    rows: Callable[[Release, Items, str], Iterator[dict[str, Any]]]


TABLES = (
    Table("pairs", columns.of_pairs, rows.pairs),
    Table("tv_pairs", columns.of_tv_pairs, rows.tv_pairs),
    Table("annotations", columns.of_annotations, rows.annotations),
    Table("prompts", columns.of_prompts, rows.prompts),
    Table("invalid", columns.of_annotations, rows.invalid),
)
#: The columns of every table that a release can have, in the order in which they are described.
COLUMNS = {table.name: table.columns for table in TABLES} | {
    videos.FOLDERS[videos.FRAMES]: columns.of_frames,
    videos.FOLDERS[videos.VIDEOS]: columns.of_videos,
}


def counts(release: Release) -> dict[str, dict[str, int]]:
    """Return the number of rows of each table that has some, by part."""
    found: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"release": release.pk})
        for table, part, number in sorted(cursor.fetchall()):
            found.setdefault(table, {})[part] = number
    return found


def write_table(table: Table, parts: dict[str, int], release: Release, items: Items, folder: Folder) -> None:
    """Write the files of a table, whose number of rows by part is `parts`. Raise what the folder raises."""
    from release_formats import parquet_files  # loads Arrow, which only jobs need

    of_table = table.columns(release)
    for part, number in parts.items():
        left = table.rows(release, items, part)
        files = -(-number // ROWS_A_FILE)
        for file_number in range(files):
            mine = islice(left, ROWS_A_FILE)
            path = f"{table.name}/{part}-{file_number:05}-of-{files:05}.parquet"
            folder.add(path, partial(parquet_files.write, of_table, mine))
            if file_number + 1 < files:
                _pass_over(mine)


@dataclass(frozen=True, slots=True)
class Published:
    """A table of a release, with the paths of its files by part."""

    name: str
    columns: Columns
    files: dict[str, list[str]]


def published(release: Release, written: Iterable[ReleaseFile]) -> list[Published]:
    """Return the tables of a release, from its complete files, which come by path."""
    files: dict[str, dict[str, list[str]]] = {}
    for file in written:
        folder, _slash, name = file.path.rpartition("/")
        if folder in COLUMNS and name.endswith(".parquet"):
            files.setdefault(folder, {}).setdefault(name.partition("-")[0], []).append(file.path)
    return [Published(name, of(release), files[name]) for name, of in COLUMNS.items() if name in files]


def _pass_over(rows_of_file: Iterator[Any]) -> None:
    """Read the rest of the rows of a file. These are all of them if another worker completed the file."""
    for _row in rows_of_file:
        pass
