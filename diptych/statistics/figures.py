"""What a figure is where it is not a number, and how a figure is handed on. Needs only the standard library."""

from dataclasses import dataclass
from enum import StrEnum


class NotDefined(StrEnum):
    """Why there is no number. Pages show a sentence for each; files have the word."""

    #: Everybody gave the same answer everywhere, so that agreement cannot be told from habit.
    ALL_ALIKE = "all_alike"
    #: No unit has two answers, so that nothing can be compared.
    NO_OVERLAP = "no_overlap"
    #: There are too few clusters, or too few positives.
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or the reason why there is none, its interval, and what it was computed from.

    units: units with at least two answers. answers: the answers of these.
    """

    value: float | NotDefined
    interval: tuple[float, float] | NotDefined
    units: int
    answers: int
