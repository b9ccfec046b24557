"""Answers of several people as one record of a pair, of a T-V pair or of a prompt. Every format uses these functions.

Items come by prompt and then by pair, so only the rows of one prompt are in memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from annotation.protocol import HARM_KEYS, TIE, VIDEOS
from diptych_client.release_folder.records import decided
from releases.items import QUESTIONS, Item, ItemVideo

#: How tags of several answers become one set of tags, as records name it.
TAG_METHOD = "majority, a draw counts as tagged"
#: How choices of several answers become one number, as records name it.
SHARE_METHOD = "share of answers with a choice, ties left out"


@dataclass(slots=True)
class PairRecord:
    """A pair with the counts of its answers. `first` is one of its items: what it says of the pair is true of all."""

    first: Item
    n: int = 0
    #: By question: how many answers chose each video, or a tie.
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {key: Counter() for key in QUESTIONS})
    #: Why its answers were asked for, with how many.
    asked_because: Counter[str] = field(default_factory=Counter)
    lots: set[int] = field(default_factory=set)

    def add(self, item: Item) -> None:
        """Count one more answer."""
        self.n += 1
        self.asked_because[item.facts["asked_because"]] += 1
        if item.facts["lot"] is not None:
            self.lots.add(item.facts["lot"])
        for key, choice in item.choices.items():
            self.counts[key][choice] += 1

    def share(self, question: str) -> float | None:
        """Return the share of answers that chose video 1, among those that chose a video; None if all are ties."""
        zero, one = (self.counts[question][video] for video in VIDEOS)
        return one / (zero + one) if zero + one else None

    def decided(self, question: str) -> str:
        """Return the video that more than half of all answers chose, ties included; empty if there is none."""
        zero, one = (self.counts[question][video] for video in VIDEOS)
        return decided(zero, one, self.n)


@dataclass(slots=True)
class TVPairRecord:
    """A prompt with one video, and the tags that answers gave it in all pairs in which it was."""

    video: ItemVideo
    first: Item
    n: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, tags: Iterable[str]) -> None:
        """Count the tags of one more answer."""
        self.n += 1
        self.counts.update(tags)

    @property
    def tags(self) -> list[str]:
        """Return the harm keys that at least half of the answers gave."""
        return [key for key in HARM_KEYS if 2 * self.counts[key] >= self.n]


@dataclass(slots=True)
class PromptRecord:
    """A prompt with released answers."""

    first: Item
    n: int = 0
    pairs: set[str] = field(default_factory=set)
    videos: set[str] = field(default_factory=set)


class OfPrompt(NamedTuple):
    """All released answers of one prompt: one of its items, its pairs, and its T-V pairs by video id, in order."""

    first: Item
    pairs: list[PairRecord]
    tv_pairs: dict[str, TVPairRecord]


def of_prompts(items: Iterable[Item]) -> Iterator[OfPrompt]:
    """Yield the pairs and T-V pairs of each prompt together."""
    for _prompt, of_prompt in groupby(items, key=lambda item: item.prompt_id):
        answers = list(of_prompt)
        found = {record.video.video_id: record for record in tv_pairs(answers)}
        yield OfPrompt(answers[0], list(pairs(answers)), found)


def pairs(items: Iterable[Item]) -> Iterator[PairRecord]:
    """Yield each pair with the counts of its answers, by prompt and pair."""
    for _pair, of_pair in groupby(items, key=lambda item: item.pair_id):
        record: PairRecord | None = None
        for item in of_pair:
            record = record or PairRecord(item)
            record.add(item)
        if record:
            yield record


def tv_pairs(items: Iterable[Item]) -> Iterator[TVPairRecord]:
    """Yield each T-V pair with the counts of its tags, by prompt and video."""
    for _prompt, of_prompt in groupby(items, key=lambda item: item.prompt_id):
        found: dict[str, TVPairRecord] = {}
        for item in of_prompt:
            for video, tags in zip(item.videos, item.tags, strict=True):
                found.setdefault(video.video_id, TVPairRecord(video, item)).add(tags)
        for video_id in sorted(found):
            yield found[video_id]


def prompts(items: Iterable[Item]) -> Iterator[PromptRecord]:
    """Yield each prompt with released answers."""
    for _prompt, of_prompt in groupby(items, key=lambda item: item.prompt_id):
        record: PromptRecord | None = None
        for item in of_prompt:
            record = record or PromptRecord(item)
            record.n += 1
            record.pairs.add(item.pair_id)
            record.videos.update(video.video_id for video in item.videos)
        if record:
            yield record


def counts_with_ties(counts: Counter[str]) -> dict[str, int]:
    """Return the three counts of a question, as records name them."""
    return {"n_video_0": counts[VIDEOS[0]], "n_video_1": counts[VIDEOS[1]], "n_tie": counts[TIE]}


def place_in_study(item: Item) -> dict[str, Any]:
    """Return what every record says of where a prompt belongs: its part, set and cluster."""
    return {"part": item.facts["part"], "set": item.facts["prompt_set"], "cluster": item.facts["cluster"]}
