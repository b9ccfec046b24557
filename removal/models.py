"""Jobs that remove imported material."""

from typing import Any

from django.db import models
from django.db.models import Q

from jobs.models import OPEN_STATES, Job


class Removal(Job):
    """A job that removes what an import added, or a whole study. All rows are removed in one transaction, or none.

    Its row outlives the study and the import, so it has no foreign keys to them. It has the study's number, address and
    title. A sweep deletes unused files afterwards.
    """

    class What(models.TextChoices):
        IMPORT = "import"
        STUDY = "study"

    what = models.CharField(max_length=6, choices=What.choices)
    study_number = models.BigIntegerField(help_text="The id that the study has or had")
    study_slug = models.CharField(max_length=60)
    study_title = models.CharField(max_length=200)
    import_number = models.BigIntegerField(null=True, blank=True, help_text="The id that the import has or had")
    removed: "models.JSONField[Any, Any]" = models.JSONField(default=dict, help_text="Rows removed, by kind")
    files_left = models.BooleanField(default=False, db_default=False, help_text="Files are still to be removed")

    class Meta(Job.Meta):
        indexes = [
            *Job.Meta.indexes,
            models.Index(name="removal_files_left", fields=["id"], condition=Q(files_left=True)),
            models.Index(name="removal_of_study", fields=["study_number", "-created_at"]),
        ]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                name="removal_one_open", fields=["study_number"], condition=Q(state__in=list(OPEN_STATES))
            ),
            models.CheckConstraint(
                name="removal_what_known",
                condition=Q(what="import", import_number__isnull=False) | Q(what="study", import_number__isnull=True),
            ),
            models.CheckConstraint(
                name="removal_files_left_when_done", condition=Q(files_left=False) | Q(state="done")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} of {self.study_slug} ({self.state})"
