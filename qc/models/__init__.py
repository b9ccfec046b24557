"""Tables of quality control: lots and their frames, reviews and their verdicts."""

from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict

__all__ = [
    "FrameItem",
    "Lot",
    "LotBatch",
    "LotDecision",
    "Reply",
    "Review",
    "ReviewAnswer",
    "ReviewExposure",
    "SecondOpinion",
    "Verdict",
]
