"""Read the items of a release in chunks. Everything that is read here can never change, so neither can the files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from django.db import connection

from annotation.protocol import SUB_DIMENSION_KEYS
from diptych.downloads import CopyFile, copy_rows
from exports import records
from jobs.progress import Progress
from releases.models import Release

#: Items that are read at a time. Memory does not depend on the size of the release.
CHUNK = 2000
QUESTIONS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")
#: JSON has no raw control characters. With these two as delimiter and quote, COPY leaves each line unchanged.
AS_IT_IS = r"FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02'"
ROWS = f"""{records.ROWS}
  JOIN releases_releaseitem frozen ON frozen.annotation_id = annotation.id
 WHERE frozen.release_id = %(release)s AND frozen.place > %(after)s AND frozen.place <= %(until)s"""
#: Of one part of the release, or of all of them (empty).
OF_PART = "(%(part)s::text = '' OR frozen.part = %(part)s::text)"
FACTS = (
    *("annotation_id", "place", "standing__validity", "prompt_text", "prompt_type", "prompt_source_id"),
    *("prompt_language", "prompt_labels", "prompt_labelled_by", "prompt_source", "prompt_source_detail"),
    *(
        "prompt_licence",
        "prompt_set",
        "cluster",
        "part",
        "weight",
        "weights",
        "in_sample",
        "selection_method",
        "selection_probability",
        "selection_model",
    ),
    *("batch", "lot", "lot_state", "asked_because"),
)
OF_VIDEO = (
    *("source_id", "file_name", "sha256", "video_text", "generated_from", "generator_version", "seed", "settings"),
)
OF_VIDEO_MORE = ("refined_by", "licence", "fps", "frames")


class ItemVideo(NamedTuple):
    """One of the two videos of an item, with what records say of it."""

    video_id: str
    source_id: str
    file_name: str
    sha256: str
    video_text: str
    generated_from: str
    generator_version: str
    seed: str
    settings: dict[str, Any]
    refined_by: str
    licence: str
    #: Of the playback file: frames per second, and how many. None: unknown.
    fps: float | None
    frames: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """The current revision of one released answer, with its prompt, its pair and its two videos."""

    prompt_id: str
    pair_id: str
    #: Choices by question: video_0, video_1 or tie.
    choices: dict[str, str]
    #: Harm keys of video 0 and of video 1.
    tags: tuple[list[str], list[str]]
    videos: tuple[ItemVideo, ItemVideo]
    #: Columns of the item by name (`FACTS`).
    facts: dict[str, Any]


def _select() -> str:
    videos = [
        ", ".join(
            (
                f"{video}.public_id",
                *(f"frozen.{video}__{member}" for member in OF_VIDEO),
                *(f"frozen.{video}_{member}" for member in OF_VIDEO_MORE),
            )
        )
        for video in ("video_0", "video_1")
    ]
    choices = ", ".join(f"annotation.{key}" for key in QUESTIONS)
    facts = ", ".join(f"frozen.{name}" for name in FACTS)
    return (
        f"SELECT prompt.public_id, pair.public_id, {choices}, annotation.tags_video_0, annotation.tags_video_1, "
        f"{videos[0]}, {videos[1]}, {facts}{ROWS} AND frozen.standing__current AND frozen.standing__validity = 'valid'"
        f" AND {OF_PART} ORDER BY frozen.place"
    )


CURRENT = _select()
_VIDEO_COLUMNS = len(ItemVideo._fields)


class Items:
    """The items of one release, in the order of its files. `progress` hears of each chunk, and may end the work."""

    def __init__(self, release: Release, progress: Progress | None = None) -> None:
        self.release = release
        self.progress = progress or Progress()

    @property
    def number(self) -> int:
        """Return the number of items: revisions of valid and invalid answers."""
        return int(self.release.counts["revisions"]) + int(self.release.counts["invalid_revisions"])

    def chunks(self) -> Iterator[dict[str, int]]:
        """Yield the parameters of each chunk for a statement with `ROWS`. Raise Cancelled or TakenOver."""
        for after in range(0, self.number, CHUNK):
            yield {"release": self.release.pk, "after": after, "until": after + CHUNK}
            self.progress.advance(min(CHUNK, self.number - after))

    def copy(self, line: str, condition: str, target: CopyFile) -> None:
        """Copy lines of JSON into the file: `line` is SQL for a line, and `condition` says which items have one."""
        statement = f"SELECT {line}{ROWS} AND {condition} ORDER BY frozen.place"
        for chunk in self.chunks():
            copy_rows(statement, chunk, AS_IT_IS, target)

    def lines(self, line: str, condition: str, part: str = "") -> Iterator[dict[str, Any]]:
        """Yield the lines that `copy` writes, as objects. `part` leaves out all other parts of the release."""
        statement = f"SELECT {line}::text{ROWS} AND {condition} AND {OF_PART} ORDER BY frozen.place"
        for (text,) in self._rows(statement, part):
            yield orjson.loads(text)

    def current(self, part: str = "") -> Iterator[Item]:
        """Yield the current revision of each valid answer, by prompt and pair. Raise Cancelled or TakenOver.

        `part` leaves out all other parts of the release.
        """
        yield from map(_item, self._rows(CURRENT, part))

    def _rows(self, statement: str, part: str) -> Iterator[Any]:
        for chunk in self.chunks():
            with connection.cursor() as cursor:
                cursor.execute(statement, chunk | {"part": part})
                rows = cursor.fetchall()
            yield from rows


def _item(row: Sequence[Any]) -> Item:
    rest = iter(row)
    prompt_id, pair_id = next(rest), next(rest)
    choices = {key: next(rest) for key in QUESTIONS}
    tags = next(rest), next(rest)
    one, other = (_video([next(rest) for _column in range(_VIDEO_COLUMNS)]) for _side in range(2))
    facts = dict(zip(FACTS, rest, strict=True))
    return Item(prompt_id, pair_id, choices, tags, (one, other), facts)


def _video(columns: list[Any]) -> ItemVideo:
    place = ItemVideo._fields.index("settings")
    columns[place] = orjson.loads(columns[place])  # a plain cursor reads JSON as text
    return ItemVideo(*columns)
