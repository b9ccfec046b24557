"""Tables of training, one file for each subject."""

from training.models.comparisons import ComparedCluster
from training.models.families import ModelFamily
from training.models.rules import TrainingRule
from training.models.runs import Run, RunPoint
from training.models.versions import Artefact, ModelVersion
from training.models.workers import Worker

__all__ = ["Artefact", "ComparedCluster", "ModelFamily", "ModelVersion", "Run", "RunPoint", "TrainingRule", "Worker"]
