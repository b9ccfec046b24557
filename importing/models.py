"""Imports as jobs, and the files uploaded for them."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from jobs.models import Job, job_constraints
from media.models import new_public_id
from studies.models.studies import Study


class Import(Job):
    """One import into a study, as a job. It can collect uploads before it waits, and is refused if it has bad rows.

    collecting → waiting → running → done | refused(bad rows) | failed(reason) | cancelled.
    """

    class Source(models.TextChoices):
        SERVER = "server", _("a folder, archive or manifest on the server")
        UPLOAD = "upload", _("uploaded files")

    class State(models.TextChoices):  # the states of every job, and two more
        COLLECTING = "collecting", _("being uploaded")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused: bad rows")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="imports")
    public_id = models.CharField(max_length=64, unique=True, default=new_public_id)
    source = models.CharField(max_length=6, choices=Source.choices)
    location = models.CharField(max_length=1000, blank=True, help_text=_("Path or s3:// address; empty for uploads"))
    options: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default="waiting", db_default="waiting")
    log: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, blank=True, help_text=_("Stages, each with its time")
    )
    report: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True, help_text=_("Counts and warnings"))
    bad_rows = models.PositiveBigIntegerField(default=0)
    undone_at = models.DateTimeField(null=True, blank=True, help_text=_("When what it added was removed again"))

    class Meta(Job.Meta):
        indexes = [*Job.Meta.indexes, models.Index(name="import_of_study", fields=["study", "-created_at"])]
        constraints = [
            *job_constraints(also_open=["collecting"], also_ended=["refused"]),
            models.CheckConstraint(name="import_public_id_form", condition=Q(public_id__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="import_source_known", condition=Q(source__in=["server", "upload"])),
            models.CheckConstraint(
                name="import_upload_has_no_location", condition=~Q(source="upload") | Q(location="")
            ),
            models.CheckConstraint(
                name="import_undone_was_done", condition=Q(undone_at__isnull=True) | Q(state="done")
            ),
            models.CheckConstraint(
                name="import_collects_uploads", condition=~Q(state="collecting") | Q(source="upload")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id[:8]} ({self.state})"


class ReadFile(models.Model):
    """A file that an import has read. After a killed worker, the next attempt does not read it again."""

    import_job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="read_files")
    path = models.TextField()
    byte_size = models.PositiveBigIntegerField()
    modified_ns = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="read_file_once", fields=["import_job", "path"]),
            models.CheckConstraint(name="read_file_sha256_form", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
        ]

    def __str__(self) -> str:
        return self.path


class Upload(models.Model):
    """One file that a browser uploads into an import in pieces. `received` bytes of it are in storage."""

    import_job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="uploads")
    public_id = models.CharField(max_length=64, unique=True, default=new_public_id)
    path = models.CharField(max_length=1000, help_text="As the browser named it; never used as a path of ours")
    byte_size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="upload_path_once", fields=["import_job", "path"]),
            models.CheckConstraint(name="upload_public_id_form", condition=Q(public_id__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="upload_received_range", condition=Q(received__lte=models.F("byte_size"))),
        ]

    def __str__(self) -> str:
        return self.path
