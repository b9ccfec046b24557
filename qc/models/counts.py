"""The counts of a large study's progress, stored because counting takes longer than a page may."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from studies.models import Study


class StudyCounts(models.Model):
    """How far a study was at a moment. Only large studies have a row (`qc/study_counts.py`)."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, primary_key=True, related_name="+")
    counts: "models.JSONField[Any, Any]" = models.JSONField(help_text="Fields of `annotation.progress.Progress`")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "study counts"

    def __str__(self) -> str:
        return f"counts of study {self.study_id} at {self.made_at}"
