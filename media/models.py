"""Assets: one row for each distinct file, shared by all studies that use it."""

import secrets
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from diptych.database.constraints import sixty_four_hex
from jobs.models import Job
from media import reasons
from media.notes import words_of


def new_public_id() -> str:
    """Return 64 random hex characters."""
    return secrets.token_hex(32)


class Asset(Job):
    """An original file and the files made from it, as a job. Code reaches it only through a study's Video.

    An asset that is done has files to play. One that failed has the reason why it cannot be played; see `reasons`.
    """

    public_id = models.CharField(max_length=64, default=new_public_id)
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    original = models.CharField(max_length=200, help_text="Storage name of the file as it came; never served")
    facts: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    duration_s = models.FloatField(null=True, blank=True, help_text="Of the playback file")
    fps = models.FloatField(null=True, blank=True, help_text="Of the playback file")
    asked_by = None  # many studies may share an asset, so no single person ordered it
    priority = models.IntegerField(default=0, db_default=0, help_text="Higher is prepared sooner")
    frame_hashes = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], blank=True, help_text="Perceptual hashes of the 8 frames"
    )
    quarantined_at = models.DateTimeField(
        null=True, blank=True, help_text="Reported as illegal: nothing serves, exports or prepares it while this is set"
    )

    class Meta(Job.Meta):
        indexes = [
            *Job.Meta.indexes,
            models.Index(name="asset_next", fields=["-priority", "id"], condition=Q(state="waiting")),
            models.Index(name="asset_failed", fields=["id"], condition=Q(state="failed")),
            models.Index(
                name="asset_quarantined", fields=["quarantined_at"], condition=Q(quarantined_at__isnull=False)
            ),
        ]
        constraints = [
            *Job.Meta.constraints,
            # Not `unique=True`, which would add a second index for searches by a part of the text.
            models.UniqueConstraint(name="asset_public_id_once", fields=["public_id"]),
            models.UniqueConstraint(name="asset_sha256_once", fields=["sha256"]),
            models.CheckConstraint(name="asset_public_id_form", condition=sixty_four_hex("public_id")),
            models.CheckConstraint(name="asset_sha256_form", condition=sixty_four_hex("sha256")),
            models.CheckConstraint(
                name="asset_done_has_facts",
                condition=~Q(state="done")
                | Q(duration_s__isnull=False, duration_s__gt=0, fps__isnull=False, fps__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id[:8]} ({self.state})"

    @property
    def reason_in_words(self) -> str:
        """Why the video failed, or why it waits for another attempt, in the reader's language."""
        return reasons.in_words(self.reason)

    @property
    def notes(self) -> list[Any]:
        """A sentence for each part that was left out when the file was prepared, in the reader's language."""
        return words_of(self.facts.get("notes", []))
