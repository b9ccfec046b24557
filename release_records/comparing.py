"""Compare two releases of a study: revisions that one of them lacks or that differ, and pairs with another majority.

Both consist of items that never change. Nothing is read of a release that is not complete or was withdrawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from releases import differences
from releases.items import QUESTIONS
from releases.models import Release
from releases.sending import require_complete

PARTS = ("train", "test", "eval", "excluded")
#: What a list of differences can be about, in the order of the page.
KINDS: dict[str, Promise] = {
    "added": gettext_lazy("Revisions that were added"),
    "removed": gettext_lazy("Revisions that were removed"),
    "changed": gettext_lazy("Revisions with other facts"),
    "majority": gettext_lazy("Pairs with another majority"),
}
ROWS_A_PAGE = 50
#: Ids of annotations have at most so many digits.
LAST = 2**63 - 1
_decided = {
    question: f"CASE WHEN 2 * count(*) FILTER (WHERE annotation.{question} = 'video_0') > count(*) THEN 'video_0'"
    f" WHEN 2 * count(*) FILTER (WHERE annotation.{question} = 'video_1') > count(*) THEN 'video_1' ELSE '' END"
    for question in QUESTIONS
}


def _majorities(release: str) -> str:
    """Return SQL for the pairs of a release with the choice of more than half of their answers, ties included."""
    columns = ", ".join(f"{decided} AS {question}" for question, decided in _decided.items())
    return f"""
SELECT assignment.pair_id, min(item.part) AS part, count(*) AS n, {columns}
  FROM releases_releaseitem item
  JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
 WHERE item.release_id = %({release})s AND item.standing__current AND item.standing__validity = 'valid'
 GROUP BY assignment.pair_id"""  # noqa: S608 - of names in this module


_moved = ", ".join(
    f"CASE WHEN here.{question} <> there.{question}"
    f" THEN json_build_array('{question}', there.{question}, here.{question}) END"
    for question in QUESTIONS
)
#: Pairs that both releases have, with the questions on which their majorities differ.
MAJORITIES = f"""
SELECT pair.id AS key, pair.public_id AS pair_id, here.part, there.n AS n_there, here.n AS n_here, moved.questions
  FROM ({_majorities("release")}) here JOIN ({_majorities("parent")}) there USING (pair_id)
  JOIN catalog_pair pair ON pair.id = here.pair_id
 CROSS JOIN LATERAL (SELECT array_remove(ARRAY[{_moved}]::text[], NULL) AS questions) moved
 WHERE cardinality(moved.questions) > 0"""  # noqa: S608 - of names in this module
#: Revisions that were added, removed or changed.
REVISIONS = f"""
SELECT changes.annotation_id AS key, changes.change, changes.part, pair.public_id AS pair_id, annotation.revision,
       changes.fields
  FROM ({differences.CHANGES}) changes
  JOIN annotation_annotation annotation ON annotation.id = changes.annotation_id
  JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
  JOIN catalog_pair pair ON pair.id = assignment.pair_id
 WHERE (changes.change <> 'changed' OR cardinality(changes.fields) > 0)"""  # noqa: S608 - of names in this module
COUNTS = f"""
SELECT change, part, count(*) FROM ({differences.CHANGES}) changes
 WHERE change <> 'changed' OR cardinality(fields) > 0 GROUP BY change, part
 UNION ALL
SELECT 'majority', part, count(*) FROM ({MAJORITIES}) moved GROUP BY part"""  # noqa: S608 - of names in this module


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a list. `key` is where the next page begins.

    change, revision and fields are of a revision; `fields` are those that differ. n_before, n_now and questions are of
    a pair: how many answers it has in each release, and for each question the majority before and now.
    """

    key: int
    pair_id: str
    part: str
    change: str = ""
    revision: int = 0
    fields: list[str] = field(default_factory=list)
    n_before: int = 0
    n_now: int = 0
    questions: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Release `now` compared with release `before` of the same study."""

    now: Release
    before: Release

    def counts(self) -> dict[str, dict[str, int]]:
        """Return by kind how many rows there are in each part, and in all. Raise DatabaseError."""
        found = {kind: dict.fromkeys(("all", *PARTS), 0) for kind in KINDS}
        with connection.cursor() as cursor:
            cursor.execute(COUNTS, self._values())
            for kind, part, number in cursor.fetchall():
                found[kind][part] += number
                found[kind]["all"] += number
        return found

    def rows(self, kind: str, part: str = "", *, after: int = 0, most: int | None = None) -> list[Difference]:
        """Return the rows of a kind, and of a part if it is named, after the row with this key. Raise DatabaseError."""
        limit = "" if most is None else " LIMIT %(most)s"
        of_part = " AND part = %(part)s" if part else ""
        values = self._values() | {"kind": kind, "part": part, "from": after, "most": most}
        source = MAJORITIES if kind == "majority" else f"{REVISIONS} AND changes.change = %(kind)s"
        statement = f"SELECT * FROM ({source}) rows WHERE key > %(from)s{of_part} ORDER BY key{limit}"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return [_difference(kind, row) for row in cursor.fetchall()]

    def _values(self) -> dict[str, Any]:
        return {"release": self.now.pk, "parent": self.before.pk, "after": 0, "until": LAST}


def compare(now: Release, before: Release) -> Comparison:
    """Return the comparison of two releases. Raise Refused if one of them cannot be downloaded."""
    for release in (now, before):
        require_complete(release)
    return Comparison(now, before)


def comparable(release: Release) -> list[Release]:
    """Return the other complete releases of the study that were not withdrawn, latest first."""
    complete = Release.objects.filter(study=release.study_id, state=Release.State.DONE, tombstones__isnull=True)
    return list(complete.exclude(pk=release.pk).order_by("-number"))


def usual_other(release: Release, others: list[Release]) -> Release | None:
    """Return the parent of a release, the one before, or any other one; None if there is none."""
    earlier = [one for one in others if one.number < release.number]
    parent = next((one for one in earlier if one.pk == release.parent_id), None)
    return parent or next(iter(earlier), None) or next(iter(others), None)


def _difference(kind: str, row: tuple[Any, ...]) -> Difference:
    if kind == "majority":
        key, pair_id, part, before, now, questions = row
        moved = [tuple(orjson.loads(one)) for one in questions]
        return Difference(key, pair_id, part, n_before=before, n_now=now, questions=moved)
    key, change, part, pair_id, revision, fields = row
    return Difference(key, pair_id, part, change=change, revision=revision, fields=fields)


COLUMNS = {
    "majority": ("pair_id", "part", "question", "majority_before", "majority_now", "answers_before", "answers_now"),
    "": ("annotation_id", "change", "pair_id", "part", "revision", "fields"),
}


def copy_as_csv(comparison: Comparison, kind: str, part: str, target: CopyFile) -> None:
    """Write the rows of a kind as CSV. Raise DatabaseError and OSError."""
    write_rows(COLUMNS.get(kind, COLUMNS[""]), _lines(comparison.rows(kind, part)), target)


def _lines(rows: list[Difference]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        if row.questions:
            for question, before, now in row.questions:
                yield row.pair_id, row.part, question, before, now, row.n_before, row.n_now
        else:
            yield row.key, row.change, row.pair_id, row.part, row.revision, " ".join(row.fields)
