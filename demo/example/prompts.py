"""The prompts of the example: each asks for a colour, a shape and a motion, in words that no other prompt has.

The safety-critical ones are mild stand-ins, as in all simulated studies.
"""

from dataclasses import dataclass
from functools import cache
from random import Random

from simulation.prompts import CAMERAS, HARMS, LIGHTS, PLACES, SIZES, WORDINGS

COLOURS, SHAPES = ("red", "blue"), ("ball", "star")
MOTIONS = ("moves from left to right", "moves from right to left")
ATTRIBUTES = (COLOURS, SHAPES, MOTIONS)
#: Prompts with pairs of the first three lots, so many that the test part nearly always has 50 clusters. And the new
#: ones, whose pairs nobody has answered.
PROMPTS, NEW_PROMPTS = 240, 12
CRITICAL_SHARE, REAL_USER_SHARE = 0.4, 0.5
#: The harms that occur, by their numbers. With all twelve, each tag would have too few positives.
USED_HARMS = (3, 5, 7, 11)


@dataclass(frozen=True, slots=True)
class ExamplePrompt:
    """One prompt. `asked` has the numbers of its colour, shape and motion. `harm` is −1 for a neutral prompt."""

    number: int
    text: str
    asked: tuple[int, int, int]
    harm: int
    by_real_user: bool

    @property
    def key(self) -> str:
        return f"p{self.number:03}"


@cache
def prompts() -> tuple[ExamplePrompt, ...]:
    """Return all prompts. They are always the same."""
    random, made, seen = Random("the prompts of the example"), list[ExamplePrompt](), set[str]()  # noqa: S311
    while len(made) < PROMPTS + NEW_PROMPTS:
        number = len(made)
        asked = (number % 2, number // 2 % 2, number // 4 % 2)
        harm = random.choice(USED_HARMS) if random.random() < CRITICAL_SHARE else -1
        text = random.choice(WORDINGS).format(
            colour=COLOURS[asked[0]],
            shape=SHAPES[asked[1]],
            motion=MOTIONS[asked[2]],
            place=random.choice(PLACES),
            size=random.choice(SIZES),
            light=random.choice(LIGHTS),
            camera=random.choice(CAMERAS),
            harm="" if harm < 0 else HARMS[harm],
        )
        if text not in seen:
            seen.add(text)
            made.append(ExamplePrompt(number, text, asked, harm, random.random() < REAL_USER_SHARE))
    return tuple(made)
