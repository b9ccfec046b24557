"""Tables of quality control, one file for each subject."""

from qc.models.controls import Control, ControlResult, ControlsRun
from qc.models.findings import Finding, FindingsRun, StudyRules
from qc.models.lots import FrameItem, Lot, LotBatch, LotDecision
from qc.models.people import Pause, PauseJudgement, PauseRule, SuspendedAnswer, Suspension
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict

__all__ = [
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
    "Reply",
    "Review",
    "ReviewAnswer",
    "ReviewExposure",
    "SecondOpinion",
    "StudyRules",
    "SuspendedAnswer",
    "Suspension",
    "Verdict",
]
