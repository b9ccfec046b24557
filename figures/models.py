"""Figures of a study that take too long for a page, so they are computed once and stored."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from jobs.models import OPEN_STATES, Job
from studies.models import Study


class StudyFigures(Job):
    """One computation of one kind of figures. The newest row that is done is what pages show.

    `inputs` says what the figures were made from, so that a page can say whether something came since:
    the highest id of an annotation (`annotation`) and of a verdict (`verdict`) at the start.
    """

    class Kind(models.TextChoices):
        AGREEMENT = "agreement", _("Agreement")
        ANNOTATORS = "annotators", _("Annotators")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="figures", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    inputs: "models.JSONField[Any, Any]" = models.JSONField(default=dict)
    result: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True)

    class Meta(Job.Meta):
        verbose_name_plural = "study figures"
        indexes = [
            *Job.Meta.indexes,
            models.Index(name="studyfigures_of_study", fields=["study", "kind", "-id"]),
        ]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="studyfigures_one_open", fields=["study", "kind"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(name="studyfigures_kind_known", condition=Q(kind__in=["agreement", "annotators"])),
            models.CheckConstraint(
                name="studyfigures_done_has_result",
                condition=Q(state="done", result__isnull=False) | (~Q(state="done") & Q(result__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.study_id} ({self.state})"


class StudyCounts(models.Model):
    """How far a study was at a moment. Only large studies have a row (`figures/study_counts.py`)."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, primary_key=True, related_name="+")
    counts: "models.JSONField[Any, Any]" = models.JSONField(help_text="Fields of `answers.study_progress.Progress`")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "study counts"

    def __str__(self) -> str:
        return f"counts of study {self.study_id} at {self.made_at}"


class QualityFigures(models.Model):
    """What waits for review in one study, and how strict its reviewers are, as counted at `made_at`.

    `figures/overview/stored.py` writes it. `asked_at` says that somebody wants new figures now.
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
