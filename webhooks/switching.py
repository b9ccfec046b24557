"""Turn endpoints on and off. While an endpoint is off, it gets nothing, and what waited for it is cancelled."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.models import User
from jobs import engine
from jobs.models import OPEN_STATES
from webhooks.models import Delivery, Endpoint
from webhooks.policy import POLICY

#: An endpoint is turned off when an attempt fails this long after the first of an unbroken row of failures.
OFF_AFTER = timedelta(days=5)


def locked(endpoint_id: int) -> Endpoint | None:
    """Return the endpoint, locked until the transaction ends, or None if it was deleted. Lock it before deliveries."""
    return (
        Endpoint.objects.select_related("study")
        .select_for_update(of=("self",), no_key=True)
        .filter(pk=endpoint_id)
        .first()
    )


@transaction.atomic
def turn_off(endpoint: Endpoint, because: str, *, actor: User | None) -> bool:
    """Turn an endpoint off and cancel what waits for it. Return False if it was off already."""
    present = locked(endpoint.pk)
    if present is None or not present.is_on:
        return False
    _write(present, actor, off_at=Now(), off_because=because)
    for delivery in Delivery.objects.filter(endpoint=present, state__in=OPEN_STATES).order_by("pk"):
        engine.cancel(POLICY, delivery.pk)
    return True


@transaction.atomic
def turn_on(endpoint: Endpoint, *, actor: User) -> bool:
    """Turn an endpoint on. Return False if it was on already. Events that happened meanwhile are not sent."""
    present = locked(endpoint.pk)
    if present is None or present.is_on:
        return False
    _write(present, actor, off_at=None, off_because="", failing_since=None)
    return True


def _write(endpoint: Endpoint, actor: User | None, **columns: Any) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(**columns)
    before, after = {"off_because": endpoint.off_because}, {"off_because": columns["off_because"]}
    slug = endpoint.study.slug
    audit.record("webhook.switched", endpoint, actor=actor, study_slug=slug, before=before, after=after)


def note_success(endpoint_id: int) -> None:
    """Write that an endpoint confirmed an event."""
    Endpoint.objects.filter(pk=endpoint_id, failing_since__isnull=False).update(failing_since=None)


def note_failure(endpoint: Endpoint) -> None:
    """Write that an attempt failed, and turn the endpoint off if nothing succeeded for `OFF_AFTER`."""
    Endpoint.objects.filter(pk=endpoint.pk, failing_since=None).update(failing_since=Now())
    too_long = {"failing_since__lte": timezone.now() - OFF_AFTER, "off_at": None}
    if Endpoint.objects.filter(pk=endpoint.pk, **too_long).exists():
        turn_off(endpoint, Endpoint.Off.FAILING, actor=None)
