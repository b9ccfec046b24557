"""A webhook on its whole way: an event is recorded, and a running Celery worker sends it until it is confirmed."""

import time

import pytest
from django.db import transaction
from django.utils import timezone

from studies.models import Study
from tests.media.workers import Worker, empty
from tests.webhooks.receiver import status
from webhooks import outbox, tasks
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
LIMIT_S = 60


@pytest.fixture
def worker(monkeypatch):
    """Run a worker that may reach this machine, with nothing in its queue."""
    monkeypatch.setenv("WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8")
    empty("default")
    worker = Worker("--pool", "threads", "--concurrency", "1")
    yield worker
    worker.stop()


def wait_until(state, tries):
    """Return the only delivery when it is in this state after this many attempts."""
    end = time.monotonic() + LIMIT_S
    while (delivery := Delivery.objects.get()).state != state or delivery.tries != tries:
        assert time.monotonic() < end, (delivery.state, delivery.tries, delivery.reason)
        time.sleep(0.05)
    return delivery


@pytest.mark.long
def test_a_worker_sends_what_happened_until_it_is_confirmed(study, endpoint, receiver, worker):
    receiver.respond(status(503, b"Later"), status(200, b"Thank you"))
    with transaction.atomic():
        outbox.record(Study.objects.get(), "lot.accepted", {"lot": 12})
    waiting = wait_until("waiting", 1)
    assert waiting.wait_until > timezone.now()
    Delivery.objects.update(wait_until=timezone.now())  # the pause of ten seconds is over
    tasks.look_after_webhooks()
    done = wait_until("done", 2)
    assert [request.headers["webhook-id"] for request in receiver.got] == [done.event.message_id] * 2
    assert (done.response_status, done.excerpt) == (200, "Thank you")
    [first] = done.earlier_attempts
    assert (first.response_status, first.excerpt, first.problem) == (503, "Later", "status")
    assert waiting.tried_at == first.tried_at < done.tried_at
