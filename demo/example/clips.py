"""The clips of the example: a shape that moves over a background, by one of four generators.

How good a generator is shows in how well its clips fit the prompts that they are chosen for (`demo.example.design`).
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

from demo.example.prompts import ATTRIBUTES
from demo.scenes import Layer, Scene
from demo.takes import H264, Encoding, Take
from simulation.truth import GENERATORS

CLIPS = 180
#: Of each kind of clip so many are for test prompts. No clip is in both parts of a release.
TEST_ROUNDS = 2
ENCODING, SIZE, SECONDS = Encoding("mp4", "12", H264), (320, 180), 2.0
PAINT = (("#d62f2f", "#e0453c"), ("#2f5fd6", "#3b82e0"))
SKIES = (("#f2f2ee", "#d9d8d0"), ("#e7eef5", "#c8d4de"), ("#efe9dd", "#d6cbb4"), ("#e6efe6", "#c4d3c4"))


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip: the numbers of its colour, shape and motion, and of its generator."""

    number: int
    shown: tuple[int, int, int]
    generator: int
    for_test: bool

    @property
    def key(self) -> str:
        return f"c{self.number:03}"


@cache
def clips() -> tuple[Clip, ...]:
    """Return all clips. They are always the same."""
    kinds = list(product(range(len(GENERATORS)), *(range(len(values)) for values in ATTRIBUTES)))
    made = []
    for number in range(CLIPS):
        generator, *shown = kinds[number % len(kinds)]
        made.append(Clip(number, (shown[0], shown[1], shown[2]), generator, number // len(kinds) < TEST_ROUNDS))
    return tuple(made)


def take(clip: Clip) -> Take:
    """Return the clip as `demo.clips` draws it."""
    random = Random(f"clip {clip.number} of the example")  # noqa: S311
    colour, shape, motion = clip.shown
    begin, way = 0.15 + 0.1 * random.random(), 0.25 + 0.08 * random.random()
    place = f"{begin:.3f}+{way:.3f}*t" if motion == 0 else f"{1 - begin:.3f}-{way:.3f}*t"
    layer = Layer(
        name="figure",
        shape=("circle", "star")[shape],
        colour=random.choice(PAINT[colour]),
        size=0.32 + 0.12 * random.random(),
        x=place,
        y=f"{0.35 + 0.3 * random.random():.3f}",
    )
    return Take(clip.key, "", Scene(random.choice(SKIES), (layer,)), ENCODING, SIZE, SECONDS)
