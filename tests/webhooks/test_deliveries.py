"""Events become deliveries, and deliveries are sent until the receiver confirms, or in vain."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from diptych.refusals import Refused
from jobs import engine
from studies.notices import notices_for
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.faults.test_changes_killed import environment
from tests.media.workers import empty, queued_ids
from tests.webhooks.receiver import close, hang, status
from webhooks import deliveries, endpoints, outbox, switching, tasks
from webhooks.models import Delivery, Endpoint, Event, Secret
from webhooks.policy import PAUSES_S, POLICY, pause

pytestmark = pytest.mark.django_db


def happened(study, key="lot.accepted"):
    """Record an event, and return its deliveries."""
    before = set(Delivery.objects.values_list("pk", flat=True))
    outbox.record(study, key, {"lot": 12})
    return list(Delivery.objects.exclude(pk__in=before).order_by("pk"))


def attempt(delivery):
    """Make an attempt of a delivery, whether or not it is due. Return it as it is afterwards."""
    Delivery.objects.filter(pk=delivery.pk).update(wait_until=None)
    deliveries.run(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def verified(request, secret):
    """Return the body of a received request, if a receiver with this secret would accept it."""
    return Webhook(secret).verify(request.body, request.headers)


class TestRecording:
    def test_a_delivery_for_each_endpoint_that_gets_the_event(self, study, admin, endpoint, receiver):
        add = {"actor": admin, "events": ["lot.accepted"]}
        other, _secret = endpoints.create(study, address=receiver.address(path="/other"), **add)
        off, _secret = endpoints.create(study, address=receiver.address(path="/off"), **add)
        switching.turn_off(off, "admin", actor=admin)
        foreign = factories.study()
        endpoints.create(foreign, address=receiver.address(), **add)
        assert [one.endpoint_id for one in happened(study)] == [endpoint.pk, other.pk]
        assert [one.endpoint_id for one in happened(study, "lot.returned")] == [endpoint.pk]
        assert Event.objects.count() == 2

    def test_nothing_is_written_if_nobody_gets_it(self, study):
        assert happened(study) == []
        assert Event.objects.count() == 0

    def test_what_is_rolled_back_is_not_sent(self, study, endpoint, receiver, django_capture_on_commit_callbacks):
        empty("default")
        with (
            django_capture_on_commit_callbacks(execute=True) as callbacks,
            pytest.raises(ZeroDivisionError),
            transaction.atomic(),
        ):
            happened(study)
            raise ZeroDivisionError
        assert callbacks == []
        assert Delivery.objects.count() == Event.objects.count() == 0
        with django_capture_on_commit_callbacks(execute=True):
            [delivery] = happened(study)
        assert queued_ids("default") == [delivery.pk]

    @pytest.mark.parametrize(("key", "data"), [("lot.eaten", {"lot": 1}), ("lot.accepted", {"number": 1})])
    def test_an_app_must_declare_what_it_sends(self, study, key, data):
        with pytest.raises(ValueError, match="Register the type"):
            outbox.record(study, key, data)


class TestSending:
    def test_the_receiver_can_verify_what_it_gets(self, study, endpoint, receiver):
        [delivery] = happened(study)
        attempt(delivery)
        [request] = receiver.got
        event = verified(request, endpoint.secret)
        assert event == {
            "type": "lot.accepted",
            "timestamp": delivery.event.occurred_at.isoformat(),
            "data": {"study": study.slug, "lot": 12},
        }
        assert request.headers["webhook-id"] == delivery.event.message_id
        assert request.headers["content-type"] == "application/json"
        assert (delivery.state, delivery.tries, delivery.response_status, delivery.problem) == ("done", 1, 204, "")

    def test_another_secret_and_another_body_are_not_verified(self, study, endpoint, receiver):
        attempt(happened(study)[0])
        [request] = receiver.got
        with pytest.raises(WebhookVerificationError):
            verified(request, "whsec_" + "A" * 44)
        request.body = request.body.replace(b"12", b"13")
        with pytest.raises(WebhookVerificationError):
            verified(request, endpoint.secret)

    def test_it_is_sent_again_with_the_same_id_until_it_is_confirmed(self, study, endpoint, receiver):
        receiver.respond(status(500, b"Out of order"), close, status(200))
        [delivery] = happened(study)
        attempt(delivery)
        assert (delivery.state, delivery.tries, delivery.response_status) == ("waiting", 1, 500)
        assert (delivery.problem, delivery.excerpt) == ("status", "Out of order")
        endpoint.refresh_from_db()
        assert endpoint.failing_since is not None
        attempt(delivery)
        assert (delivery.state, delivery.problem, delivery.response_status) == ("waiting", "broken", None)
        attempt(delivery)
        assert (delivery.state, delivery.tries, delivery.problem, delivery.excerpt) == ("done", 3, "", "")
        endpoint.refresh_from_db()
        assert endpoint.failing_since is None
        assert len({request.headers["webhook-id"] for request in receiver.got}) == 1
        assert len({request.body for request in receiver.got}) == 1
        for request in receiver.got:
            verified(request, endpoint.secret)

    def test_it_is_not_sent_before_its_pause_is_over(self, study, endpoint, receiver):
        receiver.respond(status(500))
        [delivery] = happened(study)
        attempt(delivery)
        deliveries.run(delivery.pk)
        assert len(receiver.got) == 1
        empty("default")
        tasks.look_after_webhooks()
        assert queued_ids("default") == []
        Delivery.objects.update(wait_until=timezone.now())
        tasks.look_after_webhooks()
        assert queued_ids("default") == [delivery.pk]

    def test_after_three_days_it_is_given_up(self, study, endpoint, receiver):
        receiver.respond(status(503))
        [delivery] = happened(study)
        for _ in range(POLICY.most_attempts):
            assert attempt(delivery).tries <= POLICY.most_attempts
        assert (delivery.state, delivery.tries) == ("failed", 11)
        assert len(receiver.got) == 11
        assert timedelta(days=2.9) < timedelta(seconds=sum(PAUSES_S)) < timedelta(days=3.1)
        assert 0.9 * PAUSES_S[0] <= pause(1).total_seconds() <= 1.1 * PAUSES_S[0]
        assert pause(99) <= timedelta(hours=22)

    @pytest.mark.long
    def test_the_responses_of_the_last_eleven_attempts_are_kept(self, study, endpoint, receiver, admin):
        receiver.respond(*(status(500, f"No. {number}".encode()) for number in range(1, 12)), status(204))
        [delivery] = happened(study)
        for _ in range(POLICY.most_attempts):
            attempt(delivery)
        assert (delivery.state, delivery.excerpt) == ("failed", "No. 11")
        assert [one.excerpt for one in delivery.earlier_attempts] == [f"No. {number}" for number in range(10, 0, -1)]
        assert {one.response_status for one in delivery.earlier_attempts} == {500}
        assert deliveries.send_again(delivery, actor=admin)
        attempt(delivery)
        assert (delivery.state, delivery.tries, delivery.excerpt) == ("done", 12, "")
        assert [one.excerpt for one in delivery.earlier_attempts] == [f"No. {number}" for number in range(11, 1, -1)]
        times = [delivery.tried_at, *(one.tried_at for one in delivery.earlier_attempts)]
        assert times == sorted(times, reverse=True)

    def test_a_redirect_into_another_network_is_not_followed(self, study, endpoint, receiver):
        receiver.respond(status(307, Location="http://169.254.169.254/latest/meta-data/"))
        [delivery] = happened(study)
        attempt(delivery)
        assert (delivery.state, delivery.problem, delivery.response_status) == ("waiting", "redirect", 307)

    def test_a_network_that_is_no_longer_allowed_is_not_reached(self, study, endpoint, receiver, settings):
        settings.WEBHOOK_PRIVATE_NETWORKS = []
        [delivery] = happened(study)
        attempt(delivery)
        assert (delivery.state, delivery.problem) == ("waiting", "private")
        assert receiver.got == []


class TestSwitching:
    def test_an_endpoint_that_says_410_is_turned_off(self, study, endpoint, receiver):
        receiver.respond(status(410))
        first, second = happened(study) + happened(study)
        attempt(first)
        second.refresh_from_db()
        endpoint.refresh_from_db()
        assert (first.state, first.problem, second.state) == ("failed", "gone", "cancelled")
        assert (endpoint.is_on, endpoint.off_because) == (False, "gone")
        assert happened(study) == []
        assert any("turned off" in notice for notice in notices_for(study))

    def test_an_endpoint_that_fails_for_five_days_is_turned_off(self, study, endpoint, receiver):
        receiver.respond(status(500))
        [delivery] = happened(study)
        attempt(delivery)
        Endpoint.objects.update(failing_since=timezone.now() - switching.OFF_AFTER + timedelta(minutes=1))
        attempt(delivery)
        assert Endpoint.objects.get().is_on
        Endpoint.objects.update(failing_since=timezone.now() - switching.OFF_AFTER)
        attempt(delivery)
        endpoint.refresh_from_db()
        assert (endpoint.off_because, delivery.state) == ("failing", "cancelled")

    def test_what_waits_is_cancelled_when_an_admin_turns_it_off(self, study, admin, endpoint, receiver):
        [delivery] = happened(study)
        assert switching.turn_off(endpoint, "admin", actor=admin)
        assert not switching.turn_off(endpoint, "admin", actor=admin)
        assert attempt(delivery).state == "cancelled"
        assert receiver.got == []
        assert switching.turn_on(endpoint, actor=admin)
        assert not switching.turn_on(endpoint, actor=admin)
        assert attempt(happened(study)[0]).state == "done"

    def test_an_event_that_was_being_written_when_it_was_turned_off_is_cancelled(self, study, endpoint, receiver):
        [delivery] = happened(study)
        Endpoint.objects.update(off_at=timezone.now(), off_because="admin")
        assert attempt(delivery).state == "cancelled"
        assert receiver.got == []

    def test_an_endpoint_that_is_deleted_while_it_is_sent_to(self, study, admin, endpoint, receiver):
        [delivery] = happened(study)
        receiver.respond(status(500))
        post = deliveries.sending.post
        deliveries.sending.post = lambda *arguments: (endpoints.delete(endpoint, actor=admin), post(*arguments))[1]
        try:
            deliveries.run(delivery.pk)
        finally:
            deliveries.sending.post = post
        assert (Delivery.objects.count(), Event.objects.count(), Secret.objects.count()) == (0, 0, 0)


class TestSecrets:
    def test_both_secrets_sign_for_a_day(self, study, admin, endpoint, receiver):
        new = endpoints.replace_secret(endpoint, actor=admin)
        [delivery] = happened(study)
        attempt(delivery)
        for secret in (endpoint.secret, new):
            verified(receiver.got[0], secret)
        Secret.objects.filter(valid_until__isnull=False).update(valid_until=timezone.now())
        deliveries.send_again(delivery, actor=admin)
        attempt(delivery)
        verified(receiver.got[1], new)
        with pytest.raises(WebhookVerificationError):
            verified(receiver.got[1], endpoint.secret)

    @pytest.mark.long
    def test_the_earlier_one_can_be_ended_at_once(self, study, admin, endpoint, receiver):
        new = endpoints.replace_secret(endpoint, actor=admin)
        assert endpoints.old_secrets_until(endpoint) > timezone.now() + timedelta(hours=23)
        assert endpoints.end_old_secrets(endpoint, actor=admin)
        assert not endpoints.end_old_secrets(endpoint, actor=admin)
        attempt(happened(study)[0])
        verified(receiver.got[0], new)
        with pytest.raises(WebhookVerificationError):
            verified(receiver.got[0], endpoint.secret)

    def test_replacing_again_and_again_ends_none_early(self, study, admin, endpoint, receiver):
        made = [endpoint.secret, *(endpoints.replace_secret(endpoint, actor=admin) for _ in range(4))]
        with pytest.raises(Refused, match="too often"):
            endpoints.replace_secret(endpoint, actor=admin)
        attempt(happened(study)[0])
        for secret in made:
            verified(receiver.got[0], secret)

    def test_secrets_that_ended_are_deleted(self, endpoint, admin):
        endpoints.replace_secret(endpoint, actor=admin)
        Secret.objects.filter(valid_until__isnull=False).update(valid_until=timezone.now())
        deliveries.delete_old()
        assert Secret.objects.count() == 1


class TestSendingAgain:
    def test_a_delivery_is_sent_again_with_the_same_id(self, study, admin, endpoint, receiver):
        [delivery] = happened(study)
        attempt(delivery)
        assert deliveries.send_again(delivery, actor=admin)
        assert not deliveries.send_again(delivery, actor=admin)
        attempt(delivery)
        assert (delivery.state, delivery.tries) == ("done", 2)
        first, second = receiver.got
        assert first.headers["webhook-id"] == second.headers["webhook-id"]

    def test_nothing_is_sent_again_to_an_endpoint_that_is_off(self, study, admin, endpoint):
        [delivery] = happened(study)
        switching.turn_off(endpoint, "admin", actor=admin)
        for refused in (
            lambda: deliveries.send_again(delivery, actor=admin),
            lambda: deliveries.send_test(endpoint, actor=admin),
        ):
            with pytest.raises(Refused, match="Turn it on first"):
                refused()

    def test_one_test_event_at_a_time(self, admin, endpoint, receiver):
        first = deliveries.send_test(endpoint, actor=admin)
        assert deliveries.send_test(endpoint, actor=admin) == first
        attempt(first)
        assert verified(receiver.got[0], endpoint.secret)["type"] == "webhook.test"
        assert deliveries.send_test(endpoint, actor=admin) != first

    def test_old_deliveries_are_deleted_with_their_events(self, study, endpoint, receiver):
        old, waiting = happened(study) + happened(study)
        attempt(old)
        long_ago = timezone.now() - deliveries.KEPT - timedelta(minutes=1)
        Event.objects.update(occurred_at=long_ago)
        Delivery.objects.filter(pk=old.pk).update(finished_at=long_ago)
        assert deliveries.delete_old() == 1
        assert list(Delivery.objects.all()) == [waiting]
        assert list(Event.objects.all()) == [waiting.event]


# --- Workers that are killed, and two at once ---------------------------------------------------------------------

WORKER = """
import sys
import django
django.setup()
from webhooks import deliveries
deliveries.run(int(sys.argv[1]))
"""


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_in_the_middle_sends_it_again_with_the_same_id(study, endpoint, receiver):
    receiver.respond(hang(receiver), status(204))
    [delivery] = happened(study)
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(delivery.pk)],
        env=environment() | {"WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8"},
        cwd=configured.BASE_DIR,
    )
    try:
        assert_soon(lambda: receiver.got)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
            assert cursor.fetchone() == (0,)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("running", 0)
    deliveries.run(delivery.pk)  # nobody else gets it while its worker may still live
    assert len(receiver.got) == 1
    Delivery.objects.update(heartbeat_at=timezone.now() - POLICY.abandoned_after)
    empty("default")
    engine.sweep(POLICY)
    assert queued_ids("default") == [delivery.pk]
    deliveries.run(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.fence) == ("done", 2)
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(first.body) == json.loads(second.body)


def assert_soon(is_so, within_s=60):
    deadline = timezone.now() + timedelta(seconds=within_s)
    while not is_so():
        assert timezone.now() < deadline


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_at_once_one_sends(study, endpoint, receiver):
    [delivery] = happened(study)
    at_once(*[lambda: deliveries.run(delivery.pk)] * 3)
    assert len(receiver.got) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("done", 1)


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_is_deleted_while_an_event_is_written_stops_nothing(study, admin, endpoint):
    results = at_once(lambda: happened(study), lambda: endpoints.delete(endpoint, actor=admin))
    assert [one for one in results if isinstance(one, Exception)] == []
    assert (Endpoint.objects.count(), Delivery.objects.count()) == (0, 0)
