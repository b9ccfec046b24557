"""What a release has that its parent does not, and the other way round. Both consist of items that never change."""

from collections.abc import Iterator

from django.db import connection

from diptych.downloads import CopyFile, copy_rows
from exports import records
from releases.freezing import MORE
from releases.items import AS_IT_IS
from releases.models import Release

#: Items of both releases that are compared at a time.
CHUNK = 4000
PATH = "changes.jsonl"
_columns = {field: records.column(field) for field in records.FROZEN} | {name: name for name in MORE}
_fields = ", ".join(
    f"CASE WHEN here.{column} IS DISTINCT FROM there.{column} THEN '{field}' END" for field, column in _columns.items()
)
CHANGES = f"""
SELECT CASE WHEN there.id IS NULL THEN 'added' WHEN here.id IS NULL THEN 'removed' ELSE 'changed' END AS change,
       coalesce(here.annotation_id, there.annotation_id) AS annotation_id, coalesce(here.part, there.part) AS part,
       CASE WHEN here.id IS NULL OR there.id IS NULL THEN '{{}}'::text[]
            ELSE array_remove(ARRAY[{_fields}], NULL) END AS fields
  FROM (SELECT * FROM releases_releaseitem WHERE release_id = %(release)s
           AND annotation_id > %(after)s AND annotation_id <= %(until)s) here
  FULL JOIN (SELECT * FROM releases_releaseitem WHERE release_id = %(parent)s
                AND annotation_id > %(after)s AND annotation_id <= %(until)s) there
    ON there.annotation_id = here.annotation_id"""  # noqa: S608 - of names in this module
_line = records.json_object(
    change="changes.change",
    annotation_id="changes.annotation_id",
    pair_id="pair.public_id",
    revision="annotation.revision",
    fields="changes.fields",
)
LINES = f"""
SELECT {_line} FROM ({CHANGES}) changes
  JOIN annotation_annotation annotation ON annotation.id = changes.annotation_id
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE changes.change <> 'changed' OR cardinality(changes.fields) > 0
 ORDER BY changes.annotation_id"""  # noqa: S608 - of names in this module
COUNTS = f"""
SELECT change, count(*) FROM ({CHANGES}) changes
 WHERE change <> 'changed' OR cardinality(fields) > 0 GROUP BY change"""  # noqa: S608 - of names in this module
NEXT = """
SELECT max(annotation_id) FROM (
  SELECT annotation_id FROM releases_releaseitem
   WHERE release_id IN (%(release)s, %(parent)s) AND annotation_id > %(after)s
   ORDER BY annotation_id LIMIT %(chunk)s) these"""


def write(release: Release, target: CopyFile) -> None:
    """Write a line for each revision that was added, removed or changed since the parent, by id. Raise OSError."""
    for chunk in _chunks(release):
        copy_rows(LINES, chunk, AS_IT_IS, target)


def counts(release: Release) -> dict[str, int]:
    """Return how many revisions were added, removed and changed since the parent."""
    found = dict.fromkeys(("added", "removed", "changed"), 0)
    for chunk in _chunks(release):
        with connection.cursor() as cursor:
            cursor.execute(COUNTS, chunk)
            for change, number in cursor.fetchall():
                found[change] += number
    return found


def _chunks(release: Release) -> Iterator[dict[str, int | None]]:
    """Yield the parameters of each chunk: the two releases, and the ids of annotations between which to compare."""
    about: dict[str, int | None] = {"release": release.pk, "parent": release.parent_id, "chunk": CHUNK}
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(NEXT, about | {"after": after})
            until: int | None = cursor.fetchone()[0]
        if until is None:
            return
        yield about | {"after": after, "until": until}
        after = until
