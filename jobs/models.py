"""The columns and constraints that all jobs share, and when periodic tasks last ended."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

#: States of jobs that have not ended, and of jobs that have.
OPEN_STATES = ("waiting", "running")
ENDED_STATES = ("done", "failed", "cancelled")


def job_constraints(*, also_open: Sequence[str] = (), also_ended: Sequence[str] = ()) -> list[models.BaseConstraint]:
    """Return the constraints of every job. `also_open` and `also_ended` are further states of the model."""
    still_open, ended = [*OPEN_STATES, *also_open], [*ENDED_STATES, *also_ended]
    return [
        models.CheckConstraint(name="%(class)s_state_known", condition=Q(state__in=[*still_open, *ended])),
        models.CheckConstraint(
            name="%(class)s_failed_has_reason",
            condition=(Q(state="failed") & ~Q(reason=""))
            | Q(state="waiting")
            | (~Q(state__in=["failed", "waiting"]) & Q(reason="")),
        ),
        models.CheckConstraint(
            name="%(class)s_running_has_heartbeat",
            condition=Q(state="running", heartbeat_at__isnull=False, fence__gt=0)
            | (~Q(state="running") & Q(heartbeat_at__isnull=True)),
        ),
        models.CheckConstraint(
            name="%(class)s_waits_only_while_waiting", condition=Q(state="waiting") | Q(wait_until__isnull=True)
        ),
        models.CheckConstraint(
            name="%(class)s_finished_has_moment",
            condition=Q(state__in=still_open, finished_at__isnull=True)
            | (~Q(state__in=still_open) & Q(finished_at__isnull=False)),
        ),
    ]


def job_indexes() -> list[models.Index]:
    """Return the indexes that claims and sweeps use."""
    return [
        models.Index(name="%(class)s_open", fields=["created_at"], condition=Q(state__in=list(OPEN_STATES))),
        models.Index(name="%(class)s_running", fields=["heartbeat_at"], condition=Q(state="running")),
    ]


class Job(models.Model):
    """One piece of work for a background worker. The row itself is the queue, and `jobs.engine` changes it.

    waiting → running → done | failed(reason) | cancelled. A job goes from running back to waiting after an error that
    may pass. `fence` counts the claims: only the worker whose claim has the current number may write the row.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    state = models.CharField(max_length=10, choices=State.choices, default="waiting", db_default="waiting")
    reason = models.TextField(
        blank=True, default="", db_default="", help_text=_("Why it failed, or why it waits for another attempt")
    )
    stage = models.CharField(max_length=80, blank=True, default="", db_default="", help_text=_("Current stage"))
    steps = models.PositiveBigIntegerField(default=0, db_default=0, help_text=_("Completed steps of the stage"))
    steps_total = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text=_("Number of steps of the stage. 0: unknown")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0, db_default=0, help_text="Number of claims")
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="When its worker was last alive")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Claims that count as attempts")
    pauses = models.PositiveIntegerField(default=0, db_default=0, help_text="How often in a row it was put back")
    wait_until = models.DateTimeField(null=True, blank=True, help_text="When its next attempt is due")

    class Meta:
        abstract = True
        constraints = job_constraints()
        indexes = job_indexes()

    @property
    def is_open(self) -> bool:
        """Return whether the job has not ended."""
        return self.finished_at is None


class Sweep(models.Model):
    """The last time that a periodic task ended well. It shows whether workers are running."""

    task = models.CharField(max_length=200, primary_key=True)
    ended_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.task
