"""The columns that every job has, with their rules, and when periodic tasks last ended."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

#: States in which a job still has work before it, and those in which it has ended.
OPEN_STATES = ("waiting", "running")
ENDED_STATES = ("done", "failed", "cancelled")


def job_constraints(*, also_open: Sequence[str] = (), also_ended: Sequence[str] = ()) -> list[models.BaseConstraint]:
    """Return the rules of every job. A model with states of its own names them: `also_open` and `also_ended`."""
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
    """One piece of work for a background worker. The row is the queue of record; `jobs.engine` moves it.

    waiting → running → done | failed(reason) | cancelled; running → waiting after trouble that may pass. A worker
    holds a running row by `fence`, which counts the claims: only the claim with the present number may write.
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
        """Whether the job has not ended."""
        return self.finished_at is None


class Sweep(models.Model):
    """The last time that one periodic task ended well, so that people can see whether workers are there."""

    task = models.CharField(max_length=200, primary_key=True)
    ended_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.task
