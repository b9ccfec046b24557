"""Tables of quality control, one file for each subject."""

from qc.models.assigning import AssignedReview
from qc.models.calibration import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from qc.models.controls import Control, ControlResult, ControlsRun
from qc.models.counts import StudyCounts
from qc.models.figures import ChartFile, StudyFigures
from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.more_opinions import AskedForMore
from qc.models.overview import QualityFigures
from qc.models.people import Pause, PauseJudgement, PauseRule, SuspendedAnswer, Suspension
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict
from qc.models.second_blind import SecondBlind
from qc.models.undone_judgements import UndoneJudgement

__all__ = [
    "AskedForMore",
    "AssignedReview",
    "CalibrationAnswer",
    "CalibrationItem",
    "CalibrationSession",
    "CalibrationSitting",
    "ChartFile",
    "Control",
    "ControlResult",
    "ControlsRun",
    "Finding",
    "FindingsRun",
    "FrameItem",
    "Lot",
    "LotBatch",
    "LotDecision",
    "Pause",
    "PauseJudgement",
    "PauseRule",
    "QualityFigures",
    "Reply",
    "Review",
    "ReviewAnswer",
    "ReviewExposure",
    "SecondBlind",
    "SecondOpinion",
    "StudyCounts",
    "StudyFigures",
    "StudyRules",
    "SuspendedAnswer",
    "Suspension",
    "UndoneJudgement",
    "Verdict",
]
