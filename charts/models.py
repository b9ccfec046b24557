"""A chart as a file, drawn by a job."""

from typing import Any

from django.db import models
from django.db.models import Q

from jobs.models import Job
from studies.models import Study


class ChartFile(Job):
    """A chart as a file. A job draws it, because drawing takes up to a second and much memory.

    `digest` is that of the specification and the format, so the same chart is drawn once.
    """

    class Format(models.TextChoices):
        PNG = "png"
        SVG = "svg"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    page = models.CharField(max_length=200, help_text="Address of the page that shows the chart")
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
