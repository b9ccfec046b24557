"""Rates of defects with exact intervals: of one lot, of what is released of it, and pooled over accepted lots.

The interval of a lot is that of Clopper and Pearson (1934) with hypergeometric tails, as in Buonaccorsi (1987), “A note
on confidence intervals for proportions in finite populations”. docs/quality.md explains the rates in plain words.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum, sqrt
from statistics import NormalDist

from diptych.statistics.hypergeometric import BadNumbers, at_least, at_most, check_lot

#: How often an interval must contain the true number, at the least.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Sample:
    """What the spot check of one lot found.

    size: answers of the lot. drawn: answers of the sample. defects: confirmed defects among them. lost: answers of the
    sample that were withdrawn or quarantined before they were judged.
    """

    size: int
    drawn: int
    defects: int
    lost: int = 0

    def __post_init__(self) -> None:
        """Raise BadNumbers if the counts contradict each other."""
        check_lot(self.size, self.drawn)
        if self.defects < 0 or self.lost < 0 or self.defects + self.lost > self.drawn:
            raise BadNumbers(
                f"The sample has {self.drawn} answers; {self.defects} defective and {self.lost} lost ones do not fit. "
                "Count each answer of the sample once."
            )

    @property
    def judged(self) -> int:
        """Return how many answers of the sample were judged."""
        return self.drawn - self.lost


@dataclass(frozen=True, slots=True)
class Shares:
    """An estimated share and its bounds, all from 0 to 1. Without a judged answer there is no estimate."""

    estimate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Defects among `size` answers: the estimate, and the bounds that hold the true number in at least 95 % of cases.

    The estimate is None if no answer was judged. It lies within the bounds otherwise.
    """

    size: int
    estimate: float | None
    low: int
    high: int

    @property
    def shares(self) -> Shares | None:
        """Return the same as shares of the answers, or None if there are no answers."""
        if not self.size:
            return None
        estimate = None if self.estimate is None else self.estimate / self.size
        return Shares(estimate, self.low / self.size, self.high / self.size)


def defects_between(size: int, drawn: int, defects: int, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Return the fewest and the most defects of a lot that are compatible with a sample of it.

    A number is compatible if finding so many defects, or more, has a probability above 2.5 %, and finding so few, or
    fewer, as well. For every number of defects the interval therefore contains it with at least 95 %. Raise
    BadNumbers if the sample does not fit into the lot, or the defects into the sample.
    """
    Sample(size, drawn, defects)
    tail = _tail(confidence)
    least, most = defects, size - drawn + defects
    low = _first(least, most, lambda number: at_least(defects, size, number, drawn) > tail)
    high = _first(least, most, lambda number: at_most(defects, size, number + 1, drawn) <= tail)
    return low, high


def lot_rate(sample: Sample, confidence: float = CONFIDENCE) -> Rate:
    """Return the defects of the whole lot. Lost answers are fine in the lower bound, and defective in the upper one."""
    low, _ = defects_between(sample.size, sample.drawn, sample.defects, confidence)
    _, high = defects_between(sample.size, sample.drawn, sample.defects + sample.lost, confidence)
    estimate = sample.size * sample.defects / sample.judged if sample.judged else None
    return Rate(sample.size, estimate, low, high)


def released_rate(sample: Sample, confidence: float = CONFIDENCE) -> Rate:
    """Return the defects of what is released of a lot: the defects found are taken out, and the others remain.

    If the lot has between L and U defects, and the sample found x, then between L - x and U - x remain among the other
    N - x answers. The interval holds with the same confidence, since nothing but the known x is subtracted.
    """
    lot = lot_rate(sample, confidence)
    remaining = None if lot.estimate is None else lot.estimate - sample.defects
    return Rate(sample.size - sample.defects, remaining, lot.low - sample.defects, lot.high - sample.defects)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Defects over all lots that a plan accepted. Estimates need not be whole numbers.

    lots, answers and found are of the accepted lots: their number, their answers, and the defects that their samples
    have. unseen estimates the defects among the answers of these lots that nobody spot-checked, with its bounds.
    """

    lots: int
    answers: int
    found: int
    unseen: float
    low: float
    high: float

    @property
    def after(self) -> Shares | None:
        """Return the share of defects in the accepted lots with its bounds, or None if no lot was accepted."""
        return self._shares(self.found, self.answers)

    @property
    def released(self) -> Shares | None:
        """Return the same for what is released: the defects found are taken out. None if nothing is released."""
        return self._shares(0, self.answers - self.found)

    def _shares(self, known: int, answers: int) -> Shares | None:
        if not answers:
            return None
        estimate, low, high = ((known + number) / answers for number in (self.unseen, self.low, self.high))
        return Shares(estimate, low, high)


def pooled(lots: Iterable[tuple[Sample, int]], confidence: float = CONFIDENCE) -> Pooled:
    """Return the defects over all accepted lots, from each decided lot's sample and acceptance number c.

    Give every attempt that a plan decided, the returned ones too. A lot counts as accepted if its sample has at most c
    defects; leave out a lot that a person decided otherwise, and report it by itself.

    The sample that measures a lot also chose it: a lot whose sample has few defects by chance is accepted, and one with
    many is not. The plain rate of the accepted samples is therefore too low. So each answer of a sample is counted as
    if the *other* n - 1 answers had decided the lot. A defective answer then counts if these have at most c defects:
    that is, if the whole sample has at most c + 1. This is the u, v method of Robbins (1988), “The u, v method of
    estimation”. It estimates the answers that were not drawn, which did not decide their lot either. What was found in
    accepted samples is known, and needs no estimate.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    accepted, unseen, spread, extra, weights = [], 0.0, 0.0, 0.0, [0.0]
    for sample, accept in lots:
        weight = (sample.size - sample.drawn) / sample.judged if sample.judged else 0.0
        found = sample.defects
        if found <= accept:
            accepted.append(sample)
            weights.append(weight)
        if found <= accept + 1:
            unseen += weight * found
            spread += weight * (weight + 1) * found
        if found == accept + 2:
            extra += weight**2 * found * (found - 1)
    low, high = _around(unseen, spread / unseen if unseen else max(weights) + (max(weights) > 0), extra, z)
    answers, seen = sum(sample.size for sample in accepted), sum(sample.defects for sample in accepted)
    most = sum(sample.size - sample.drawn for sample in accepted)
    return Pooled(len(accepted), answers, seen, unseen, low, min(high, most))


def _around(estimate: float, factor: float, extra: float, z: float) -> tuple[float, float]:
    """Return the numbers U with (estimate - U)² <= z² (factor · U + extra), as in Wilson's interval (1927).

    factor · U + extra is the variance of estimate - U. With w = (N - n) / n, each answer of a sample that counts adds
    w² for the estimate and w for the answers that were not drawn; pairs of answers add to both, and cancel, except in
    lots with c + 2 defects. docs/quality.md has the sums.
    """
    middle = estimate + z**2 * factor / 2
    half = z * sqrt(factor * estimate + (z * factor / 2) ** 2 + extra)
    high = middle + half
    low = (estimate**2 - z**2 * extra) / high if high else 0.0  # the product of both bounds; middle - half loses digits
    return max(0.0, low), high


def share_between(hits: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson (1934) for a probability, from `hits` of `trials`.

    Use it where the trials are not drawn from a lot: a person's accuracy on controls, or a side bias. Without trials it
    is (0, 1). Raise BadNumbers if there are more hits than trials.
    """
    if not 0 <= hits <= trials:
        raise BadNumbers(f"There cannot be {hits} hits in {trials} trials. Count each hit as a trial too.")
    tail = _tail(confidence)
    low = 0.0 if hits == 0 else _bisect(lambda share: _binomial_at_least(hits, trials, share) > tail)
    high = 1.0 if hits == trials else _bisect(lambda share: 1 - _binomial_at_least(hits + 1, trials, share) <= tail)
    return low, high


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise BadNumbers(f"The confidence is {confidence}. Give a share between 0 and 1, such as 0.95.")
    return (1 - confidence) / 2


def _first(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """Return the first whole number for which it holds, if it holds for all numbers above too. Otherwise `most`."""
    while least < most:
        middle = (least + most) // 2
        if holds(middle):
            most = middle
        else:
            least = middle + 1
    return least


def _bisect(holds: Callable[[float], bool]) -> float:
    """Return the share from which on it holds."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return (low + high) / 2


def _binomial_at_least(least: int, trials: int, share: float) -> float:
    """Return the probability of at least so many hits, for a share strictly between 0 and 1."""
    mode = min(int((trials + 1) * share), trials)
    upwards, downwards = [1.0], [1.0]
    for hits in range(mode, trials):
        upwards.append(upwards[-1] * (trials - hits) / (hits + 1) * share / (1 - share))
        if upwards[-1] < 1e-25:
            break
    for hits in range(mode, 0, -1):
        downwards.append(downwards[-1] * hits / (trials - hits + 1) * (1 - share) / share)
        if downwards[-1] < 1e-25:
            break
    above = upwards[max(least - mode, 0) :]
    below = downwards[1 : mode - least + 1] if least < mode else []
    return fsum(above + below) / fsum(upwards + downwards[1:])
