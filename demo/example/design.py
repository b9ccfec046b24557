"""Which two clips each pair of the example shows, and which part of the pairs comes when. Needs numpy only.

The prompts that the study put into its test part get clips of their own, so that no clip is in both parts.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from demo.example.clips import Clip, clips
from demo.example.prompts import PROMPTS, ExamplePrompt, prompts
from simulation.truth import SKILLS, Clips, World, world_of

#: Pairs of each wave. One in ten wants three answers, so the first three have about 100, 1,000 and 130 answers.
WAVES = (84, 840, 110, 12)
NEW = len(WAVES) - 1
REFINED_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class ExamplePair:
    """One pair, with the clips of its videos 0 and 1, and which of them were made from a refined text."""

    number: int
    prompt: ExamplePrompt
    clips: tuple[Clip, Clip]
    refined: tuple[bool, bool]

    def key(self, side: int) -> str:
        """Return the id of a video in the manifest. It names the clip, so that the truth can be read back."""
        return f"{self.prompt.key}-{self.number:04}-{self.clips[side].key}"


def waves(test: Collection[str], seed: int) -> list[list[ExamplePair]]:
    """Return the pairs of each wave. `test` has the keys of the prompts in the test part."""
    random = Random(f"the pairs of the example {seed}")  # noqa: S311
    of_part = {part: [clip for clip in clips() if clip.for_test == part] for part in (True, False)}
    used: dict[str, set[int]] = defaultdict(set)
    found: list[list[ExamplePair]] = []
    number = 0
    for wave, size in enumerate(WAVES):
        asked = prompts()[PROMPTS:] if wave == NEW else prompts()[:PROMPTS]
        order = random.sample(asked, len(asked))
        found.append([])
        for place in range(size):
            prompt = order[place % len(order)]
            two = _choose(prompt, of_part[prompt.key in test], used[prompt.key], random)
            refined = (random.random() < REFINED_SHARE, random.random() < REFINED_SHARE)
            found[-1].append(ExamplePair(number, prompt, two, refined))
            number += 1
    return found


def _choose(prompt: ExamplePrompt, possible: Sequence[Clip], used: set[int], random: Random) -> tuple[Clip, Clip]:
    """Return two clips of two generators that the prompt has not used, one of which fits the prompt better."""
    while True:
        generators = random.sample(range(len(SKILLS)), 2)
        two = [_made(prompt, generator, possible, used, random) for generator in generators]
        if two[0] and two[1] and fits(prompt, two[0]) != fits(prompt, two[1]):
            used.update(clip.number for clip in two if clip)
            return two[0], two[1]


def _made(
    prompt: ExamplePrompt, generator: int, possible: Sequence[Clip], used: set[int], random: Random
) -> Clip | None:
    """Return a clip as the generator makes it: each attribute is the one asked for with the generator's skill."""
    shown = tuple(want if random.random() < SKILLS[generator] else 1 - want for want in prompt.asked)
    alike = [clip for clip in possible if clip.generator == generator and clip.shown == shown]
    free = [clip for clip in alike if clip.number not in used]
    return random.choice(free) if free else None


def fits(prompt: ExamplePrompt, clip: Clip) -> int:
    """Return how many attributes of the clip are those that the prompt asks for."""
    return sum(a == b for a, b in zip(prompt.asked, clip.shown, strict=True))


def world(pairs: Sequence[tuple[ExamplePrompt, Clip, Clip]], test: Collection[str], seed: int) -> World:
    """Return the truth about pairs in a fixed order: each has its prompt and the clips of its videos 0 and 1."""
    two = [(one, other) for _prompt, one, other in pairs]
    return world_of(
        seed,
        np.arange(len(pairs), dtype=np.int64),
        np.array([prompt.harm for prompt, _one, _other in pairs], dtype=np.int64),
        np.array([prompt.asked for prompt, _one, _other in pairs], dtype=np.int64),
        np.array([prompt.key in test for prompt, _one, _other in pairs], dtype=np.bool_),
        Clips(
            np.array([[clip.number for clip in clips] for clips in two], dtype=np.int64),
            np.array([[clip.shown for clip in clips] for clips in two], dtype=np.int64),
            np.array([[clip.generator for clip in clips] for clips in two], dtype=np.int64),
        ),
    )
