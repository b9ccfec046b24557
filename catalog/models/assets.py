"""Bytes: one row for each distinct file, whatever the studies that use it."""

import secrets
from typing import Any

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from diptych.database.constraints import sixty_four_hex


def new_public_id() -> str:
    """64 random hex characters."""
    return secrets.token_hex(32)


class Asset(models.Model):
    """An original file and what was made from it. Reached only through a study's Video.

    pending → processing → ready | failed(reason). A worker holds a processing row by `fence`: it counts the
    claims, and only the claim with the row's present number may write the outcome.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    public_id = models.CharField(max_length=64, default=new_public_id)
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField()
    original = models.CharField(max_length=200, help_text="Storage name of the file as it came; never served")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.TextField(blank=True, help_text="Why it failed, for a researcher")
    facts: "models.JSONField[Any, Any]" = models.JSONField(default=dict, blank=True)
    duration_s = models.FloatField(null=True, blank=True, help_text="Of the playback file")
    fps = models.FloatField(null=True, blank=True, help_text="Of the playback file")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    priority = models.IntegerField(default=0, db_default=0, help_text="Higher is prepared sooner")
    wait_until = models.DateTimeField(null=True, blank=True, help_text="Put back because of trouble: not before then")
    frame_hashes = ArrayField(
        models.BigIntegerField(), default=list, db_default=[], blank=True, help_text="Perceptual hashes of the 8 frames"
    )
    quarantined_at = models.DateTimeField(
        null=True, blank=True, help_text="Reported as illegal: nothing serves, exports or prepares it while this is set"
    )

    class Meta:
        indexes = [
            models.Index(name="asset_next", fields=["-priority", "id"], condition=Q(state="pending")),
            models.Index(
                name="asset_unfinished",
                fields=["created_at"],
                condition=Q(state__in=["pending", "processing"]),
            ),
            models.Index(name="asset_claimed", fields=["heartbeat_at"], condition=Q(state="processing")),
            models.Index(name="asset_failed", fields=["id"], condition=Q(state="failed")),
            models.Index(
                name="asset_quarantined", fields=["quarantined_at"], condition=Q(quarantined_at__isnull=False)
            ),
        ]
        constraints = [
            # Not `unique=True`: that would index each of them once more, for searches by a part.
            models.UniqueConstraint(name="asset_public_id_once", fields=["public_id"]),
            models.UniqueConstraint(name="asset_sha256_once", fields=["sha256"]),
            models.CheckConstraint(name="asset_public_id_form", condition=sixty_four_hex("public_id")),
            models.CheckConstraint(name="asset_sha256_form", condition=sixty_four_hex("sha256")),
            models.CheckConstraint(
                name="asset_state_known",
                condition=Q(state__in=["pending", "processing", "ready", "failed"]),
            ),
            models.CheckConstraint(
                name="asset_failed_has_reason",
                condition=(Q(state="failed") & ~Q(reason="")) | (~Q(state="failed") & Q(reason="")),
            ),
            models.CheckConstraint(
                name="asset_ready_has_facts",
                condition=~Q(state="ready") | Q(duration_s__gt=0, fps__gt=0, finished_at__isnull=False),
            ),
            models.CheckConstraint(
                name="asset_processing_has_heartbeat",
                condition=~Q(state="processing") | Q(heartbeat_at__isnull=False, fence__gt=0),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="asset_in_quarantine_stays_marked",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("quarantined_at"),
                condition=pgtrigger.Q(old__quarantined_at__isnull=False, new__quarantined_at__isnull=True),
                func="""
                    IF EXISTS (SELECT FROM catalog_quarantine WHERE asset_id = NEW.id AND released_at IS NULL
                                  AND everywhere_at IS NOT NULL) THEN
                        RAISE EXCEPTION 'Asset % is in quarantine; release that first', NEW.id
                              USING ERRCODE = 'restrict_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id[:8]} ({self.state})"
