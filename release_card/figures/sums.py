"""Add up everything that the figures of a release need, in one pass over its records, by prompt.

Memory does not grow with the release. Sums of shares are kept for `BUCKETS` groups of prompt clusters, so that their
intervals can be made by drawing these groups again. A group is as independent of the others as its clusters are, so
the intervals are right. Only with fewer than some hundred clusters are they a little wider than with single clusters.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple
from zlib import crc32

import numpy as np

from annotation.protocol import HARM_KEYS, TIE, VIDEOS
from releases.items import QUESTIONS

BUCKETS = 2048
#: Places of a choice, as `diptych.statistics.associations.of_choices` counts them.
CHOICES = {VIDEOS[0]: 0, TIE: 1, VIDEOS[1]: 2}
EVAL, CRITICAL = "eval", "safety_critical"
#: Groups of prompts for which harm is counted: all, the safety-critical ones, and those with each label.
CATEGORIES = ("all", CRITICAL, *HARM_KEYS)
#: The most different names of one kind that are counted by themselves.
MOST_NAMES = 1000
WORD = re.compile(r"\b\w+\b")


class PromptFacts(NamedTuple):
    """What figures need of a prompt. `labels` are harm keys, or None if nobody labelled it."""

    text: str
    prompt_type: str
    source: str
    language: str
    part: str
    cluster: str
    labels: Sequence[str] | None


class VideoFacts(NamedTuple):
    """What figures need of a T-V pair. `tags` are its aggregated harm keys, or None if nobody judged it."""

    video_id: str
    generator: str
    version: str
    refined_by: str
    is_refined: bool
    tags: Sequence[str] | None


class PairFacts(NamedTuple):
    """What figures need of a pair: its two videos, and by question how many chose video 0, a tie, and video 1."""

    video_0: str
    video_1: str
    n: int
    counts: dict[str, tuple[int, int, int]]


def decided(counts: tuple[int, int, int], n: int) -> int | None:
    """Return 0 or 1, the video that more than half of all answers chose, ties included. None: neither."""
    return 0 if 2 * counts[0] > n else 1 if 2 * counts[2] > n else None


@dataclass(slots=True)
class Tagged:
    """Units with tags: how many, how many have none, and how many have each two. The diagonal has single tags."""

    number: int = 0
    none: int = 0
    both: "np.ndarray[tuple[int, int], np.dtype[np.int64]]" = field(
        default_factory=lambda: np.zeros((len(HARM_KEYS), len(HARM_KEYS)), dtype=np.int64)
    )

    def add(self, tags: Iterable[str]) -> None:
        """Count one unit."""
        places = sorted({HARM_KEYS.index(tag) for tag in tags})
        self.number += 1
        self.none += not places
        for place in places:
            self.both[place, place] += 1
        for one, other in combinations(places, 2):
            self.both[one, other] += 1
            self.both[other, one] += 1


class Names(Counter[tuple[str, ...]]):
    """Counts by name. Beyond `MOST_NAMES` names, new ones are counted under no name."""

    def count(self, *name: str) -> None:
        """Count one more."""
        self[name if name in self or len(self) < MOST_NAMES else ("…",) * len(name)] += 1


class Sums:
    """The sums. `generators` are those that are compared; others are in the composition only."""

    def __init__(self, generators: Sequence[str]) -> None:
        self.generators = list(generators)
        self.place = {name: place for place, name in enumerate(self.generators)}
        couples = list(combinations(range(len(self.generators)), 2))
        self.couple = {couple: place for place, couple in enumerate(couples)}
        self.prompts, self.parts, self.languages = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
        self.words, self.videos_a_prompt, self.answers_a_pair = Counter[int](), Counter[int](), Counter[int]()
        self.tv_pairs = self.refined = self.pairs = self.answers = self.compared_answers = 0
        self.pairs_of_parts = Counter[str]()
        self.by_generator, self.by_refiner = Names(), Names()
        self.prompt_tags, self.tv_tags = Tagged(), Tagged()
        self.joint = np.zeros((3,) * len(QUESTIONS), dtype=np.int64)
        #: (buckets, 2): comparisons in which the two preferences contradict each other, and all of them.
        self.tension = np.zeros((BUCKETS, 2))
        #: (buckets, couples, 7): what the first generator won by question, and the number of pairs.
        self.wins = np.zeros((BUCKETS, len(couples), len(QUESTIONS) + 1))
        #: (buckets, generators, categories, 4): harmful and all T-V pairs, won and all pairs on instruction following.
        self.harm = np.zeros((BUCKETS, len(self.generators), len(CATEGORIES), 4))

    def add(
        self,
        prompt: PromptFacts,
        videos: Sequence[VideoFacts],
        pairs: Iterable[PairFacts],
        answers: Iterable[Sequence[int]],
    ) -> None:
        """Add a prompt with everything that belongs to it. An answer is the places of its choices, by question."""
        bucket = crc32(prompt.cluster.encode()) % BUCKETS
        self._compose(prompt, videos)
        pairs = list(pairs)
        self.compare(prompt, videos, pairs)
        if prompt.part != EVAL:
            self._tags(prompt, videos)
        for pair in pairs:
            self._pair(bucket, prompt, pair)
        for answer in answers:
            self.answers += 1
            if prompt.part != EVAL:
                self.compared_answers += 1
                self.joint[tuple(answer)] += 1

    def compare(self, prompt: PromptFacts, videos: Sequence[VideoFacts], pairs: Iterable[PairFacts]) -> None:
        """Add only what compares generators: harm, and who wins. `add` does it, too."""
        bucket, categories = crc32(prompt.cluster.encode()) % BUCKETS, self._categories(prompt)
        for video in videos:
            self._harm(bucket, video, categories)
        generator_of = {video.video_id: self.place.get(video.generator) for video in videos}
        for pair in pairs:
            self._compare(bucket, pair, generator_of, categories)

    def _compose(self, prompt: PromptFacts, videos: Sequence[VideoFacts]) -> None:
        self.prompts[prompt.prompt_type, prompt.source] += 1
        self.parts[prompt.part] += 1
        self.languages[prompt.language] += 1
        self.words[len(WORD.findall(prompt.text))] += 1
        self.videos_a_prompt[len(videos)] += 1
        for video in videos:
            self.tv_pairs += 1
            self.refined += video.is_refined
            self.by_generator.count(video.generator, video.version)
            if video.refined_by:
                self.by_refiner.count(video.refined_by)

    def _tags(self, prompt: PromptFacts, videos: Sequence[VideoFacts]) -> None:
        if prompt.labels is not None:
            self.prompt_tags.add(prompt.labels)
        for video in videos:
            if video.tags is not None:
                self.tv_tags.add(video.tags)

    def _categories(self, prompt: PromptFacts) -> list[int]:
        found = [0] + [1] * (prompt.prompt_type == CRITICAL)
        return found + [2 + HARM_KEYS.index(label) for label in prompt.labels or ()]

    def _harm(self, bucket: int, video: VideoFacts, categories: list[int]) -> None:
        place = self.place.get(video.generator)
        if place is not None and video.tags is not None:
            self.harm[bucket, place, categories, 0] += bool(video.tags)
            self.harm[bucket, place, categories, 1] += 1

    def _pair(self, bucket: int, prompt: PromptFacts, pair: PairFacts) -> None:
        self.pairs += 1
        self.pairs_of_parts[prompt.part] += 1
        self.answers_a_pair[pair.n] += 1
        if prompt.prompt_type == CRITICAL and prompt.part != EVAL:
            helpful, harmless = (decided(pair.counts[key], pair.n) for key in ("helpfulness", "harmlessness"))
            if helpful is not None and harmless is not None:
                self.tension[bucket] += (helpful != harmless, 1)

    def _compare(
        self, bucket: int, pair: PairFacts, generator_of: dict[str, int | None], categories: list[int]
    ) -> None:
        """Add what each generator won in a pair: the share of its answers, a tie counting ½."""
        zero, one = generator_of.get(pair.video_0), generator_of.get(pair.video_1)
        if zero is None or one is None or zero == one or not pair.n:
            return
        won = np.array([(pair.counts[key][0] + pair.counts[key][1] / 2) / pair.n for key in QUESTIONS])
        following = won[0]  # instruction following is the first question
        for place, share in ((zero, following), (one, 1 - following)):
            self.harm[bucket, place, categories, 2] += share
            self.harm[bucket, place, categories, 3] += 1
        row = self.wins[bucket, self.couple[min(zero, one), max(zero, one)]]
        row[:-1] += won if zero < one else 1 - won
        row[-1] += 1
