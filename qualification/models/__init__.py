"""Tables of qualification. None of their answers is an assignment, and none is data (decision 050).

Lock in this order: seat, set, attempt, turn.
"""

from qualification.models.attempts import Attempt, ExtraAttempt, Turn, TurnAnswer
from qualification.models.exposure import QualificationExposure
from qualification.models.qualifications import Qualification
from qualification.models.sets import ExpectedAnswer, PairSet, SetItem

__all__ = [
    "Attempt",
    "ExpectedAnswer",
    "ExtraAttempt",
    "PairSet",
    "Qualification",
    "QualificationExposure",
    "SetItem",
    "Turn",
    "TurnAnswer",
]
