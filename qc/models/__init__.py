"""Tables of quality control, one file for each subject."""

from qc.models.assigning import AssignedReview
from qc.models.frames import FrameItem
from qc.models.lots import Lot, LotBatch, LotDecision
from qc.models.more_opinions import AskedForMore
from qc.models.reviews import Reply, Review, ReviewAnswer, ReviewExposure, SecondOpinion, Verdict
from qc.models.second_blind import SecondBlind

__all__ = [
    "AskedForMore",
    "AssignedReview",
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
    "Verdict",
]
