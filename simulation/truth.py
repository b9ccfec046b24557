"""The planted truth of a simulated study: for each pair the quality of both videos, and their true tags.

Needs numpy only. Where a figure of the published data is known, the truth has it too: 48.61 % of prompts are
safety-critical, 76.29 % of videos carry no tag, on 53.39 % of safety-critical pairs the more helpful video is the less
safe one, and of the four sub-dimensions helpfulness follows instruction following the most.
"""

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from simulation import prompts
from simulation.draws import Flags, Index, Numbers, any_of_last, normal, uniform

#: The questions in the order of all arrays here. The last two are the overall ones.
QUESTIONS = (
    *("instruction_following", "correctness", "informativeness", "aesthetics"),
    *("helpfulness", "harmlessness"),
)
HELPFULNESS, HARMLESSNESS = 4, 5
TAGS = 12
GENERATORS = ("simulated-a", "simulated-b", "simulated-c", "simulated-d")
#: The chance that each attribute of a clip is the one that its prompt asks for, by generator.
SKILLS = np.array([0.85, 0.7, 0.55, 0.4])

CRITICAL_SHARE, SAFE_SHARE, TENSION = 0.4861, 0.7629, 0.5339
#: What each sub-dimension adds to helpfulness, and the part that no sub-dimension explains.
WEIGHTS, UNEXPLAINED = np.array([1.0, 0.16, 0.06, 0.12]), 0.15

#: Of the helpfulness of all videos that are made like this, so that a part of a world is like the whole.
HELPFULNESS_MEAN, HELPFULNESS_SPREAD = 2.30, 1.05
#: The stream of draws for pairs. Those of people begin at 0.
_STREAM = 2**40
(
    _CRITICAL, _LABEL, _GENERATOR, _MATCH, _OTHER, _NOISE, _SAFETY, _MORE_TAGS, _EXTRA_TAG, _BRIGHT, _CLIP,
) = range(0, 1100, 100)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Which clip each video of each pair shows: (pairs, 2). `shown` has its colour, shape and motion: (pairs, 2, 3)."""

    clip: Index
    shown: Index
    generator: Index


@dataclass(frozen=True, eq=False)
class World:
    """Pairs with their truth. The first axis of each array is the pair, an axis of 2 its videos 0 and 1.

    Attributes:
        prompt: (pairs,) number of the prompt, for `prompts.text_of`.
        label: (pairs,) the harm that a safety-critical prompt stands for, 0 to 11; −1: the prompt is neutral.
        asked: (pairs, 3) colour, shape and motion that the prompt asks for.
        held_out: (pairs,) whether a model must not be trained on this combination: a quarter of them.
        clip: (pairs, 2) number of the clip.
        shown: (pairs, 2, 3) colour, shape and motion in the clip.
        generator: (pairs, 2) number of the generator.
        quality: (pairs, 2, 6) latent quality for each of `QUESTIONS`. Higher is better.
        tags: (pairs, 2, 12) true harm tags.
        bright: (pairs, 2) brightness, which has nothing to do with quality.
    """

    seed: int
    prompt: Index
    label: Index
    asked: Index
    held_out: Flags
    clip: Index
    shown: Index
    generator: Index
    quality: Numbers
    tags: Flags
    bright: Numbers

    def __len__(self) -> int:
        return len(self.prompt)

    @cached_property
    def better(self) -> Index:
        """Return the number of the better video: (pairs, 6)."""
        return (self.difference > 0).astype(np.int64)

    @cached_property
    def difference(self) -> Numbers:
        """Return the quality of video 1 less that of video 0: (pairs, 6). Near 0 the pair is difficult."""
        result: Numbers = self.quality[:, 1] - self.quality[:, 0]
        return result

    @cached_property
    def brighter(self) -> Index:
        """Return the number of the brighter video: (pairs,)."""
        return (self.bright[:, 1] > self.bright[:, 0]).astype(np.int64)

    @cached_property
    def critical(self) -> Flags:
        """Return whether the prompt is safety-critical: (pairs,)."""
        return self.label >= 0

    @cached_property
    def harmful(self) -> Flags:
        """Return whether each video has a true tag: (pairs, 2)."""
        return any_of_last(self.tags)

    @property
    def tension(self) -> float:
        """Return the share of safety-critical pairs whose more helpful video is the less safe one."""
        chosen = self.better[self.critical]
        return float((chosen[:, HELPFULNESS] != chosen[:, HARMLESSNESS]).mean())


def plant(pairs: int, seed: int, *, clips: int | None = None, first: int = 0) -> World:
    """Return a world of that many pairs, each with a prompt of its own.

    Args:
        clips: if given, so many clips are shown under many prompts, and each is shown in training pairs or in held-out
            pairs only. Otherwise each video has a clip of its own.
        first: the number of the first pair. A large world may be made in parts: pairs do not depend on each other,
            unless `clips` is given.
    """
    rows = np.arange(first, first + pairs, dtype=np.int64)
    asked = np.array([prompts.numbers_of(row)[:3] for row in rows.tolist()], dtype=np.int64).reshape(-1, 3)
    held_out = asked.sum(axis=1) % 4 == 0
    critical = uniform(seed, _STREAM, rows, _CRITICAL) < CRITICAL_SHARE
    label = np.where(critical, (uniform(seed, _STREAM, rows, _LABEL) * TAGS).astype(np.int64), -1)
    shows = _own_clips(seed, rows, asked) if clips is None else _shared_clips(seed, rows, asked, held_out, clips)
    return world_of(seed, rows, label, asked, held_out, shows)


def world_of(seed: int, rows: Index, label: Index, asked: Index, held_out: Flags, shows: Clips) -> World:
    """Return the pairs of material that was chosen elsewhere, with the truth about them.

    Args:
        rows: (pairs,) a number for each pair, which decides its draws.
        label, asked, held_out: as in `World`. shows: what the two videos of each pair show.
    """
    quality = _quality(seed, rows, asked, shows)
    quality[:, :, HARMLESSNESS] = _safety(seed, rows, quality[:, :, HELPFULNESS])
    return World(
        seed=seed,
        prompt=rows,
        label=label,
        asked=asked,
        held_out=held_out,
        clip=shows.clip,
        shown=shows.shown,
        generator=shows.generator,
        quality=quality,
        tags=_tags(seed, rows, label, quality[:, :, HARMLESSNESS]),
        bright=np.stack([uniform(seed, _STREAM, rows, _BRIGHT + video) for video in (0, 1)], axis=1),
    )


def _own_clips(seed: int, rows: Index, asked: Index) -> Clips:
    """Return a clip for each video. The generator's skill decides how much of the prompt is in it."""
    clip = np.stack([2 * rows, 2 * rows + 1], axis=1)
    generator, shown = _made(seed, clip.ravel(), np.repeat(asked, 2, axis=0))
    return Clips(clip, shown.reshape(-1, 2, 3), generator.reshape(-1, 2))


def _made(seed: int, clips: Index, asked: Index) -> tuple[Index, Index]:
    """Return the generator of each clip, and its three attributes: those asked for, or others by mistake."""
    generator = (uniform(seed, _STREAM, clips, _GENERATOR) * len(GENERATORS)).astype(np.int64)
    shown = asked.copy()
    for place, values in enumerate(prompts.ATTRIBUTES):
        missed = uniform(seed, _STREAM, clips, _MATCH + place) >= SKILLS[generator]
        steps = 1 + (uniform(seed, _STREAM, clips, _OTHER + place) * (len(values) - 1)).astype(np.int64)
        shown[:, place] = np.where(missed, (asked[:, place] + steps) % len(values), asked[:, place])
    return generator, shown


def _shared_clips(seed: int, rows: Index, asked: Index, held_out: Flags, clips: int) -> Clips:
    """Return clips that occur under many prompts. The first quarter of them is shown in held-out pairs only.

    One video of a pair shows a clip that has much of what the prompt asks for, the other one any clip of its part.
    """
    numbers = np.arange(clips, dtype=np.int64)
    sizes = np.array([len(values) for values in prompts.ATTRIBUTES])
    drawn = np.stack([uniform(seed, _STREAM, numbers, _CLIP + place) for place in range(3)], axis=1)
    attributes = (drawn * sizes).astype(np.int64)
    generator, _ = _made(seed, numbers, attributes)
    chosen = np.empty((len(rows), 2), dtype=np.int64)
    for part, members in ((True, numbers[: clips // 4]), (False, numbers[clips // 4 :])):
        here = np.flatnonzero(held_out == part)
        if not len(here):
            continue
        if len(members) < 2:
            raise ValueError(f"{clips} clips are too few: each part needs two. Give at least 8.")
        alike = (attributes[members][None, :, :] == asked[here][:, None, :]).sum(axis=2)
        luck = np.stack([uniform(seed, _STREAM, rows[here], _CLIP + 10 + clip) for clip in range(len(members))], axis=1)
        fitting = np.argmax(alike + 0.9 * luck, axis=1)
        other = np.argmax(np.where(np.arange(len(members)) == fitting[:, None], -1.0, luck), axis=1)
        swapped = uniform(seed, _STREAM, rows[here], _CLIP + 5) < 0.5
        chosen[here] = members[np.where(swapped[:, None], np.stack([other, fitting], 1), np.stack([fitting, other], 1))]
    return Clips(chosen, attributes[chosen], generator[chosen])


def _quality(seed: int, rows: Index, asked: Index, shows: Clips) -> Numbers:
    """Return the latent quality without harmlessness: (pairs, 2, 6).

    Instruction following counts the attributes that are right. The other sub-dimensions depend on the generator.
    """
    quality = np.zeros((len(rows), 2, len(QUESTIONS)))
    for video in (0, 1):
        noise = [normal(seed, _STREAM, rows, _NOISE + 20 * video + 2 * place) for place in range(5)]
        right = (shows.shown[:, video] == asked).sum(axis=1)
        quality[:, video, 0] = right + 0.3 * noise[0]
        for place in (1, 2, 3):
            quality[:, video, place] = 2 * SKILLS[shows.generator[:, video]] + noise[place]
        quality[:, video, HELPFULNESS] = quality[:, video, :4] @ WEIGHTS + UNEXPLAINED * noise[4]
    return quality


def _safety(seed: int, rows: Index, helpfulness: Numbers) -> Numbers:
    """Return the latent safety of each video, standard normal, so that it is at odds with helpfulness as published.

    Two normal numbers with correlation r differ in sign with probability arccos(r) / π.
    """
    against = np.cos(np.pi * TENSION)
    common = (helpfulness - HELPFULNESS_MEAN) / HELPFULNESS_SPREAD
    own = np.stack([normal(seed, _STREAM, rows, _SAFETY + 2 * video) for video in (0, 1)], axis=1)
    result: Numbers = against * common + np.sqrt(1 - against**2) * own
    return result


def _tags(seed: int, rows: Index, label: Index, safety: Numbers) -> NDArray[np.bool_]:
    """Return the true tags. The less safe videos of safety-critical prompts have the prompt's tag, and some one more.

    If only one video of a pair is tagged, it is therefore the less safe one.
    """
    tags = np.zeros((len(rows), 2, TAGS), dtype=np.bool_)
    # Of the standard normal numbers of safety-critical videos, the share below this bound makes the published share.
    bound = NormalDist().inv_cdf((1 - SAFE_SHARE) / CRITICAL_SHARE)
    for video in (0, 1):
        tagged = np.flatnonzero((label >= 0) & (safety[:, video] < bound))
        tags[tagged, video, label[tagged]] = True
        more = tagged[uniform(seed, _STREAM, rows[tagged], _MORE_TAGS + video) < 0.25]
        extra = (uniform(seed, _STREAM, rows[more], _EXTRA_TAG + video) * TAGS).astype(np.int64)
        tags[more, video, extra] = True
    return tags
