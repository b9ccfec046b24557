"""Changes of many pairs at once, which are carried out bit by bit while people answer them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models.studies import Study


class PairsChange(models.Model):
    """One change of a study's pairs. The row is the queue of record; who works on it holds it by `fence`.

    waiting → running → done | failed(reason) | cancelled. Overlap and priority go through the pairs in the order of
    their ids: those up to `reached` have been gone through, those after `until` came later and are not meant.
    """

    class What(models.TextChoices):
        OVERLAP = "overlap"
        PRIORITY = "priority"
        BATCHES = "batches"

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="pairs_changes")
    what = models.CharField(max_length=8, choices=What.choices)
    value = models.IntegerField(help_text="What pairs get; of batches their size")
    choice: "models.JSONField[Any, Any]" = models.JSONField(default=dict, help_text="Which pairs are meant")
    before: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True, help_text="Sums of how it was")
    made: "models.JSONField[Any, Any]" = models.JSONField(null=True, blank=True, help_text="Batches made and emptied")
    pairs = models.PositiveIntegerField(help_text="Meant when it was ordered")
    gone_through = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    reached = models.PositiveBigIntegerField(default=0, help_text="Id of the last pair gone through")
    until = models.PositiveBigIntegerField(help_text="Id of the study’s last pair when it was ordered")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    reason = models.TextField(blank=True, help_text="Why it failed, and what to do")
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Begun since it last got on")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="pairs_change_one_unfinished", fields=["study"], condition=Q(state__in=["waiting", "running"])
            ),
            models.CheckConstraint(
                name="pairs_change_what_known", condition=Q(what__in=["overlap", "priority", "batches"])
            ),
            models.CheckConstraint(
                name="pairs_change_state_known",
                condition=Q(state__in=["waiting", "running", "done", "failed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="pairs_change_failed_has_reason",
                condition=(Q(state="failed") & ~Q(reason="")) | (~Q(state="failed") & Q(reason="")),
            ),
            models.CheckConstraint(
                name="pairs_change_running_has_heartbeat",
                condition=~Q(state="running") | Q(heartbeat_at__isnull=False, fence__gt=0),
            ),
            models.CheckConstraint(
                name="pairs_change_finished_has_moment",
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | (~Q(state__in=["waiting", "running"]) & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(name="pairs_change_reached_range", condition=Q(reached__lte=F("until"))),
            models.CheckConstraint(name="pairs_change_changed_range", condition=Q(changed__lte=F("gone_through"))),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.pk} ({self.state})"

    @property
    def is_unfinished(self) -> bool:
        return self.finished_at is None
