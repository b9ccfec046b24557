"""What is read from a manifest, before any of it is in the database."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


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


class BadRow(NamedTuple):
    """A row that cannot be imported, and why."""

    file: str
    line: int | None
    field: str
    reason: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"


class Fingerprint(NamedTuple):
    """What a file held when it was read."""

    sha256: str
    size: int


@dataclass(slots=True)
class PromptRow:
    place: Place
    id: str
    public_id: str
    text: str
    #: The columns that the line states; what it leaves out is not compared with what is there.
    stated: dict[str, Any]


@dataclass(slots=True)
class VideoRow:
    place: Place
    id: str
    prompt: str
    path: str
    derived_from: str | None
    stated: dict[str, Any]
    file: Path | None = None
    fingerprint: Fingerprint | None = None
    public_id: str = ""


@dataclass(slots=True)
class PairRow:
    place: Place
    prompt: str | None
    video_0: str
    video_1: str
    priority: int
    wanted: int | None


@dataclass(slots=True)
class Manifest:
    """The good rows by local id, and the bad ones. A row is in one of the two, never in both."""

    root: Path
    prompts: dict[str, PromptRow] = field(default_factory=dict)
    videos: dict[str, VideoRow] = field(default_factory=dict)
    pairs: list[PairRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    #: Where the refused rows stood, by kind and local id, so that rows that need them can say so.
    refused: dict[tuple[str, str], Place] = field(default_factory=dict)

    def complain(self, place: Place, column: str, reason: str) -> None:
        self.bad.append(BadRow(place.file, place.line, column, reason))

    def refuse_prompt(self, prompt: PromptRow, column: str, reason: str) -> None:
        self.complain(prompt.place, column, reason)
        self.prompts.pop(prompt.id, None)
        self.refused.setdefault(("prompt", prompt.id), prompt.place)

    def refuse_video(self, video: VideoRow, column: str, reason: str) -> None:
        self.complain(video.place, column, reason)
        self.videos.pop(video.id, None)
        self.refused.setdefault(("video", video.id), video.place)
