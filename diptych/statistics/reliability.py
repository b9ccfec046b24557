"""How reliable each person is on each question, from answers to the same pairs, without known right answers.

The model is the one-coin form of Dawid and Skene (1979), “Maximum likelihood estimation of observer error-rates using
the EM algorithm”, as in Zhang, Chen, Zhou and Jordan (2016), “Spectral methods meet EM”: a person gives the right
answer with one probability, their accuracy, and each wrong answer equally often. Blind reviews are answers like others.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diptych.statistics.bootstrap import Numbers
from diptych.statistics.figures import NotDefined
from diptych.statistics.rates import share_between

#: A tag needs so many answers that give it before anybody's reliability on it is shown.
FEWEST_POSITIVES = 50

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person's answer to one question about one unit: a pair, or a video of a pair."""

    unit: Hashable
    person: Hashable
    value: Hashable


@dataclass(frozen=True, slots=True)
class Prior:
    """What is assumed about an accuracy before any answer: as if `right` and `wrong` answers had been seen already.

    It keeps people with few answers away from 0 and 1. With both 0 the estimate is that of maximum likelihood.
    """

    right: float = 3.0
    wrong: float = 1.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """What the model found.

    accuracy: for each person, the probability of the right answer. answers: how many of their answers it rests on; they
    are of units with at least two answers. values: the values in order. probabilities: for each of these units, how
    probable each value is as the right one. shares: how common each value is among right answers. settled is False if
    the estimate still moved after the last step.
    """

    accuracy: dict[Hashable, float]
    answers: dict[Hashable, int]
    values: tuple[Hashable, ...]
    probabilities: dict[Hashable, tuple[float, ...]]
    shares: tuple[float, ...]
    settled: bool


def reliability(
    judgements: Sequence[Judgement],
    values: Sequence[Hashable],
    *,
    both_orders: bool = False,
    prior: Prior | None = None,
    tolerance: float = 1e-6,
    steps: int = 500,
) -> Reliability | NotDefined:
    """Return everybody's accuracy on one question, or `NO_OVERLAP` if no unit has answers of two people.

    values: all values in their order, at least two. both_orders: for preferences; values that mirror each other
    (video 0 and video 1) are taken to be equally common, so that nothing depends on which video is number 0. The
    estimate ends when no accuracy moves by more than `tolerance` in a step. Raise ValueError for a value that `values`
    lacks, for fewer than two values, and if a person has two answers to one unit.
    """
    table = _Table.of(judgements, values)
    if not len(table.unit):
        return NotDefined.NO_OVERLAP
    accuracy, beliefs, settled = _estimate(table, both_orders, prior or Prior(), tolerance, steps)
    counts = np.bincount(table.person, minlength=len(table.people))
    return Reliability(
        accuracy=dict(zip(table.people, accuracy.tolist(), strict=True)),
        answers=dict(zip(table.people, counts.tolist(), strict=True)),
        values=tuple(values),
        probabilities=dict(zip(table.units, map(tuple, beliefs.tolist()), strict=True)),
        shares=tuple(_shares(beliefs, both_orders).tolist()),
        settled=settled,
    )


def people_figures(
    unit: Index, person: Index, value: Index, values: int, *, both_orders: bool = False, prior: Prior | None = None
) -> dict[int, tuple[float, int]] | NotDefined:
    """Return everybody's accuracy and the number of answers that it rests on, from columns of whole numbers.

    It is what `reliability` returns, for as many answers as a study has. unit, person, value: (answers,), and nobody
    has two answers to one unit. values: how many values there are. Raise ValueError for fewer than two.
    """
    if values < 2:
        raise ValueError("A question with fewer than two values has no right or wrong answer. Give all its values.")
    _, unit_place, answers = np.unique(unit, return_inverse=True, return_counts=True)
    shared = answers[unit_place] > 1
    if not shared.any():
        return NotDefined.NO_OVERLAP
    units, unit_place = np.unique(unit[shared], return_inverse=True)
    people, person_place = np.unique(person[shared], return_inverse=True)
    table = _Table(units.tolist(), people.tolist(), values, unit_place, person_place, value[shared])
    accuracy, _beliefs, _settled = _estimate(table, both_orders, prior or Prior())
    counts = np.bincount(person_place, minlength=len(people))
    return {int(one): (float(share), int(number)) for one, share, number in zip(people, accuracy, counts, strict=True)}


def _estimate(
    table: "_Table", both_orders: bool, prior: Prior, tolerance: float = 1e-6, steps: int = 500
) -> tuple[Numbers, Numbers, bool]:
    """Return everybody's accuracy, how probable each value of each unit is, and whether the estimate has settled."""
    beliefs = table.votes()
    accuracy = table.accuracy(beliefs, prior)
    for _ in range(steps):
        beliefs = table.beliefs(accuracy, _shares(beliefs, both_orders))
        previous, accuracy = accuracy, table.accuracy(beliefs, prior)
        if np.abs(accuracy - previous).max() <= tolerance:
            return accuracy, beliefs, True
    return accuracy, beliefs, False


def tag_reliability(judgements: Sequence[Judgement], prior: Prior | None = None) -> Reliability | NotDefined:
    """Return everybody's accuracy on one tag, or why there is none.

    The value of a judgement is True or False: whether the person gave the tag. It is `NOT_ENOUGH` if fewer than 50
    answers give it: on a tag that hardly occurs everybody who always says no is nearly perfect. Raise ValueError as
    `reliability` does.
    """
    compared = _of_shared_units(judgements)
    if not compared:
        return NotDefined.NO_OVERLAP
    if sum(judgement.value is True for judgement in compared) < FEWEST_POSITIVES:
        return NotDefined.NOT_ENOUGH
    return reliability(compared, (False, True), prior=prior)


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often a person chose the video on the left, with its exact interval. Without a bias it is one half.

    Sides are balanced within each person, so the better video stands on the left half of the time.
    """

    left: int
    choices: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Return the share of left choices, or None without choices."""
        return self.left / self.choices if self.choices else None

    @property
    def beyond_chance(self) -> bool:
        """Return whether one half lies outside the interval. Of people without a bias that happens to 1 in 20."""
        return not self.low <= 0.5 <= self.high


def side_bias(left: int, right: int) -> SideBias:
    """Return a person's side bias, from how often they chose each side. Do not count ties. Raise BadNumbers below 0."""
    low, high = share_between(left, left + right)
    return SideBias(left, left + right, low, high)


def _shares(beliefs: Numbers, both_orders: bool) -> Numbers:
    """Return how common each value is among right answers."""
    shares: Numbers = beliefs.mean(axis=0)
    return (shares + shares[::-1]) / 2 if both_orders else shares


def _of_shared_units(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return the judgements of units with at least two. Raise ValueError if one person judged a unit twice."""
    people: dict[Hashable, set[Hashable]] = {}
    for judgement in judgements:
        known = people.setdefault(judgement.unit, set())
        if judgement.person in known:
            raise ValueError(
                f"Person “{judgement.person}” has two answers to unit “{judgement.unit}”. Give only one of them."
            )
        known.add(judgement.person)
    return [judgement for judgement in judgements if len(people[judgement.unit]) > 1]


@dataclass(frozen=True, slots=True)
class _Table:
    """Judgements as numbers: for each the positions of unit, person and value."""

    units: list[Hashable]
    people: list[Hashable]
    values: int
    unit: Index
    person: Index
    value: Index

    @classmethod
    def of(cls, judgements: Sequence[Judgement], values: Sequence[Hashable]) -> "_Table":
        if len(values) < 2:
            raise ValueError("A question with fewer than two values has no right or wrong answer. Give all its values.")
        known = {value: number for number, value in enumerate(values)}
        compared = _of_shared_units(judgements)
        units = {unit: number for number, unit in enumerate(dict.fromkeys(one.unit for one in compared))}
        people = {person: number for number, person in enumerate(dict.fromkeys(one.person for one in compared))}
        for one in compared:
            if one.value not in known:
                names = ", ".join(map(str, values))
                raise ValueError(f"The value “{one.value}” of unit “{one.unit}” is none of: {names}. Correct it.")
        numbers = [(units[one.unit], people[one.person], known[one.value]) for one in compared]
        unit, person, value = np.array(numbers, dtype=np.int64).reshape(-1, 3).T
        return cls(list(units), list(people), len(values), unit, person, value)

    def votes(self) -> Numbers:
        """Return the share of each value among the answers to each unit: (units, values)."""
        counts = np.zeros((len(self.units), self.values))
        np.add.at(counts, (self.unit, self.value), 1)
        return counts / counts.sum(axis=1, keepdims=True)

    def accuracy(self, beliefs: Numbers, prior: Prior) -> Numbers:
        """Return everybody's expected share of right answers, if the right ones are as probable as `beliefs` says."""
        right = np.bincount(self.person, beliefs[self.unit, self.value], minlength=len(self.people))
        answers = np.bincount(self.person, minlength=len(self.people))
        accuracy: Numbers = (right + prior.right) / (answers + prior.right + prior.wrong)
        return accuracy

    def beliefs(self, accuracy: Numbers, shares: Numbers) -> Numbers:
        """Return how probable each value is as the right one of each unit: (units, values)."""
        sure = np.clip(accuracy, 1e-10, 1 - 1e-10)[self.person]
        wrong = np.log((1 - sure) / (self.values - 1))
        for_any = np.bincount(self.unit, wrong, minlength=len(self.units))[:, None]
        place = self.unit * self.values + self.value
        for_one = np.bincount(place, np.log(sure) - wrong, minlength=len(self.units) * self.values)
        logs = np.log(np.clip(shares, 1e-10, None)) + for_any + for_one.reshape(-1, self.values)
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        beliefs: Numbers = weights / weights.sum(axis=1, keepdims=True)
        return beliefs
