"""Endpoints outside this installation, their secrets, the events that they are told, and each delivery."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, IntegerField, Q
from django.db.models.functions import Now
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from diptych.database.constraints import CompositeForeignKey
from jobs.models import Job
from studies.models import Study

LONGEST_ADDRESS = 2000
LONGEST_TYPE = 60
#: The most characters of a response that are kept.
LONGEST_EXCERPT = 1000
#: The most attempts of a delivery whose responses are kept, with the last one: those of three days.
MOST_ATTEMPTS_KEPT = 11


class Endpoint(models.Model):
    """An address to which chosen events of one study are sent. `webhooks/endpoints.py` changes it."""

    class Off(models.TextChoices):
        """Why nothing is sent to it."""

        BY_ADMIN = "admin", _("An admin turned it off.")
        GONE = "gone", _("The receiver said that the address no longer exists (410), so it was turned off.")
        FAILING = "failing", _("Nothing could be delivered for five days, so it was turned off.")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="webhooks", db_index=False)
    address = models.CharField(max_length=LONGEST_ADDRESS)
    events = ArrayField(models.CharField(max_length=LONGEST_TYPE), help_text="Types of the events that it gets")
    off_at = models.DateTimeField(null=True, blank=True)
    off_because = models.CharField(max_length=7, choices=Off.choices, blank=True, default="", db_default="")
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="When the first attempt failed since the last delivery that succeeded"
    )
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="endpoint_address_once", fields=["study", "address"]),
            models.UniqueConstraint(name="endpoint_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="endpoint_has_events", condition=~Q(events=[])),
            models.CheckConstraint(
                name="endpoint_off_with_reason",
                condition=Q(off_at__isnull=True, off_because="")
                | Q(off_at__isnull=False, off_because__in=["admin", "gone", "failing"]),
            ),
        ]

    def __str__(self) -> str:
        return f"endpoint {self.pk} of {self.study_id}"

    @property
    def is_on(self) -> bool:
        """Return whether events are sent to it."""
        return self.off_at is None


class Secret(models.Model):
    """A key that signs what an endpoint gets. It is stored as text, because signing needs it (decision 063)."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    text = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Null: it is the present one")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="secret_one_present", fields=["endpoint"], condition=Q(valid_until__isnull=True)
            ),
            models.CheckConstraint(name="secret_has_prefix", condition=Q(text__startswith="whsec_")),
        ]

    def __str__(self) -> str:
        return f"secret of endpoint {self.endpoint_id}"


class Event(models.Model):
    """Something that happened in a study. It is written in the transaction in which that happened."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    type = models.CharField(max_length=LONGEST_TYPE)
    data: "models.JSONField[Any, Any]" = models.JSONField()
    occurred_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="event_study_id", fields=["study", "id"]),
            models.CheckConstraint(name="event_has_type", condition=~Q(type="")),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"

    @property
    def message_id(self) -> str:
        """Return the id in the header `webhook-id`. It is the same in each attempt."""
        return f"msg_{self.public_id.hex}"


class Attempt(NamedTuple):
    """One attempt of a delivery. Its fields have the names of the columns of the last attempt."""

    tried_at: datetime
    took_ms: int | None
    problem: str
    response_status: int | None
    excerpt: str

    @property
    def problem_in_words(self) -> str:
        """Return why it did not succeed, with what to do; empty if it did."""
        return str(Delivery.Problem(self.problem).label) if self.problem else ""


class Delivery(Job):
    """An event that an endpoint gets. As a job, it is sent until the receiver confirms it.

    The columns below `event` are about the last attempt, and `earlier` has those before it. `tries` is counted over all
    attempts, also before somebody sent the event again.
    """

    class Problem(models.TextChoices):
        """Why an attempt did not succeed, with what to do."""

        NO_NAME = "no_name", _("The host name of the address was not found. Check the address.")
        PRIVATE = (
            "private",
            _(
                "The host is in a private or reserved network, and webhooks are not sent there. Ask the operator of "
                "this installation to allow that network."
            ),
        )
        NOT_CONNECTED = "not_connected", _("No connection to the address could be opened.")
        TLS = "tls", _("No trusted TLS connection could be opened. Check the certificate of the receiver.")
        TOO_SLOW = "too_slow", _("The receiver did not respond within 15 seconds.")
        BROKEN = "broken", _("The connection broke before the receiver had responded.")
        REDIRECT = "redirect", _("The receiver sent a redirect. Enter the address to which it leads.")
        GONE = "gone", _("The receiver said that the address no longer exists (410).")
        STATUS = "status", _("The receiver did not confirm the event with a status from 200 to 299.")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, related_name="deliveries", db_constraint=False, db_index=False
    )
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries", db_constraint=False)
    tries = models.PositiveIntegerField(default=0, db_default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=13, choices=Problem.choices, blank=True, default="", db_default="")
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    excerpt = models.TextField(blank=True, default="", db_default="", help_text="Beginning of the response")
    earlier: "models.JSONField[Any, Any]" = models.JSONField(
        default=list, db_default=[], blank=True, help_text="The attempts before the last one, the earliest first"
    )

    class Meta(Job.Meta):
        indexes = [*Job.Meta.indexes, models.Index(name="delivery_of_endpoint", fields=["endpoint", "-id"])]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(name="delivery_once_an_endpoint", fields=["event", "endpoint"]),
            models.CheckConstraint(
                name="delivery_problem_known",
                condition=Q(
                    problem__in=[
                        *("", "no_name", "private", "not_connected", "tls", "too_slow"),
                        *("broken", "redirect", "gone", "status"),
                    ]
                ),
            ),
            models.CheckConstraint(
                name="delivery_keeps_few_attempts",
                condition=LessThanOrEqual(
                    Func(F("earlier"), function="jsonb_array_length", output_field=IntegerField()),
                    MOST_ATTEMPTS_KEPT - 1,
                ),
            ),
            CompositeForeignKey(
                name="delivery_endpoint_same_study",
                fields=["study", "endpoint"],
                to="webhooks.Endpoint",
                to_fields=["study", "id"],
            ),
            CompositeForeignKey(
                name="delivery_event_same_study",
                fields=["study", "event"],
                to="webhooks.Event",
                to_fields=["study", "id"],
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} to endpoint {self.endpoint_id} ({self.state})"

    @property
    def earlier_attempts(self) -> list[Attempt]:
        """Return the attempts before the last one, the latest first."""
        return [
            Attempt(**one | {"tried_at": datetime.fromisoformat(one["tried_at"])}) for one in reversed(self.earlier)
        ]

    def with_last(self) -> list[dict[str, Any]]:
        """Return `earlier` with the last attempt, as it is stored when another attempt follows."""
        if self.tried_at is None:
            return []
        last = {name: getattr(self, name) for name in Attempt._fields} | {"tried_at": self.tried_at.isoformat()}
        kept: list[dict[str, Any]] = [*self.earlier, last][1 - MOST_ATTEMPTS_KEPT :]
        return kept
