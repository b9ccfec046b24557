"""Figures of a study that take too long for a page: a job computes them, and its row keeps the result."""

from typing import Any

from django.db import models
from django.db.models import Q
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


class ChartFile(Job):
    """A chart as a file. A job draws it, because drawing takes up to a second and much memory.

    `digest` is that of the specification and the format, so the same chart is drawn once.
    """

    class Format(models.TextChoices):
        PNG = "png"
        SVG = "svg"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=80, help_text="Name of the file without its ending")
    format = models.CharField(max_length=3, choices=Format.choices)
    digest = models.CharField(max_length=64)
    specification: "models.JSONField[Any, Any]" = models.JSONField(help_text="Vega-Lite")
    content = models.BinaryField(null=True)

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="chartfile_once",
                fields=["study", "digest"],
                condition=~Q(state__in=["failed", "cancelled"]),
            ),
            models.CheckConstraint(name="chartfile_format_known", condition=Q(format__in=["png", "svg"])),
            models.CheckConstraint(
                name="chartfile_done_has_content",
                condition=Q(state="done", content__isnull=False) | (~Q(state="done") & Q(content__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}.{self.format} ({self.state})"
