"""What the reviews of a lot have found, counted for its figures. `qc/outcomes.py` reads it from the verdicts."""

from collections import Counter
from dataclasses import dataclass

from diptych.statistics.rates import Sample
from qc.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Counts:
    """What the spot check has said so far about the answers of a sample.

    judged: answers with a verdict that stands; `defects` of them are defective. disputed: an adjudicator must decide.
    unconfirmed: a second person must confirm a defect. lost: withdrawn or in quarantine before they were judged.
    """

    drawn: int = 0
    judged: int = 0
    defects: int = 0
    disputed: int = 0
    unconfirmed: int = 0
    lost: int = 0

    @property
    def left(self) -> int:
        """Return how many answers nobody has judged yet."""
        return self.drawn - self.judged - self.disputed - self.unconfirmed - self.lost

    @property
    def complete(self) -> bool:
        """Return whether every answer is judged or lost."""
        return self.judged + self.lost == self.drawn

    def sample_of(self, size: int) -> Sample:
        """Return the counts as a sample from so many answers."""
        return Sample(size, self.drawn, self.defects, self.lost)


def counts_of(found: Counter[Outcome]) -> Counts:
    """Return the counts of a sample with so many answers of each outcome."""
    return Counts(
        drawn=found.total(),
        judged=found[Outcome.FINE] + found[Outcome.DEFECTIVE],
        defects=found[Outcome.DEFECTIVE],
        disputed=found[Outcome.DISPUTED],
        unconfirmed=found[Outcome.UNCONFIRMED],
        lost=found[Outcome.LOST],
    )
