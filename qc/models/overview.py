"""Figures of the page Quality that take too long to count for each request."""

from typing import Any

from django.db import models
from django.db.models import Q

from studies.models import Study


class QualityFigures(models.Model):
    """What waits for review in one study, and how strict its reviewers are, as counted at `made_at`.

    `qc/overview/stored.py` writes it. `asked_at` says that somebody wants new figures now.
    """

    study = models.OneToOneField(Study, on_delete=models.PROTECT, primary_key=True, related_name="quality_figures")
    made_at = models.DateTimeField(null=True, blank=True, help_text="When the figures were counted")
    took_ms = models.PositiveIntegerField(default=0, db_default=0, help_text="How long the counting took")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When somebody asked for new figures; null: not")
    figures: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name_plural = "quality figures"
        indexes = [models.Index(name="quality_figures_asked", fields=["study"], condition=Q(asked_at__isnull=False))]

    def __str__(self) -> str:
        return f"quality of study {self.study_id}"
