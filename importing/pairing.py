"""Choose the pairs of an import: all pairs of each prompt's videos, some drawn by seed, or the listed ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import NamedTuple

from sources.identity import drawn_first, pair_public_id


@dataclass(frozen=True, slots=True)
class PairChoice:
    """A way to choose pairs: `all`, `listed`, or `random` with a number per prompt."""

    method: str
    a_prompt: int = 0

    @classmethod
    def parse(cls, text: str) -> "PairChoice":
        """Parse `all`, `listed` or `random:N`. Raises ValueError with a sentence."""
        if text in ("all", "listed"):
            return cls(text)
        method, _, number = text.partition(":")
        if method == "random" and number.isascii() and number.isdigit() and int(number) > 0:
            return cls("random", int(number))
        raise ValueError(f"--pairs is {text!r}. It must be all, listed or random:N, where N is 1 or more.")


class KnownVideo(NamedTuple):
    """A video of the study: its key, published id, prompt's key, and asset's key."""

    pk: int
    public_id: str
    prompt: int
    asset: int


class NewPair(NamedTuple):
    """A pair to be added. `prompt`, `video_0` and `video_1` are keys."""

    prompt: int
    video_0: int
    video_1: int
    public_id: str
    priority: int
    wanted: int
    method: str
    probability: float | None


def key(one: int, other: int) -> tuple[int, int]:
    """Return a pair's two videos in an order that does not depend on which one is number 0."""
    return (one, other) if one < other else (other, one)


@dataclass(slots=True)
class Pairing:
    """Choose pairs, and count existing and identical ones."""

    choice: PairChoice
    seed: int
    wanted: int
    already_there: int = 0
    identical: int = 0

    def of_prompt(self, public_id: str, videos: list[KnownVideo], existing: set[tuple[int, int]]) -> Iterator[NewPair]:
        """Yield new pairs of one prompt, given all its videos and the keys of its pairs.

        Two videos with the same bytes are never compared. `random:N` adds pairs until the prompt has N: importing the
        same videos again draws nothing.
        """
        videos = sorted(videos, key=lambda video: video.public_id)
        possible = list(combinations(videos, 2))
        distinct = [pair for pair in possible if pair[0].asset != pair[1].asset]
        self.identical += len(possible) - len(distinct)
        free = [pair for pair in distinct if key(pair[0].pk, pair[1].pk) not in existing]
        self.already_there += len(distinct) - len(free)
        probability = None
        if self.choice.method == "random":
            number = min(len(free), max(0, self.choice.a_prompt - len(existing)))
            if not number:
                return
            probability = number / len(free)
            generator = Random(f"{self.seed} {public_id} {len(existing)}")  # noqa: S311 - the draw must be repeatable
            free = [free[index] for index in sorted(generator.sample(range(len(free)), number))]
        for one, other in free:
            yield self._pair(one, other, probability)

    def _pair(self, one: KnownVideo, other: KnownVideo, probability: float | None) -> NewPair:
        """Return a new pair. Which video is number 0 is drawn too, so that it does not reveal the generator."""
        public_id = pair_public_id(one.public_id, other.public_id)
        if not drawn_first(self.seed, public_id):
            one, other = other, one
        return NewPair(one.prompt, one.pk, other.pk, public_id, 0, self.wanted, self.choice.method, probability)
