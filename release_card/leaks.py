"""Whether anything of the test or eval part of a release is in its train part too.

Only the texts of the test and eval parts are in memory. Texts are compared as imports do (`importing.clusters`).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from importing.clusters import BANDS, NEAR, bands, similarity
from releases.items import ROWS, Items
from releases.models import Release

TRAIN, HELD_OUT = ("train",), ("test", "eval")
#: The most examples that are listed.
MOST_EXAMPLES = 20
#: Prompts whose texts are compared at a time.
PROMPTS = 2000
_VALID = "standing__current AND standing__validity = 'valid'"
#: How many clusters, and how many files of videos, have answers in the train part and in another one.
IN_BOTH = f"""
SELECT count(*) FROM (
  SELECT cluster FROM releases_releaseitem
   WHERE release_id = %(release)s AND {_VALID} AND part <> 'excluded' AND cluster <> ''
   GROUP BY cluster HAVING bool_or(part = 'train') AND bool_or(part <> 'train')) clusters
UNION ALL
SELECT count(*) FROM (
  SELECT sha256 FROM releases_releaseitem item
   CROSS JOIN LATERAL (VALUES (item.video_0__sha256), (item.video_1__sha256)) video (sha256)
   WHERE item.release_id = %(release)s AND {_VALID} AND item.part <> 'excluded'
   GROUP BY sha256 HAVING bool_or(item.part = 'train') AND bool_or(item.part <> 'train')) videos"""  # noqa: S608
_TEXTS = f"""
SELECT prompt.public_id, frozen.prompt_text, frozen.video_0__video_text, frozen.video_1__video_text
{ROWS} AND frozen.standing__current AND frozen.standing__validity = 'valid' AND frozen.part = ANY (%(parts)s)
 ORDER BY frozen.place"""


class Texts(NamedTuple):
    """The different texts of a prompt: its own, and those that generators were given."""

    prompt_id: str
    texts: tuple[str, ...]


def of_release(release: Release, items: Items) -> dict[str, Any]:
    """Return what both parts have, and which prompts are near each other. Raise Cancelled or TakenOver."""
    with connection.cursor() as cursor:
        cursor.execute(IN_BOTH, {"release": release.pk})
        clusters, videos = (row[0] for row in cursor.fetchall())
    held_out = HeldOut(texts_of(items, HELD_OUT))
    trained = near = 0
    examples: list[list[str]] = []
    for prompts in _several(texts_of(items, TRAIN)):
        trained += len(prompts)
        found = held_out.near(prompts)
        near += len(found)
        examples += [list(pair) for pair in found[: MOST_EXAMPLES - len(examples)]]
    return {
        "clusters": clusters,
        "videos": videos,
        "near": near,
        "examples": examples,
        "least_similarity": NEAR,
        "train_prompts": trained,
        "held_out_prompts": held_out.prompts,
    }


def texts_of(items: Items, parts: Sequence[str]) -> Iterator[Texts]:
    """Yield the texts of each prompt of these parts."""
    for prompt_id, rows in groupby(_rows(items, parts), key=lambda row: row[0]):
        yield Texts(prompt_id, tuple(dict.fromkeys(text for row in rows for text in row[1:] if text)))


def _rows(items: Items, parts: Sequence[str]) -> Iterator[Sequence[str]]:
    for chunk in items.chunks():
        with connection.cursor() as cursor:
            cursor.execute(_TEXTS, chunk | {"parts": list(parts)})
            yield from cursor.fetchall()


def _several(prompts: Iterator[Texts]) -> Iterator[list[Texts]]:
    several: list[Texts] = []
    for prompt in prompts:
        several.append(prompt)
        if len(several) == PROMPTS:
            yield several
            several = []
    if several:
        yield several


class HeldOut:
    """The texts of the test and eval parts, which can be searched for near ones."""

    def __init__(self, prompts: Iterator[Texts]) -> None:
        self.prompts = 0
        self.owner: list[str] = []
        self.text: list[str] = []
        marks = [np.empty((0, BANDS), dtype=np.int64)]
        for several in _several(prompts):
            self.prompts += len(several)
            pieces = [(prompt.prompt_id, text) for prompt in several for text in prompt.texts]
            self.owner += [owner for owner, _text in pieces]
            self.text += [text for _owner, text in pieces]
            marks.append(_marks([text for _owner, text in pieces]))
        flat = np.concatenate(marks).reshape(-1)
        order = np.argsort(flat, kind="stable")
        self.marks, self.place = flat[order], order // BANDS

    def near(self, prompts: list[Texts]) -> list[tuple[str, str]]:
        """Return those of these prompts that are near one of the held-out prompts, each with the first such prompt."""
        pieces = [(prompt.prompt_id, text) for prompt in prompts for text in prompt.texts]
        if not pieces or not len(self.marks):
            return []
        found: dict[str, str] = {}
        for (prompt_id, text), marks in zip(pieces, _marks([text for _id, text in pieces]), strict=True):
            if prompt_id not in found and (other := self._first_near(text, marks)):
                found[prompt_id] = other
        return list(found.items())

    def _first_near(self, text: str, marks: "np.ndarray[Any, np.dtype[np.int64]]") -> str:
        starts = np.searchsorted(self.marks, marks, side="left")
        ends = np.searchsorted(self.marks, marks, side="right")
        places = {int(place) for start, end in zip(starts, ends, strict=True) for place in self.place[start:end]}
        return next((self.owner[one] for one in sorted(places) if similarity(text, self.text[one]) >= NEAR), "")


def _marks(texts: list[str]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.array(list(bands(texts)), dtype=np.int64).reshape(-1, BANDS)
