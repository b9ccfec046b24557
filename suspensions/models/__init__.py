"""Tables of suspensions and pauses."""

from suspensions.models.people import Pause, PauseJudgement, PauseRule, SuspendedAnswer, Suspension
from suspensions.models.undone_judgements import UndoneJudgement

__all__ = ["Pause", "PauseJudgement", "PauseRule", "SuspendedAnswer", "Suspension", "UndoneJudgement"]
