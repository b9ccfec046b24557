"""Versions of models, and their files."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from diptych.database.constraints import CompositeForeignKey, sixty_four_hex
from diptych.database.triggers import append_only
from releases.models.files import PATH
from studies.models import Study
from training.models.families import ModelFamily
from training.models.runs import Run

#: The folder of all artefacts in the storage.
FOLDER = "models"


class Artefact(models.Model):
    """A complete file that a run made. It is written when the storage has all bytes, so there is no row of half a file.

    Its name in the storage has the digest, so two attempts of a run never write to one name. `fence` says which attempt
    named it: the files of a run that is done are those of its last attempt.
    """

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="artefacts", db_constraint=False, db_index=False
    )
    fence = models.PositiveIntegerField(help_text="The claim of the run that uploaded it")
    path = models.CharField(max_length=200, help_text="Path in the run folder, such as model/model.safetensors")
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="artefact_path", fields=["run", "fence", "path"]),
            models.CheckConstraint(name="artefact_path_form", condition=Q(path__regex=PATH)),
            models.CheckConstraint(name="artefact_sha256_form", condition=sixty_four_hex("sha256")),
            CompositeForeignKey(
                name="artefact_run_same_study", fields=["study", "run"], to="training.Run", to_fields=["study", "id"]
            ),
        ]
        triggers = append_only("artefact")

    def __str__(self) -> str:
        return self.path

    @property
    def stored_name(self) -> str:
        """Return the name of the file in the storage."""
        return f"{FOLDER}/{self.run_id}/{self.sha256}/{self.path.rpartition('/')[2]}"


class ModelVersion(models.Model):
    """A trained model of a family. Its files are the artefacts of its run, and its metrics are those of the run.

    candidate → promoted | kept | withdrawn. A promoted version becomes kept when another one is promoted.
    """

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        PROMOTED = "promoted", _("promoted")
        KEPT = "kept", _("kept")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Decision(models.TextChoices):
        """What the comparison with the promoted version showed."""

        NONE = "", _("not decided")
        FIRST = "first", _("the first version")
        BETTER = "better", _("better")
        NOT_WORSE = "not_worse", _("not worse")
        WORSE = "worse", _("worse")
        UNDECIDED = "undecided", _("undecided")
        NOT_DECIDABLE = "not_decidable", _("not decidable")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    family = models.ForeignKey(
        ModelFamily, on_delete=models.PROTECT, related_name="versions", db_constraint=False, db_index=False
    )
    number = models.PositiveIntegerField()
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="made", db_constraint=False)
    state = models.CharField(max_length=9, choices=State.choices, default="candidate", db_default="candidate")
    decision = models.CharField(max_length=13, choices=Decision.choices, blank=True, default="", db_default="")
    reason = models.TextField(blank=True, default="", db_default="", help_text="Why it has its state")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    against = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        help_text="The version that was promoted when this one was compared",
    )
    comparison = models.PositiveIntegerField(
        null=True, blank=True, help_text="Which comparison of the family it was since the last fresh test clusters: k"
    )
    compared_at = models.DateTimeField(null=True, blank=True, help_text="When that comparison was made")
    low = models.FloatField(null=True, blank=True, help_text="Interval of the difference to `against`")
    high = models.FloatField(null=True, blank=True)
    clusters = models.PositiveIntegerField(null=True, blank=True, help_text="Test clusters of the comparison")
    reliability: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, blank=True, help_text="Predicted and observed shares by target, as `training.figures` makes them"
    )
    details: "models.JSONField[Any, Any]" = models.JSONField(
        null=True,
        blank=True,
        help_text="Curves, generators and pairs of disagreement, as `training.details` makes them",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="model_version_number", fields=["family", "number"]),
            models.UniqueConstraint(name="model_version_study_id", fields=["study", "id"]),
            models.UniqueConstraint(name="model_version_family_id", fields=["family", "id"]),
            models.UniqueConstraint(
                name="model_version_one_promoted", fields=["family"], condition=Q(state="promoted")
            ),
            models.CheckConstraint(name="model_version_number_from_one", condition=Q(number__gte=1)),
            models.CheckConstraint(
                name="model_version_state_known",
                condition=Q(state__in=["candidate", "promoted", "kept", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="model_version_decision_known",
                condition=Q(decision__in=["", "first", "better", "not_worse", "worse", "undecided", "not_decidable"]),
            ),
            models.CheckConstraint(
                name="model_version_decided_with_moment",
                condition=Q(state="candidate", decided_at__isnull=True)
                | (~Q(state="candidate") & Q(decided_at__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(
                name="model_version_whole_interval",
                condition=Q(low__isnull=True, high__isnull=True)
                | Q(low__isnull=False, high__isnull=False, high__gte=models.F("low")),
            ),
            models.CheckConstraint(
                name="model_version_comparison_from_one",
                condition=Q(comparison__isnull=True) | Q(comparison__gte=1),
            ),
            CompositeForeignKey(
                name="model_version_family_same_study",
                fields=["study", "family"],
                to="training.ModelFamily",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="model_version_run_same_family",
                fields=["family", "run"],
                to="training.Run",
                to_fields=["family", "id"],
            ),
            CompositeForeignKey(
                name="model_version_against_same_family",
                fields=["family", "against"],
                to="training.ModelVersion",
                to_fields=["family", "id"],
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="model_version_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "((OLD.study_id, OLD.family_id, OLD.number, OLD.run_id)"
                    " IS DISTINCT FROM (NEW.study_id, NEW.family_id, NEW.number, NEW.run_id))"
                ),
            ),
            pgtrigger.Protect(name="model_version_rows_stay", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.family}"
