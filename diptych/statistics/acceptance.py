"""How many answers of a lot are spot-checked, and with how many defects the lot is still accepted.

The plan is a single sampling plan with hypergeometric risks: Dodge and Romig (1959), *Sampling Inspection Tables*;
Schilling and Neubauer (2017), *Acceptance Sampling in Quality Control*. It is computed for the lot's own size, and not
looked up. docs/quality.md explains it for the people who decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from diptych.statistics.hypergeometric import BadNumbers, at_least, at_most, probabilities

#: A share between 0 and 1. A float is read as it is written: 0.02 is exactly two hundredths.
Share = Decimal | Fraction | int | float | str

#: The share of fine answers that get a second blind reviewer. Of the defective ones all get one.
SECOND_LOOKS = Fraction(1, 10)

#: How many points `operating_curve` has at most, if you do not choose them.
MOST_POINTS = 200


class Outcome(StrEnum):
    """What a sample says about its lot. A person decides; this is what the plan would do."""

    ACCEPT = "accept"
    RETURN = "return"
    OPEN = "open"


def exact(share: Share) -> Fraction:
    """Return the share as a fraction. Raise BadNumbers unless it is a number from 0 to 1."""
    try:
        number = Fraction(repr(share)) if isinstance(share, float) else Fraction(share)
    except (ValueError, OverflowError) as error:
        raise BadNumbers(f"“{share}” is not a share. Give a number from 0 to 1, such as 0.02.") from error
    if not 0 <= number <= 1:
        raise BadNumbers(f"The share is {share}. Give a number from 0 to 1, such as 0.02 for 2 %.")
    return number


@dataclass(frozen=True, slots=True)
class Terms:
    """What a study promises about every lot. All five are shares; docs/quality.md says how to choose them.

    aql: a lot with at most this share of defects is good, and is returned with a probability of at most `alpha`.
    ltpd: a lot with at least this share is bad, and is accepted with a probability of at most `beta`.
    least_share: at least this share of every lot is judged.
    """

    aql: Share = Fraction(2, 100)
    ltpd: Share = Fraction(10, 100)
    alpha: Share = Fraction(5, 100)
    beta: Share = Fraction(10, 100)
    least_share: Share = Fraction(20, 100)

    def __post_init__(self) -> None:
        """Make every share exact. Raise BadNumbers if the terms contradict each other."""
        for name in ("aql", "ltpd", "alpha", "beta", "least_share"):
            object.__setattr__(self, name, exact(getattr(self, name)))
        if self.good >= self.bad:
            raise BadNumbers(
                f"A good lot may have {float(self.good):.2%} defects and a bad one has {float(self.bad):.2%}. "
                "Give a smaller share for the good lot (AQL) than for the bad one (LTPD)."
            )
        if not (exact(self.alpha) and exact(self.beta)):
            raise BadNumbers("No sample has a risk of 0. Give shares above 0 for alpha and beta.")

    @property
    def good(self) -> Fraction:
        return exact(self.aql)

    @property
    def bad(self) -> Fraction:
        return exact(self.ltpd)

    def good_defects(self, size: int) -> int:
        """Return the most defects that a good lot of this size has."""
        return floor(self.good * size)

    def bad_defects(self, size: int) -> int:
        """Return the fewest defects that a bad lot of this size has."""
        return ceil(self.bad * size)

    def least_sample(self, size: int) -> int:
        """Return the number of answers that must be judged whatever the risks are."""
        return ceil(exact(self.least_share) * size)


DEFAULTS = Terms()


@dataclass(frozen=True, slots=True)
class Effort:
    """The judgements that a spot check is expected to take, if the lot has a certain number of defects."""

    spot_checks: int
    defects_found: float
    second_looks: float

    @property
    def judgements(self) -> float:
        return self.spot_checks + self.second_looks


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for one lot: judge `sample` answers; accept the lot if at most `accept` of them are defective.

    `alone` is the sample and the acceptance number that the two risks need, without the least share.
    """

    size: int
    sample: int
    accept: int
    alone: tuple[int, int]
    terms: Terms = field(default=DEFAULTS)

    @property
    def share(self) -> float:
        """Return the share of the lot that is judged."""
        return self.sample / self.size

    @property
    def returns_from(self) -> int:
        """Return the number of defects that makes a return certain, whatever the rest of the sample shows."""
        return self.accept + 1

    @property
    def producers_risk(self) -> float:
        """Return the probability that a lot with just as many defects as a good lot may have is returned."""
        return at_least(self.returns_from, self.size, self.terms.good_defects(self.size), self.sample)

    @property
    def consumers_risk(self) -> float:
        """Return the probability that a lot with just as many defects as makes it a bad lot is accepted."""
        return self.acceptance(self.terms.bad_defects(self.size))

    def acceptance(self, defects: int) -> float:
        """Return how probable it is that a lot with so many defects is accepted. Raise BadNumbers if it is smaller."""
        return at_most(self.accept, self.size, defects, self.sample)

    def effort(self, defects: int) -> Effort:
        """Return the judgements to expect if the lot has this many defects. Raise BadNumbers if it cannot have them.

        An early return saves nothing: the rest of the sample is judged all the same, because the rates need it.
        """
        probabilities(self.size, defects, self.sample)
        found = self.sample * defects / self.size
        return Effort(self.sample, found, found + float(SECOND_LOOKS) * (self.sample - found))

    def outcome(self, defects: int, unknown: int = 0) -> Outcome:
        """Return what the sample decides, with `unknown` answers of it not judged, disputed or lost.

        It is open as long as the unknown answers could change it. Raise BadNumbers if the sample is too small for both.
        """
        if defects < 0 or unknown < 0 or defects + unknown > self.sample:
            raise BadNumbers(
                f"The sample has {self.sample} answers; {defects} defective and {unknown} unknown ones do not fit. "
                "Count each answer of the sample once."
            )
        if defects > self.accept:
            return Outcome.RETURN
        return Outcome.ACCEPT if defects + unknown <= self.accept else Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an operating curve: what happens to lots with this many defects."""

    defects: int
    rate: float
    acceptance: float


def plan(size: int, terms: Terms = DEFAULTS) -> Plan:
    """Return the plan for a lot of this many answers. Raise BadNumbers if the lot is empty.

    The sample is the smallest one that is at least the least share of the lot, and for which some acceptance number
    keeps both risks. The acceptance number is the smallest that keeps the producer's risk.

    It is not enough to take the larger of the least share and the smallest sample that keeps the risks. Just above that
    sample the acceptance number rises by one, and then a bad lot is accepted too often (decision 042).
    """
    if size < 1:
        raise BadNumbers("A lot without answers has nothing to spot-check. Put at least one answer into the lot.")
    alone = _smallest_sample(size, terms)
    sample = _smallest_sample(size, terms, least=terms.least_sample(size))
    return Plan(
        size=size,
        sample=sample,
        accept=_acceptance_number(size, sample, terms),
        alone=(alone, _acceptance_number(size, alone, terms)),
        terms=terms,
    )


def operating_curve(chosen: Plan, defects: Iterable[int] | None = None) -> tuple[Point, ...]:
    """Return how probable acceptance is for each number of defects. Raise BadNumbers if the lot cannot have one.

    Without `defects` there are at most about 200 points, from none to three times the defects of a bad lot, and the
    two numbers that the plan is made from are among them.
    """
    if defects is None:
        good, bad = chosen.terms.good_defects(chosen.size), chosen.terms.bad_defects(chosen.size)
        last = min(chosen.size, max(3 * bad, 1))
        defects = sorted({*range(0, last + 1, ceil(last / MOST_POINTS)), good, bad, last})
    return tuple(Point(number, number / chosen.size, chosen.acceptance(number)) for number in defects)


def _within(risk: float, limit: Fraction) -> bool:
    """Return whether the risk keeps the limit. A risk that equals it, such as 1 in 10, must not fail by rounding."""
    return risk <= float(limit) * (1 + 1e-9)


def _acceptance_number(size: int, sample: int, terms: Terms) -> int:
    """Return the smallest number of defects up to which a good lot is accepted often enough."""
    good_lot = probabilities(size, terms.good_defects(size), sample)
    risk, number = 0.0, max(good_lot)
    while number > 0 and _within(risk + good_lot.get(number, 0.0), exact(terms.alpha)):
        risk += good_lot.get(number, 0.0)
        number -= 1
    return number


def _smallest_sample(size: int, terms: Terms, *, least: int = 1) -> int:
    """Return the smallest sample, of at least `least`, for which some acceptance number keeps both risks.

    The whole lot always does.
    """
    bad, beta = terms.bad_defects(size), exact(terms.beta)
    for sample in range(max(1, least), size):
        if _within(at_most(_acceptance_number(size, sample, terms), size, bad, sample), beta):
            return sample
    return size
