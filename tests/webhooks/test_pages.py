"""Settings pages of webhooks, and the same by the API."""

import pytest
from django.urls import reverse
from django.utils import timezone

from tests import factories
from tests.media.workers import empty, queued_ids
from webhooks import deliveries, endpoints
from webhooks.models import Delivery, Endpoint, Secret

pytestmark = pytest.mark.django_db

GIVEN = {"address": "https://example.org/hooks", "events": ["lot.accepted", "release.ready"]}


def address(name, study, *arguments):
    return reverse(f"webhooks:{name}", args=[study.slug, *arguments])


@pytest.fixture
def client(browser_client, admin):
    return browser_client(admin)


class TestPages:
    def test_the_secret_is_shown_once(self, client, study):
        made = client.post(address("endpoints", study), GIVEN)
        secret = Secret.objects.get().text
        assert secret in made.content.decode()
        endpoint = Endpoint.objects.get()
        for page in (address("endpoints", study), address("endpoint", study, endpoint.pk)):
            shown = client.get(page).content.decode()
            assert GIVEN["address"] in shown
            assert secret not in shown

    def test_what_was_typed_stays_beside_what_is_wrong(self, client, study):
        response = client.post(address("endpoints", study), GIVEN | {"address": "http://10.0.0.1/hooks"})
        page = response.content.decode()
        assert response.status_code == 400
        assert "http://10.0.0.1/hooks" in page
        assert "https://" in page
        assert page.count("checked") == 2
        assert client.post(address("endpoints", study), {"address": ""}).status_code == 400
        assert Endpoint.objects.count() == 0

    def test_an_endpoint_is_changed_and_sent_a_test_event(self, client, study, django_capture_on_commit_callbacks):
        endpoint = factories.endpoint(study)
        page = address("endpoint", study, endpoint.pk)
        saved = client.post(page, GIVEN | {"events": ["lot.reopened"]}, follow=True)
        assert "Saved." in saved.content.decode()
        endpoint.refresh_from_db()
        assert (endpoint.address, endpoint.events) == (GIVEN["address"], ["lot.reopened"])
        empty("default")
        with django_capture_on_commit_callbacks(execute=True):
            sent = client.post(address("test_endpoint", study, endpoint.pk), follow=True)
        assert "is being sent" in sent.content.decode()
        assert queued_ids("default") == [Delivery.objects.get().pk]

    def test_deliveries_say_what_the_receiver_responded(self, client, study):
        endpoint = factories.endpoint(study)
        factories.delivery(
            endpoint,
            reason="No.",
            pauses=1,
            tries=3,
            tried_at=timezone.now(),
            took_ms=1234,
            problem="status",
            response_status=502,
            excerpt="<b>Bad gateway</b>",
            wait_until=timezone.now(),
        )
        page = client.get(address("endpoint", study, endpoint.pk)).content.decode()
        for said in ("waiting", "502", "did not confirm", "&lt;b&gt;Bad gateway", "1,234", "next attempt after"):
            assert said in page

    def test_earlier_attempts_say_what_the_receiver_responded(self, client, api, admin, study):
        endpoint, now = factories.endpoint(study), timezone.now()
        first = {"tried_at": now.isoformat(), "took_ms": 15_000, "problem": "too_slow"}
        second = {"tried_at": now.isoformat(), "took_ms": 7, "problem": "status"}
        none = {"response_status": None, "excerpt": ""}
        earlier = [first | none, second | {"response_status": 404, "excerpt": "<i>Where?</i>"}]
        factories.delivery(endpoint, tries=3, tried_at=now, response_status=200, took_ms=84, earlier=earlier)
        page = client.get(address("endpoint", study, endpoint.pk)).content.decode()
        for said in (
            "2 earlier attempts",
            "15,000 ms",
            "did not respond within 15",
            "404",
            "&lt;i&gt;Where?&lt;/i&gt;",
        ):
            assert said in page
        body = api(admin).get(f"/api/v1/webhooks/{endpoint.pk}/deliveries/").json()
        [shown] = body["deliveries"]
        assert [(one["problem"], one["response_status"]) for one in shown["earlier"]] == [
            ("status", 404),
            ("too_slow", None),
        ]

    def test_an_ended_delivery_is_sent_again(self, client, study):
        endpoint = factories.endpoint(study)
        delivery = factories.delivery(endpoint, state="done", finished_at=timezone.now(), tries=1)
        for said in ("is being sent again", "already being sent"):
            response = client.post(address("send_again", study, delivery.pk), follow=True)
            assert said in response.content.decode()
        assert Delivery.objects.get().state == "waiting"

    def test_off_says_why_and_on_again(self, client, study):
        endpoint = factories.endpoint(study, off_at=timezone.now(), off_because="gone")
        factories.delivery(endpoint, state="done", finished_at=timezone.now())
        page = client.get(address("endpoint", study, endpoint.pk)).content.decode()
        assert "no longer exists (410)" in page
        assert "Send again" not in page
        assert "was turned off" in client.get(reverse("studies:state", args=[study.slug])).content.decode()
        client.post(address("switch_endpoint", study, endpoint.pk), {"to": "on"})
        assert Endpoint.objects.get().is_on
        client.post(address("switch_endpoint", study, endpoint.pk), {"to": "off"})
        assert Endpoint.objects.get().off_because == "admin"

    def test_a_refusal_leads_back_to_the_endpoint(self, client, study):
        endpoint = factories.endpoint(study, off_at=timezone.now(), off_because="admin")
        delivery = factories.delivery(endpoint, state="done", finished_at=timezone.now())
        for name, key in (("test_endpoint", endpoint.pk), ("send_again", delivery.pk)):
            page = client.post(address(name, study, key), follow=True).content.decode()
            assert "Turn it on first" in page

    def test_secrets_are_replaced_and_ended(self, client, study):
        endpoint = factories.endpoint(study)
        page = client.post(address("replace_secret", study, endpoint.pk)).content.decode()
        assert Secret.objects.get(valid_until=None).text in page
        assert "signed with the earlier secret too" in page
        client.post(address("end_old_secrets", study, endpoint.pk))
        assert Secret.objects.count() == 1
        for _ in range(endpoints.MOST_SECRETS):
            last = client.post(address("replace_secret", study, endpoint.pk), follow=True)
        assert "too often" in last.content.decode()

    def test_deleting_asks_first(self, client, study):
        endpoint = factories.endpoint(study)
        factories.delivery(endpoint)
        page = address("delete_endpoint", study, endpoint.pk)
        assert "cannot be undone" in client.get(page).content.decode()
        assert Endpoint.objects.exists()
        client.post(page)
        assert not Endpoint.objects.exists()
        assert client.get(page).status_code == 404

    def test_a_long_list_has_pages(self, client, study):
        endpoint = factories.endpoint(study)
        made = [factories.delivery(endpoint) for _ in range(51)]
        first = client.get(address("endpoint", study, endpoint.pk))
        assert [row.pk for row in first.context["page"].rows] == [row.pk for row in reversed(made[1:])]
        after = client.get(address("endpoint", study, endpoint.pk), {"after": made[1].pk})
        assert [row.pk for row in after.context["page"].rows] == [made[0].pk]
        assert client.get(address("endpoint", study, endpoint.pk), {"after": "x"}).status_code == 404

    def test_an_endpoint_of_another_study_is_not_there(self, client, study):
        foreign = factories.endpoint(factories.study())
        assert client.get(address("endpoint", study, foreign.pk)).status_code == 404
        assert client.post(address("send_again", study, factories.delivery(foreign).pk)).status_code == 404


class TestApi:
    @pytest.fixture
    def client(self, api, admin):
        return api(admin)

    def test_an_endpoint_from_its_creation_to_its_end(self, client, study):
        listed = f"/api/v1/studies/{study.slug}/webhooks/"
        made = client.post(listed, GIVEN, format="json")
        assert made.status_code == 201
        assert made.json()["secret"] == Secret.objects.get().text
        one = f"/api/v1/webhooks/{made.json()['id']}/"
        assert "secret" not in client.get(one).json()
        assert [row["address"] for row in client.get(listed).json()["endpoints"]] == [GIVEN["address"]]
        types = {row["type"]: row["example"] for row in client.get(listed).json()["types"]}
        assert types["lot.accepted"].keys() == {"study", "lot"}
        changed = client.patch(one, {"events": ["lot.returned"], "on": False}, format="json").json()
        assert (changed["events"], changed["on"], changed["off_because"]) == (["lot.returned"], False, "admin")
        assert client.patch(one, {"on": True}, format="json").json()["on"] is True
        new = client.post(f"{one}secret/").json()
        assert new["secret"] == Secret.objects.get(valid_until=None).text
        assert client.get(one).json()["old_secrets_until"] == new["old_secrets_until"]
        assert client.delete(f"{one}old-secrets/").status_code == 204
        assert client.get(one).json()["old_secrets_until"] is None
        assert client.delete(one).status_code == 204
        assert client.get(one).status_code == 404

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"events": ["lot.accepted"]}, 400, "invalid"),
            (GIVEN | {"address": "https://10.0.0.1/"}, 400, "invalid"),
            (GIVEN | {"events": ["lot.eaten"]}, 400, "invalid"),
            (GIVEN | {"events": []}, 400, "invalid"),
            (GIVEN | {"address": "https://taken.example.org/"}, 409, "address_exists"),
        ],
    )
    def test_refusals(self, client, study, body, status, code):
        factories.endpoint(study, address="https://taken.example.org/")
        response = client.post(f"/api/v1/studies/{study.slug}/webhooks/", body, format="json")
        assert (response.status_code, response.json()["code"]) == (status, code)

    def test_deliveries_are_listed_tested_and_sent_again(self, client, study, admin):
        endpoint = factories.endpoint(study)
        one = f"/api/v1/webhooks/{endpoint.pk}/"
        tested = client.post(f"{one}test/")
        assert (tested.status_code, tested.json()["type"], tested.json()["state"]) == (202, "webhook.test", "waiting")
        assert client.post(f"{one}test/").json()["id"] == tested.json()["id"]
        Delivery.objects.update(state="done", finished_at=timezone.now())
        again = f"/api/v1/webhooks/deliveries/{tested.json()['id']}/again/"
        assert client.post(again).json()["state"] == "waiting"
        factories.delivery(endpoint)
        rows = client.get(f"{one}deliveries/").json()["deliveries"]
        assert [row["type"] for row in rows] == ["lot.accepted", "webhook.test"]
        assert rows[1]["webhook_id"] == deliveries.Event.objects.earliest("pk").message_id
        before = client.get(f"{one}deliveries/", {"before": rows[0]["id"]}).json()
        assert [row["id"] for row in before["deliveries"]] == [rows[1]["id"]]
        client.patch(one, {"on": False}, format="json")
        for refused in (f"{one}test/", again):
            response = client.post(refused)
            assert (response.status_code, response.json()["code"]) == (409, "endpoint_off")

    def test_too_many_secrets_are_refused(self, client, study):
        endpoint = factories.endpoint(study)
        codes = [client.post(f"/api/v1/webhooks/{endpoint.pk}/secret/").status_code for _ in range(5)]
        assert codes == [200] * 4 + [409]
