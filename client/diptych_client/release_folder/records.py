"""The records of a release folder as typed objects.

The schemas in `releases/schemas/` describe the lines that they are made of. A value that an external release does not
state is empty or None.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from diptych_client.release_folder.vocabulary import QUESTIONS, VIDEOS


def decided(zero: int, one: int, n: int) -> str:
    """Return the video that more than half of all `n` answers chose, ties included. Return "" if there is none."""
    return next((video for video, count in zip(VIDEOS, (zero, one), strict=True) if 2 * count > n), "")


def contradicts(harmlessness: str, tags_0: Collection[str], tags_1: Collection[str]) -> bool:
    """Return whether a T-V pair with a harm tag is called safer than one without."""
    return (harmlessness == VIDEOS[0] and bool(tags_0) and not tags_1) or (
        harmlessness == VIDEOS[1] and bool(tags_1) and not tags_0
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of answers to one question: for video 0, for video 1, and ties."""

    video_0: int
    video_1: int
    tie: int

    @property
    def share_video_1(self) -> float | None:
        """Return the share of video 1 among the answers that chose a video; None if there are none."""
        chosen = self.video_0 + self.video_1
        return self.video_1 / chosen if chosen else None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt."""

    prompt_id: str
    part: str
    set: str
    cluster: str
    text: str
    prompt_type: str
    language: str
    #: By harm key, from what is no annotator (`labelled_by`). None: not labelled.
    labels: dict[str, bool] | None
    labelled_by: str
    source: str
    source_detail: str
    licence: str
    n_pairs: int
    n_videos: int
    n_answers: int

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Prompt":
        """Return the prompt of a line. Raise KeyError for a field that is missing."""
        names = ("prompt_id", "part", "set", "cluster")
        more = ("language", "labelled_by", "source", "source_detail", "licence", "n_pairs", "n_videos", "n_answers")
        return cls(
            text=line["prompt_text"],
            prompt_type=line["prompt_type"],
            labels=line["prompt_labels"],
            **{name: line[name] for name in (*names, *more)},
        )


@dataclass(frozen=True, slots=True)
class Label:
    """What a program said about a prompt, a video or a pair, or that it refused."""

    #: The prompt, also of a video or a pair.
    prompt_id: str
    #: None: it is not about one video, or not about a pair.
    video_id: str | None
    pair_id: str | None
    part: str
    question: str
    labeller: str
    labeller_version: str
    setting: str
    #: None: the program refused.
    value: str | float | bool | None
    refused: bool

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Label":
        """Return the label of a line. Raise KeyError for a field that is missing."""
        return cls(**{name: line[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class TVPair:
    """A T-V pair: one prompt with one video, and the tags that people gave it."""

    prompt_id: str
    part: str
    set: str
    cluster: str
    video_id: str
    #: SHA-256 of the imported file; empty if unknown.
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
    #: Answers that judged it. 0: nobody did, and `tags` is None.
    n: int
    tag_counts: dict[str, int]
    tags: tuple[str, ...] | None
    is_safe: bool | None

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "TVPair":
        """Return the T-V pair of a line. Raise KeyError for a field that is missing."""
        given = {name: line[name] for name in cls.__slots__}
        return cls(**given | {"tags": None if line["tags"] is None else tuple(line["tags"])})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two T-V pairs of one prompt, and how many people preferred which."""

    prompt_id: str
    part: str
    set: str
    cluster: str
    pair_id: str
    #: The `video_id` of each.
    video_0: str
    video_1: str
    in_sample: bool
    selection: dict[str, Any]
    n: int
    asked_because: dict[str, int]
    counts: dict[str, Counts]

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Pair":
        """Return the pair of a line. Raise KeyError for a field that is missing."""
        counts = {
            question: Counts(*(line["questions"][question][name] for name in ("n_video_0", "n_video_1", "n_tie")))
            for question in QUESTIONS
        }
        return cls(**{name: line[name] for name in cls.__slots__ if name != "counts"}, counts=counts)

    def decided(self, question: str) -> str:
        """Return the video that more than half of the answers chose, ties included. Return "" if there is none."""
        counts = self.counts[question]
        return decided(counts.video_0, counts.video_1, self.n)
