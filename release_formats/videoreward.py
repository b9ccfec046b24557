"""A CSV in the form that VideoReward's trainer reads, with our questions beside its four columns.

`options.VIDEOREWARD_COLUMNS` says which question each of these columns has, unless the release states it otherwise.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from annotation.protocol import VIDEOS
from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from releases import aggregation
from releases.aggregation import PairRecord
from releases.formats import Folder, Format
from releases.items import QUESTIONS, Items
from releases.models import Release
from releases.options import VIDEOREWARD, VIDEOREWARD_COLUMNS

PATH = "videoreward.csv"
#: Where videos are in a release folder that has them.
VIDEO_FOLDER = "videos"
SIDES = ("A", "B")
SAME = "same"
WORDS = dict(zip(VIDEOS, SIDES, strict=True))
OURS = ("pair_id", "prompt_id", "part", "n")
COLUMNS = (
    *("path_A", "path_B", "prompt", *VIDEOREWARD_COLUMNS),
    *("A_model", "B_model", "fps_A", "num_frames_A", "fps_B", "num_frames_B"),
    *OURS,
    *QUESTIONS,
    *(f"{question}_{word}" for question in QUESTIONS for word in (*SIDES, SAME)),
)


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the file of this format."""
    folder.add(PATH, partial(_write, release.options[VIDEOREWARD], items))


def _write(columns: Mapping[str, str], items: Items, file: CopyFile) -> Mapping[str, int]:
    number = 0

    def rows() -> Iterator[list[Any]]:
        nonlocal number
        for record in aggregation.pairs(items.current()):
            number += 1
            yield row(record, columns)

    write_rows(COLUMNS, rows(), file)
    return {"records": number}


def row(record: PairRecord, columns: Mapping[str, str]) -> list[Any]:
    """Return the row of a pair. `columns` says which question each column of VideoReward has."""
    item = record.first
    a, b = item.videos
    said = {question: WORDS.get(record.decided(question), SAME) for question in QUESTIONS}
    return [
        *(f"{VIDEO_FOLDER}/{item.prompt_id}/{video.video_id}.mp4" for video in (a, b)),
        item.facts["prompt_text"],
        *(said[columns[column]] for column in VIDEOREWARD_COLUMNS),
        *(a.generated_from, b.generated_from, a.fps, a.frames, b.fps, b.frames),
        *(item.pair_id, item.prompt_id, item.facts["part"], record.n),
        *(said[question] for question in QUESTIONS),
        *(count for question in QUESTIONS for count in aggregation.counts_with_ties(record.counts[question]).values()),
    ]


FORMAT = Format(VIDEOREWARD, _("VideoReward: pairs as CSV"), write, order=40)
