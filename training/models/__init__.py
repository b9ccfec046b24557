"""Tables of training, one file for each subject."""

from training.models.families import ModelFamily
from training.models.rules import TrainingRule
from training.models.runs import Run, RunPoint
from training.models.versions import Artefact, ModelVersion
from training.models.workers import Worker

__all__ = ["Artefact", "ModelFamily", "ModelVersion", "Run", "RunPoint", "TrainingRule", "Worker"]
