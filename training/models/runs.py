"""Runs: jobs that a worker on some machine does, which starts the programs of `training/learn`."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from diptych.database.constraints import CompositeForeignKey
from jobs.models import OPEN_STATES, Job
from releases.models import Release
from studies.models import Study
from training.models.families import ModelFamily
from training.models.workers import Worker

MOST_SEEDS = 20
#: The last characters of a run's log that are stored.
LOG_CHARACTERS = 64_000


class Run(Job):
    """One run of a program of `training/learn` on a release. `steps` and `stage` of the job say how far it is.

    What was asked for never changes. A run that trains has a model version once it is done. A run that evaluates has
    `version`, an existing version whose predictions on the release it makes. A run that scores has one, too: it scores
    videos of the study, which need not be in a release.
    """

    class Purpose(models.TextChoices):
        TRAIN = "train", _("train")
        EVALUATE = "evaluate", _("evaluate")
        SCORE = "score", _("score")

    class Because(models.TextChoices):
        """What asked for the run."""

        PERSON = "person", _("a person")
        RULE = "rule", _("a rule of the study")
        COMMAND = "command", _("a command on the server")
        COMPARISON = "comparison", _("a comparison with a new version")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="runs", db_constraint=False)
    family = models.ForeignKey(ModelFamily, on_delete=models.PROTECT, related_name="runs", db_constraint=False)
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default="train", db_default="train")
    version = models.ForeignKey(
        "training.ModelVersion",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="evaluations",
        db_constraint=False,
        help_text="The version that is evaluated, or that scores",
    )
    seed = models.PositiveIntegerField(default=1, help_text="The first seed")
    seeds = models.PositiveSmallIntegerField(default=1, help_text="Number of seeds, whose metrics are averaged")
    options: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict,
        blank=True,
        help_text="`policies` of the pre-flight by name, `max_steps`, and of a run that scores row ids: `last_video`, "
        "and `videos`",
    )
    gpus = models.PositiveSmallIntegerField(default=0, help_text="GPUs that a worker must have")
    gpu_memory_mib = models.PositiveIntegerField(default=0, help_text="Memory that each of them must have")
    asked_because = models.CharField(max_length=10, choices=Because.choices)

    # Written by the worker while it works.
    worker = models.ForeignKey(Worker, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    loss = models.FloatField(null=True, blank=True, help_text="Of the last step")
    stage_at = models.DateTimeField(null=True, blank=True, help_text="When the present attempt began its stage")
    stage_from = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Steps of the stage that were complete at that moment"
    )
    resources: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="Memory and use of processors and GPUs: the last sample, and the highest"
    )
    log = models.TextField(blank=True, default="", db_default="", help_text="End of what the program wrote")
    preflight: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Report of the check before the training"
    )
    # Written with the end.
    metrics: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Figures on the test part, as `metrics.json` has them"
    )
    fault: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="Of a program that failed: `code`, and `items`, the pairs that it names"
    )
    code_version = models.CharField(max_length=80, blank=True, default="", db_default="")
    hardware = models.CharField(max_length=400, blank=True, default="", db_default="")
    wall_s = models.FloatField(null=True, blank=True, help_text="Seconds that the program ran, over all attempts")

    class Meta(Job.Meta):
        indexes = [*Job.Meta.indexes, models.Index(name="run_of_study", fields=["study", "-id"])]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(name="run_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="run_family_id", fields=["family", "id"]),
            models.UniqueConstraint(
                name="run_one_open",
                fields=["release", "family", "purpose", "version", "seed"],
                condition=Q(state__in=list(OPEN_STATES)),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                name="run_once_by_rule", fields=["release", "family"], condition=Q(asked_because="rule")
            ),
            models.CheckConstraint(
                name="run_because_known", condition=Q(asked_because__in=["person", "rule", "command", "comparison"])
            ),
            models.CheckConstraint(
                name="run_purpose_has_version",
                condition=Q(purpose="train", version__isnull=True)
                | Q(purpose__in=["evaluate", "score"], version__isnull=False),
            ),
            models.CheckConstraint(name="run_seeds_range", condition=Q(seeds__gte=1, seeds__lte=MOST_SEEDS)),
            models.CheckConstraint(
                name="run_done_has_metrics",
                condition=Q(state="done", metrics__isnull=False, worker__isnull=False)
                | (~Q(state="done") & Q(metrics__isnull=True)),
            ),
            models.CheckConstraint(name="run_wall_from_zero", condition=Q(wall_s__isnull=True) | Q(wall_s__gte=0)),
            models.CheckConstraint(name="run_memory_of_gpus", condition=Q(gpus__gte=1) | Q(gpu_memory_mib=0)),
            CompositeForeignKey(
                name="run_release_same_study",
                fields=["study", "release"],
                to="releases.Release",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="run_family_same_study",
                fields=["study", "family"],
                to="training.ModelFamily",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="run_version_same_family",
                fields=["family", "version"],
                to="training.ModelVersion",
                to_fields=["family", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="run_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.study_id, OLD.release_id, OLD.family_id, OLD.purpose, OLD.version_id, OLD.seed, OLD.seeds,"
                    " OLD.options, OLD.gpus, OLD.gpu_memory_mib, OLD.asked_because)"
                    " IS DISTINCT FROM (NEW.study_id, NEW.release_id, NEW.family_id, NEW.purpose, NEW.version_id,"
                    " NEW.seed, NEW.seeds, NEW.options, NEW.gpus, NEW.gpu_memory_mib, NEW.asked_because)"
                    " OR OLD.metrics IS NOT NULL AND OLD.metrics IS DISTINCT FROM NEW.metrics)"
                ),
            ),
            pgtrigger.Protect(name="run_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class RunPoint(models.Model):
    """The loss after one step. A step that is done again after a kill replaces its point."""

    class Part(models.TextChoices):
        """Which clusters of prompts the loss is about."""

        TRAINING = "training", _("training")
        VALIDATION = "validation", _("validation")

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="points", db_index=False)
    part = models.CharField(max_length=10, choices=Part.choices, default="training", db_default="training")
    step = models.PositiveBigIntegerField()
    loss = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="run_point_once", fields=["run", "part", "step"]),
            models.CheckConstraint(name="run_point_part_known", condition=Q(part__in=["training", "validation"])),
            # PostgreSQL sorts NaN above infinity.
            models.CheckConstraint(name="run_point_finite", condition=Q(loss__gt=float("-inf"), loss__lt=float("inf"))),
        ]

    def __str__(self) -> str:
        return f"step {self.step} of run {self.run_id}"
