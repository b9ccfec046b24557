"""Tables of quality control, one file for each subject."""

from qc.models.figures import ChartFile, StudyFigures
from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict

__all__ = [
    "ChartFile",
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
    "StudyFigures",
    "StudyRules",
    "Verdict",
]
