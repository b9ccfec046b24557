"""Tables of quality control, one file for each subject."""

from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.more_opinions import AskedForMore
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict

__all__ = [
    "AskedForMore",
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
    "SecondOpinion",
    "StudyRules",
    "Verdict",
]
