"""Annotators with planted skill, side bias, tag severity and speed, and the answers that they give.

Needs numpy only. Without a broken assumption a person is right on each question with one probability, whatever the
pair: the model that the reliability of people assumes. `broken` makes people who are not like that.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulation.draws import Flags, Index, Numbers, any_of_last, normal, uniform
from simulation.truth import HARMLESSNESS, QUESTIONS, TAGS, World

#: What can be broken, each with a sentence.
BREAKS = {
    "difficulty": "people are right more often where the two videos differ more",
    "brightness": "everybody is pulled to the brighter video on a share of the pairs",
    "fatigue": "people become careless with each pair that they answer, each at their own pace",
    "copying": "a third of the people form a ring, and copy what one of them answered before",
    "random_clicks": "a sixth of the people click at random, at the pace of the others",
}
#: Share of one's own answers that look fast, given carefully and carelessly.
FAST_CAREFUL, FAST_CARELESS = 0.05, 0.6
#: How long a fast answer takes, compared with the person's usual time.
FAST = 0.15

_CARELESS, _FAST, _PULL, _SIDE, _JUDGE, _COIN, _CONSISTENT, _COPY, _TIME, _TAG, _UNSURE = range(0, 1100, 100)


@dataclass(frozen=True, slots=True)
class Person:
    """One annotator.

    Attributes:
        number: from 0; it also decides the person's draws.
        accuracy: how often a choice is right if nothing is broken, all causes of mistakes included. It concerns the
            first five questions. Harmlessness depends on the tags too, see `consistency`.
        side_bias: share of choices in which the person takes one side without looking: above 0 left, below 0 right.
        careless: share of answers given without looking, by a coin for each question.
        severity: added to the log odds of each tag. Above 0 the person gives more tags.
        finds, invents: the chance of a tag that is true, and of one that is not, at severity 0. Tags are invented on
            safety-critical prompts only.
        consistency: how often the person, having tagged only one video, prefers the other one as safer.
        seconds: median active time of an answer.
        difficulty: whether the chance to be right grows with the difference between the two videos.
        pull: share of choices in which the person takes the brighter video.
        half_life: number of answers after which half of the skill is gone; 0: never.
        copies: numbers of the colleagues from whom they copy. `copying`: the share of pairs on which they do, of those
            that one of these colleagues answered before.
        clicks: whether the person clicks at random.
    """

    number: int
    accuracy: float = 0.8
    side_bias: float = 0.0
    careless: float = 0.0
    severity: float = 0.0
    finds: float = 0.85
    invents: float = 0.01
    consistency: float = 0.95
    seconds: float = 40.0
    difficulty: bool = False
    pull: float = 0.0
    half_life: int = 0
    copies: tuple[int, ...] = ()
    copying: float = 0.0
    clicks: bool = False

    def __post_init__(self) -> None:
        if not 0.5 <= self.judging <= 1:
            raise ValueError(
                f"Person {self.number} cannot have accuracy {self.accuracy} with side bias {self.side_bias} and "
                f"carelessness {self.careless}: they would have to be right in {self.judging:.2f} of what they judge. "
                "Choose an accuracy nearer to 0.75, or less bias."
            )

    @property
    def judging(self) -> float:
        """Return how often the person is right where they look and have no side in mind, so that `accuracy` results."""
        looked, bias = 1 - self.careless, abs(self.side_bias)
        if looked == 0 or bias == 1:
            return 0.5
        return ((self.accuracy - self.careless / 2) / looked - bias / 2) / (1 - bias)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Answers of one person, one row for each pair.

    Attributes:
        choices: (rows, 6) number of the chosen video, for each of `truth.QUESTIONS`.
        tags: (rows, 2, 12) the tags given to each video.
        seconds: (rows,) active time.
        fast: (rows,) whether the answer took far less time than the person's others.
        careless: (rows,) whether it was given without looking.
        unsure: (rows,) whether the person marked it as unsure.
    """

    choices: Index
    tags: Flags
    seconds: Numbers
    fast: Flags
    careless: Flags
    unsure: Flags

    def __len__(self) -> int:
        return len(self.choices)

    @property
    def contradictory(self) -> Flags:
        """Return whether only one video is tagged and that video is chosen as safer: (rows,)."""
        tagged = any_of_last(self.tags)
        chosen = self.choices[:, HARMLESSNESS]
        result: Flags = (tagged.sum(axis=1) == 1) & tagged[np.arange(len(self)), chosen]
        return result


def crowd(
    size: int,
    seed: int,
    *,
    accuracies: tuple[float, float] = (0.66, 0.89),
    side_bias: float = 0.1,
    careless: float = 0.02,
    severity: float = 1.0,
) -> list[Person]:
    """Return people whose accuracies are spread evenly over a range, in random order. Everything else is drawn.

    Args:
        side_bias, severity: the most that anybody has, to either side.
        careless: the same for everybody.
    """
    rows = np.arange(size)
    order = np.argsort(uniform(seed, 2**41, rows, 0))
    spread = np.linspace(*accuracies, size)[order] if size > 1 else np.array([sum(accuracies) / 2])
    bias = side_bias * (2 * uniform(seed, 2**41, rows, 1) - 1)
    strict = severity * (2 * uniform(seed, 2**41, rows, 2) - 1)
    seconds = 25 + 40 * uniform(seed, 2**41, rows, 3)
    return [
        Person(
            number,
            accuracy=float(spread[number]),
            side_bias=float(bias[number]),
            careless=careless,
            severity=float(strict[number]),
            seconds=float(seconds[number]),
        )
        for number in range(size)
    ]


def broken(people: Sequence[Person], names: Collection[str], seed: int) -> list[Person]:
    """Return the people with these assumptions broken (`BREAKS`). Raise ValueError for an unknown name."""
    if unknown := sorted(set(names) - set(BREAKS)):
        raise ValueError(f"“{unknown[0]}” is no assumption that can be broken. Choose from: {', '.join(BREAKS)}.")
    changed = list(people)
    rows = np.arange(len(people))
    order = np.argsort(uniform(seed, 2**41, rows, 10)).tolist()
    if "difficulty" in names:
        changed = [replace(person, difficulty=True) for person in changed]
    if "brightness" in names:
        changed = [replace(person, pull=0.25) for person in changed]
    if "fatigue" in names:
        lives = 300 * 8 ** uniform(seed, 2**41, rows, 11)
        changed = [replace(person, half_life=int(life)) for person, life in zip(changed, lives, strict=True)]
    if "copying" in names:
        ring = order[: max(2, len(order) // 3)]
        for number in ring:
            colleagues = tuple(other for other in ring if other != number)
            changed[number] = replace(changed[number], copies=colleagues, copying=0.8)
    if "random_clicks" in names:
        for number in order[len(order) - max(1, len(order) // 6) :]:
            changed[number] = replace(changed[number], clicks=True, accuracy=0.5, side_bias=0.0, careless=0.0)
    return changed


def answer(world: World, person: Person, seed: int, pairs: Index, left: Index, served: Index) -> Sheet:
    """Return the person's own answers, without copying.

    Args:
        pairs: positions of the pairs in the world.
        left: number of the video that stands on the left, for each pair.
        served: how many pairs the person had answered before each one.
    """
    rows = world.prompt[pairs]

    def drawn(draw: int) -> Numbers:
        return uniform(seed, person.number, rows, draw)

    careless = drawn(_CARELESS) < person.careless
    without_looking = careless | person.clicks
    fast = drawn(_FAST) < (FAST_CAREFUL if person.clicks else np.where(careless, FAST_CARELESS, FAST_CAREFUL))
    choices = np.stack([_choice(world, person, seed, pairs, left, served, q) for q in range(len(QUESTIONS))], axis=1)
    coins = np.stack([drawn(_COIN + question) < 0.5 for question in range(len(QUESTIONS))], axis=1)
    choices = np.where(without_looking[:, None], coins, choices).astype(np.int64)
    tags = _tags(world, person, seed, pairs, without_looking)
    tagged = any_of_last(tags)
    follows = (tagged.sum(axis=1) == 1) & ~without_looking & (drawn(_CONSISTENT) < person.consistency)
    choices[follows, HARMLESSNESS] = tagged[follows, 0]  # the other video: number 1 if number 0 is tagged
    seconds = person.seconds * np.exp(0.35 * normal(seed, person.number, rows, _TIME)) * np.where(fast, FAST, 1.0)
    return Sheet(choices, tags, seconds, fast, careless, drawn(_UNSURE) < 0.05)


def _choice(world: World, person: Person, seed: int, pairs: Index, left: Index, served: Index, question: int) -> Index:
    """Return the number of the chosen video on one question, for a person who looks."""
    rows = world.prompt[pairs]
    chance = _chance(world, person, pairs, served, question)
    better = world.better[pairs, question]
    right = uniform(seed, person.number, rows, _JUDGE + question) < chance
    chosen = np.where(right, better, 1 - better)
    pulled = uniform(seed, person.number, rows, _PULL + question) < person.pull
    chosen = np.where(pulled, world.brighter[pairs], chosen)
    by_side = uniform(seed, person.number, rows, _SIDE + question) < abs(person.side_bias)
    result: Index = np.where(by_side, left if person.side_bias > 0 else 1 - left, chosen)
    return result


def _chance(world: World, person: Person, pairs: Index, served: Index, question: int) -> Numbers:
    """Return the chance that the person judges rightly, for each pair."""
    chance = np.full(len(pairs), person.judging)
    if person.difficulty:
        difference = np.abs(world.difference[pairs, question])
        chance = _logistic(slope(world, person.judging, question) * difference)
    if person.half_life:
        chance = 0.5 + (chance - 0.5) * 0.5 ** (served / person.half_life)
    return chance


_slopes: dict[tuple[int, int, float, int], float] = {}


def slope(world: World, judging: float, question: int) -> float:
    """Return the slope at which the logistic chance, over the pairs of this world, is `judging` on average."""
    key = (world.seed, len(world), judging, question)
    if key not in _slopes:
        differences = np.abs(world.difference[:4000, question])
        low, high = 0.0, 1000.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if _logistic(middle * differences).mean() < judging else (low, middle)
        _slopes[key] = low
    return _slopes[key]


def _tags(world: World, person: Person, seed: int, pairs: Index, without_looking: Flags) -> Flags:
    """Return the tags that the person gives: (rows, 2, 12). On neutral prompts nobody gives one."""
    rows = world.prompt[pairs]
    chance = np.where(world.tags[pairs], _shifted(person.finds, person), _shifted(person.invents, person))
    chance[without_looking] = 0.04
    chance[~world.critical[pairs]] = 0.0
    drawn = np.stack([uniform(seed, person.number, rows, _TAG + place) for place in range(2 * TAGS)], axis=1)
    result: Flags = drawn.reshape(-1, 2, TAGS) < chance
    return result


def _shifted(share: float, person: Person) -> float:
    """Return the share with the person's severity added to its log odds."""
    return float(_logistic(np.array([np.log(share / (1 - share)) + person.severity]))[0])


def _logistic(value: Numbers) -> Numbers:
    result: Numbers = 1 / (1 + np.exp(-value))
    return result


def copied(person: Person, seed: int, world: World, pairs: Index, own: Sheet, source: Sheet) -> Sheet:
    """Return the person's answers where they could copy those of a colleague, given in the same order of pairs.

    A copied answer has the colleague's choices and tags. Its time is the person's own.
    """
    copies = uniform(seed, person.number, world.prompt[pairs], _COPY) < person.copying
    return replace(
        own,
        choices=np.where(copies[:, None], source.choices, own.choices),
        tags=np.where(copies[:, None, None], source.tags, own.tags),
    )
