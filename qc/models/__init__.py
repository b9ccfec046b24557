"""Tables of quality control, one file for each subject."""

from qc.models.assigning import AssignedReview
from qc.models.calibration import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.overview import QualityFigures
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict

__all__ = [
    "AssignedReview",
    "CalibrationAnswer",
    "CalibrationItem",
    "CalibrationSession",
    "CalibrationSitting",
    "Finding",
    "FindingsRun",
    "FrameItem",
    "Lot",
    "LotBatch",
    "LotDecision",
    "QualityFigures",
    "Reply",
    "Review",
    "ReviewAnswer",
    "ReviewExposure",
    "SecondOpinion",
    "StudyRules",
    "Verdict",
]
