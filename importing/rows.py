"""What the parts of an import hand each other: places, lines, complaints, and files on their way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from diptych.strict_json import Fault
from media.originals import Fingerprint


class Place(NamedTuple):
    """Where a row was written: a file and, in a manifest, its line."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"line {self.line}"


class Line(NamedTuple):
    """One JSON object of a manifest, not yet checked."""

    place: Place
    content: dict[str, Any]
    #: Values of it that would not be kept as they were written.
    faults: Sequence[Fault] = ()


class BadRow(NamedTuple):
    """A row that cannot be imported, and why."""

    file: str
    line: int | None
    field: str
    reason: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"


@dataclass(slots=True)
class VideoRow:
    """A video whose file is looked for, read and kept."""

    place: Place
    id: str
    path: str
    file: Path | None = None
    fingerprint: Fingerprint | None = None


@dataclass(slots=True)
class SourceNotes:
    """What is said of a source besides its bad rows: sentences, and how many files of a kind were left out."""

    warnings: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    #: The code page in which an archive's names were read, if it did not say it; a key of `name_encodings.CODE_PAGES`.
    name_encoding: str = ""


@dataclass(slots=True)
class Manifest:
    """What is wrong with the rows of an import, and some of its videos: those whose files are worked on.

    The rows themselves wait in an Intake.
    """

    root: Path
    videos: dict[str, VideoRow] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    #: Where the refused rows stood, by kind and local id, so that rows that need them can say so.
    refused: dict[tuple[str, str], Place] = field(default_factory=dict)
    #: What the source holds and an import leaves out, in sentences.
    warnings: list[str] = field(default_factory=list)
    #: How many files beside the material were left out, by kind.
    left_out: Counter[str] = field(default_factory=Counter)

    def complain(self, place: Place, column: str, reason: str) -> None:
        """Add a bad row. Names that are not UTF-8 are made readable, since no report can hold them."""
        self.bad.append(BadRow(_readable(place.file), place.line, _readable(column), _readable(reason)))

    def refuse_video(self, video: VideoRow, column: str, reason: str) -> None:
        self.complain(video.place, column, reason)
        self.videos.pop(video.id, None)
        self.refused.setdefault(("video", video.id), video.place)


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()
