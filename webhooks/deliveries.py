"""Send events: one attempt of a delivery, sending it again, and the test event.

The request is as Standard Webhooks describes it. No transaction is open while the worker waits for the network. If a
worker is killed after the receiver confirmed, the event is sent once more, with the same id.
"""

import time
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from standardwebhooks import Webhook

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from jobs import engine
from jobs.models import OPEN_STATES
from webhooks import event_types, sending, switching
from webhooks.models import Delivery, Endpoint, Event, Secret
from webhooks.policy import POLICY, NotDelivered

State, Problem = Delivery.State, Delivery.Problem

#: How long ended deliveries and their events are kept.
KEPT = timedelta(days=90)
MOST_DELETED = 1000


def run(delivery_id: int) -> None:
    """Make one attempt, if the delivery waits and no other worker has it."""
    engine.run(POLICY, delivery_id, work)


def work(delivery: Delivery) -> None:
    """Make one attempt of a claimed delivery. Raise NotDelivered if the receiver did not confirm it, or TakenOver."""
    endpoint = Endpoint.objects.select_related("study").filter(pk=delivery.endpoint_id).first()
    if endpoint is None:  # it was deleted, with this delivery
        raise engine.TakenOver
    if not endpoint.is_on:  # it was turned off while the event was being written
        engine.end(POLICY, delivery.pk, delivery.fence, State.CANCELLED)
        return
    began = time.monotonic()
    content = body(delivery.event)
    outcome = sending.post(endpoint.address, headers(delivery.event, endpoint, content), content)
    facts: dict[str, Any] = {
        "tries": delivery.tries + 1,
        "tried_at": timezone.now(),
        "took_ms": int(1000 * (time.monotonic() - began)),
        "problem": outcome.problem,
        "response_status": outcome.status,
        "excerpt": outcome.excerpt,
        "earlier": delivery.with_last(),
    }
    if not outcome.problem:
        switching.note_success(endpoint.pk)
        engine.end(POLICY, delivery.pk, delivery.fence, State.DONE, **facts)
    elif outcome.problem == Problem.GONE:
        switching.turn_off(endpoint, Endpoint.Off.GONE, actor=None)
        engine.end(POLICY, delivery.pk, delivery.fence, State.FAILED, reason=in_english(outcome.problem), **facts)
    else:
        if not engine.beat(POLICY, delivery.pk, delivery.fence, **facts).holds:
            raise engine.TakenOver
        switching.note_failure(endpoint)
        raise NotDelivered(in_english(outcome.problem))


def in_english(problem: str) -> str:
    """Return the sentence of a problem, as a job keeps it. Pages translate it."""
    with override("en"):
        return str(Problem(problem).label)


def body(event: Event) -> bytes:
    """Return the body of the request. It is the same in each attempt."""
    about = {"type": event.type, "timestamp": event.occurred_at.isoformat(), "data": event.data}
    return orjson.dumps(about, option=orjson.OPT_SORT_KEYS)


def headers(event: Event, endpoint: Endpoint, content: bytes) -> dict[str, str]:
    """Return the headers of an attempt now, with one signature for each secret that is valid now."""
    now = timezone.now()
    valid = Secret.objects.filter(Q(valid_until=None) | Q(valid_until__gt=now), endpoint=endpoint).order_by("-pk")
    signatures = [Webhook(one.text).sign(event.message_id, now, content.decode()) for one in valid]
    return {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Diptych",
        "webhook-id": event.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@transaction.atomic
def send_again(delivery: Delivery, *, actor: User) -> bool:
    """Send an event to its endpoint once more, with the same id. Return False if it waits already. Raise Refused."""
    endpoint = _require_on(delivery.endpoint_id)
    if not engine.resume(Delivery.objects.filter(pk=delivery.pk), asked_by=actor):
        return False
    after = {"delivery": delivery.pk, "event": delivery.event.message_id}
    audit.record("webhook.sent_again", endpoint, actor=actor, study_slug=endpoint.study.slug, after=after)
    engine.announce(POLICY, delivery.pk)
    return True


@transaction.atomic
def send_test(endpoint: Endpoint, *, actor: User) -> Delivery:
    """Send a test event to an endpoint. If one waits already, return that one. Raise Refused."""
    present = _require_on(endpoint.pk)
    waiting = Delivery.objects.filter(endpoint=present, event__type=event_types.TEST.key, state__in=OPEN_STATES)
    if found := waiting.first():
        return found
    study = present.study
    event = Event.objects.create(study=study, type=event_types.TEST.key, data={"study": study.slug})
    delivery = Delivery.objects.create(study=study, endpoint=present, event=event, asked_by=actor)
    audit.record("webhook.tested", present, actor=actor, study_slug=study.slug)
    engine.announce(POLICY, delivery.pk)
    return delivery


def _require_on(endpoint_id: int) -> Endpoint:
    endpoint = switching.locked(endpoint_id)
    if endpoint is None or not endpoint.is_on:
        raise Refused(_("The endpoint is off. Turn it on first."), "endpoint_off")
    return endpoint


def delete_old() -> int:
    """Delete some of the deliveries that ended long ago, and events without deliveries. Return how many deliveries."""
    before = timezone.now() - KEPT
    ended = Delivery.objects.filter(finished_at__lt=before).order_by("pk").values("pk")[:MOST_DELETED]
    deleted, _rows = Delivery.objects.filter(pk__in=ended, finished_at__lt=before).delete()
    left = Event.objects.filter(occurred_at__lt=before, deliveries=None).order_by("pk").values("pk")[:MOST_DELETED]
    Event.objects.filter(pk__in=left).delete()
    Secret.objects.filter(valid_until__lt=timezone.now()).delete()
    return deleted
