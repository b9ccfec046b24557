"""What people enter for an endpoint, and how two of them at once are kept apart."""

import pytest

from accounts.models import AuditEvent
from diptych.refusals import BadInput, Refused
from studies import deletion
from tests import factories
from tests.annotation.test_concurrency import at_once
from webhooks import endpoints, event_types
from webhooks.models import Endpoint, Secret

pytestmark = pytest.mark.django_db

ADDRESS = "https://hooks.example.org:8443/a?b=c"


def made(study, actor, address=ADDRESS, events=("lot.accepted",)):
    return endpoints.create(study, address=address, events=events, actor=actor)


def test_an_endpoint_has_a_secret_that_is_never_in_the_audit_record(study, admin):
    endpoint, secret = made(study, admin, events=["release.ready", "lot.accepted", "release.ready"])
    new = endpoints.replace_secret(endpoint, actor=admin)
    assert secret.startswith("whsec_")
    assert len(secret) > 40
    assert secret != new
    endpoint.refresh_from_db()
    assert endpoint.events == ["lot.accepted", "release.ready"]
    written = str(list(AuditEvent.objects.values_list("before", "after")))
    assert ADDRESS in written
    assert secret not in written
    assert new not in written


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Enter an address"),
        ("https://example.org/" + "a" * 2000, "Enter an address"),
        ("example.org", "whole address"),
        ("ftp://example.org/", "whole address"),
        ("javascript:alert(1)", "whole address"),
        ("https:///path", "whole address"),
        ("https://example.org:0/", "whole address"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://例子.org/", "xn--"),
        ("https://example.org/a b", "without spaces"),
        ("https://example.org\\@10.0.0.1/", "without spaces"),
        ("https://me:secret@example.org/", "user name"),
        ("https://example.org/#part", "#"),
        ("http://example.org/", "https://"),
        ("https://127.0.0.1/", "this network"),
        ("https://10.1.2.3:8080/", "this network"),
        ("https://[::1]/", "this network"),
        ("https://[::ffff:192.168.0.1]/", "this network"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(study, admin, address, said):
    with pytest.raises(BadInput, match=said) as refused:
        made(study, admin, address)
    assert refused.value.field == "address"
    assert Endpoint.objects.count() == 0


def test_allowed_networks_are_reached_without_tls(study, admin, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["10.20.0.0/16"]
    made(study, admin, "http://10.20.1.1:8080/")
    made(study, admin, "http://inside.example.org/")
    for outside in ("http://10.21.1.1/", "http://1.1.1.1/"):
        with pytest.raises(BadInput, match="this network"):
            made(study, admin, outside)


@pytest.mark.parametrize(("events", "said"), [([], "at least one"), (["lot.eaten"], "Choose among: ")])
def test_events_that_cannot_be_chosen_are_refused(study, admin, events, said):
    with pytest.raises(BadInput, match=said) as refused:
        made(study, admin, events=events)
    assert refused.value.field == "events"


def test_the_test_event_is_none_that_can_be_chosen(study, admin):
    assert "webhook.test" not in event_types.choices()
    with pytest.raises(BadInput):
        made(study, admin, events=["webhook.test"])


def test_an_address_is_used_once_a_study(study, admin):
    made(study, admin)
    other, _secret = made(study, admin, "https://other.example.org/")
    made(factories.study(), admin)
    with pytest.raises(Refused, match="already has") as refused:
        made(study, admin)
    assert refused.value.code == "address_exists"
    with pytest.raises(Refused, match="already has"):
        endpoints.change(other, address=ADDRESS, actor=admin)


def test_a_change_is_recorded_once(study, admin):
    endpoint, _secret = made(study, admin)
    assert endpoints.change(endpoint, address="https://new.example.org/", events=["lot.returned"], actor=admin)
    assert not endpoints.change(endpoint, address="https://new.example.org/", events=["lot.returned"], actor=admin)
    [event] = AuditEvent.objects.filter(action="webhook.changed")
    assert event.before == {"address": ADDRESS, "events": ["lot.accepted"]}


def test_a_deleted_endpoint_is_gone(study, admin):
    endpoint, _secret = made(study, admin)
    assert endpoints.delete(endpoint, actor=admin)
    assert not endpoints.delete(endpoint, actor=admin)
    assert Secret.objects.count() == 0
    with pytest.raises(Refused, match="deleted"):
        endpoints.replace_secret(endpoint, actor=admin)


def test_a_study_is_deleted_with_its_webhooks(study, admin):
    made(study, admin)
    assert deletion.parts["webhooks"](study) == 2
    assert set(deletion.parts) <= set(deletion.ORDER)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_twenty_are_made(study, admin):
    for number in range(endpoints.MOST_ENDPOINTS - 1):
        made(study, admin, f"https://example.org/{number}")
    results = at_once(*(lambda n=n: made(study, admin, f"https://example.org/more/{n}") for n in range(3)))
    assert sorted(one.code for one in results if isinstance(one, Refused)) == ["too_many", "too_many"]
    assert Endpoint.objects.count() == endpoints.MOST_ENDPOINTS
