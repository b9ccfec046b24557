"""Families of models: all versions of a family answer the same question about the same study."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from diptych.database.triggers import append_only
from studies.models import Study
from training.kinds import LONGEST_OFFERED, TARGETS, Kind


class ModelFamily(models.Model):
    """What is trained in a study, on which backbone. Its versions are compared with each other, and with no others."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    targets = ArrayField(
        models.CharField(max_length=40), blank=True, default=list, help_text="Questions, in the order of `TARGETS`"
    )
    backbone = models.CharField(max_length=LONGEST_OFFERED)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "model families"
        constraints = [
            models.UniqueConstraint(name="model_family_once", fields=["study", "kind", "targets", "backbone"]),
            models.UniqueConstraint(name="model_family_study_id", fields=["study", "id"]),
            models.CheckConstraint(
                name="model_family_kind_has_targets",
                condition=Q(kind="reward", targets__len__gte=1) | Q(kind="moderation", targets=[]),
            ),
            models.CheckConstraint(name="model_family_targets_known", condition=Q(targets__contained_by=list(TARGETS))),
            models.CheckConstraint(name="model_family_has_backbone", condition=~Q(backbone="")),
        ]
        triggers = append_only("model_family")

    def __str__(self) -> str:
        return f"{self.key} on {self.backbone}"

    @property
    def key(self) -> str:
        """Return the name of what it is trained on, such as `helpfulness` or `moderation`."""
        return "+".join(self.targets) or self.kind
