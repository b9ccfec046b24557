"""The files of a release."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from diptych.database.constraints import CompositeForeignKey, sixty_four_hex
from diptych.database.triggers import append_only
from releases.models.releases import Release
from studies.models import Study

#: The folder of all releases in the storage.
FOLDER = "releases"
#: Names of folders and files with letters, digits, dots, hyphens and underscores, none of which begins with a dot.
PATH = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"


class ReleaseFile(models.Model):
    """A complete file of a release. It is written when the storage has all bytes, so there is no row of half a file."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    release = models.ForeignKey(
        Release, on_delete=models.PROTECT, related_name="files", db_constraint=False, db_index=False
    )
    path = models.CharField(max_length=200, help_text="Path in the release, with / between names")
    kind = models.CharField(max_length=40, help_text="Name of the format that wrote it")
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    counts: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, blank=True, help_text="What the format counted while it wrote the file, by name"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="release_file_path", fields=["release", "path"]),
            models.CheckConstraint(name="release_file_path_form", condition=Q(path__regex=PATH)),
            models.CheckConstraint(name="release_file_sha256_form", condition=sixty_four_hex("sha256")),
            CompositeForeignKey(
                name="release_file_release_same_study",
                fields=["study", "release"],
                to="releases.Release",
                to_fields=["study", "id"],
            ),
        ]
        triggers = append_only("release_file")

    def __str__(self) -> str:
        return self.path

    @property
    def stored_name(self) -> str:
        """Return the name of the file in the storage."""
        return f"{FOLDER}/{self.release_id}/{self.path}"
