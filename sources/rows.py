"""Types that the parts of an import exchange: places, lines, bad rows and the files of videos."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop as _

from diptych.strict_json import Fault
from media.originals import Fingerprint
from sources.sentences import Sentence, readable


class Place(NamedTuple):
    """The file of a row and, in a manifest, its line."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else Sentence(_("line %(line)s"), line=self.line)


class Line(NamedTuple):
    """One JSON object of a manifest, not yet checked."""

    place: Place
    content: dict[str, Any]
    #: Values that would change if they were read.
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
    """A video whose file is located, read and stored."""

    place: Place
    id: str
    path: str
    file: Path | None = None
    fingerprint: Fingerprint | None = None


@dataclass(slots=True)
class SourceNotes:
    """Notes about a source besides its bad rows: warnings, and numbers of ignored files by kind."""

    warnings: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    #: The encoding in which an archive's names were read, if it was found out. A key of `name_encodings.CODE_PAGES`.
    name_encoding: str = ""


@dataclass(slots=True)
class Manifest:
    """The bad rows of an import, and the videos whose files are being processed.

    The rows themselves are in an Intake.
    """

    root: Path
    videos: dict[str, VideoRow] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    #: The places of the refused rows by kind and local id. Rows that need one of them name it.
    refused: dict[tuple[str, str], Place] = field(default_factory=dict)
    #: Sentences about what the import does not use.
    warnings: list[str] = field(default_factory=list)
    #: How many files beside the material were ignored, by kind.
    left_out: Counter[str] = field(default_factory=Counter)

    def complain(self, place: Place, column: str, reason: str) -> None:
        """Add a bad row. In names that are not UTF-8, the wrong bytes are replaced, since no report can hold them."""
        self.bad.append(BadRow(_readable(place.file), place.line, _readable(column), readable(reason)))

    def refuse_video(self, video: VideoRow, column: str, reason: str) -> None:
        """Add a bad row for a video, and drop the video."""
        self.complain(video.place, column, reason)
        self.videos.pop(video.id, None)
        self.refused.setdefault(("video", video.id), video.place)


def _readable(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()
