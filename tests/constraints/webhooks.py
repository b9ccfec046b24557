"""Attempts to break each constraint of webhooks. `w` is the `World`."""

from tests import factories
from tests.constraints.world import NOON, twice
from webhooks.models import Event, Secret

ATTEMPTS = {
    # --- webhooks
    "endpoint_address_once": twice(lambda w: factories.endpoint(w.study, address="https://example.org/")),
    "endpoint_has_events": lambda w: factories.endpoint(w.study, events=[]),
    "endpoint_off_with_reason": lambda w: factories.endpoint(w.study, off_at=NOON),
    "secret_one_present": lambda w: Secret.objects.create(endpoint=factories.endpoint(w.study), text="whsec_x"),
    "secret_has_prefix": lambda w: Secret.objects.create(
        endpoint=factories.endpoint(w.study), text="x", valid_until=NOON
    ),
    "event_has_type": lambda w: Event.objects.create(study=w.study, type="", data={}),
    "delivery_once_an_endpoint": lambda w: [factories.delivery(w.endpoint, event=w.event) for _ in range(2)],
    "delivery_problem_known": lambda w: factories.delivery(w.endpoint, problem="bored"),
    "delivery_keeps_few_attempts": lambda w: factories.delivery(w.endpoint, earlier=[{}] * 11),
    "delivery_endpoint_same_study": lambda w: factories.delivery(w.endpoint, endpoint=factories.endpoint(w.other)),
    "delivery_event_same_study": lambda w: factories.delivery(
        w.endpoint, event=Event.objects.create(study=w.other, type="lot.accepted", data={})
    ),
    "delivery_state_known": lambda w: factories.delivery(w.endpoint, state="lost", finished_at=NOON),
    "delivery_failed_has_reason": lambda w: factories.delivery(w.endpoint, state="failed", finished_at=NOON),
    "delivery_running_has_heartbeat": lambda w: factories.delivery(w.endpoint, state="running"),
    "delivery_waits_only_while_waiting": lambda w: factories.delivery(
        w.endpoint, state="done", finished_at=NOON, wait_until=NOON
    ),
    "delivery_finished_has_moment": lambda w: factories.delivery(w.endpoint, state="done"),
}
