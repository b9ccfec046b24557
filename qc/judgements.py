"""What review has said about the frozen answers of a lot, for those who count it.

`source` is filled by the part of this app that stores verdicts. Everything here speaks of keys of `FrameItem`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from qc.models import Lot

NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Judgements:
    """Verdicts on some items of a lot.

    judged: items on which a verdict stands. defective: those of them with a confirmed defect in an overall preference
    or in safe or unsafe. disputed: items that an adjudicator has not decided yet. They are not among the judged ones.
    """

    judged: frozenset[int] = NOTHING
    defective: frozenset[int] = NOTHING
    disputed: frozenset[int] = NOTHING

    def among(self, items: Collection[int]) -> "Judgements":
        """Return the same for these items only."""
        chosen = frozenset(items)
        return Judgements(self.judged & chosen, self.defective & chosen, self.disputed & chosen)


class Source(Protocol):
    """Where the verdicts of a lot are."""

    def deciding(self, lot: Lot) -> Judgements:
        """Return the spot check of the deciding sample, in the revisions that were drawn."""

    def first(self, lot: Lot) -> Judgements:
        """Return the spot check of the first n items of the whole order, in revision 1."""

    def found(self, lot: Lot) -> frozenset[int]:
        """Return the items in which any review of the lot confirmed a defect."""

    def secondary_left(self, lot: Lot) -> int:
        """Return how many answers the secondary review of the lot has not finished yet."""


class NothingJudged:
    """The verdicts while nobody has reviewed anything."""

    def deciding(self, lot: Lot) -> Judgements:
        return Judgements()

    def first(self, lot: Lot) -> Judgements:
        return Judgements()

    def found(self, lot: Lot) -> frozenset[int]:
        return NOTHING

    def secondary_left(self, lot: Lot) -> int:
        return 0


source: Source = NothingJudged()
