"""Tables of quality control, one file for each subject."""

from qc.models.counts import StudyCounts
from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict
from qc.models.second_blind import SecondBlind

__all__ = [
    "Finding",
    "FindingsRun",
    "FrameItem",
    "Lot",
    "LotBatch",
    "LotDecision",
    "Reply",
    "Review",
    "ReviewAnswer",
    "ReviewExposure",
    "SecondBlind",
    "SecondOpinion",
    "StudyCounts",
    "StudyRules",
    "Verdict",
]
