"""The second factor: setting it up, entering it, losing it."""

import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor
from accounts.models import AuditEvent
from tests import factories

pytestmark = pytest.mark.django_db

GIVE, NEW = reverse("accounts:second_factor"), reverse("accounts:second_factor_new")


@pytest.fixture
def person() -> Any:
    return factories.person()


@pytest.fixture
def client(person: Any) -> Client:
    signed_in = Client()
    signed_in.force_login(person)
    return signed_in


def app(person: Any, steps: int = 0) -> str:
    """Return the code that the person's app shows, so many steps of 30 seconds from now."""
    device = TOTPDevice.objects.filter(user=person).latest("pk")
    return f"{totp(device.bin_key, t0=-30 * steps):06d}"


def wrong(person: Any) -> str:
    """Return six digits that the app shows neither now nor just before or after."""
    near = {app(person, steps) for steps in (-1, 0, 1)}
    return next(code for code in ("111111", "222222", "333333", "444444") if code not in near)


def set_up(client: Client, person: Any) -> list[str]:
    """Set up the second factor as a person does. Return the backup codes."""
    client.get(NEW)
    response = client.post(NEW, {"code": app(person)})
    assert response.status_code == 200
    return response.context["codes"]


def given(client: Client, seconds: int = 600) -> bool:
    request = client.get("/").wsgi_request
    return second_factor.given_within(request, seconds)


def unlock(person: Any) -> None:
    """Make the waiting time after a wrong code end."""
    for kind in (TOTPDevice, StaticDevice):
        kind.objects.filter(user=person).update(throttling_failure_timestamp=None, throttling_failure_count=0)


def test_it_is_set_up_with_the_first_code_of_the_app(client, person):
    page = client.get(NEW)
    assert second_factor.secret(TOTPDevice.objects.get()) in page.content.decode()
    assert not second_factor.has_one(person)

    codes = set_up(client, person)

    assert second_factor.has_one(person)
    assert len(set(codes)) == second_factor.BACKUP_CODES
    assert given(client)
    assert AuditEvent.objects.filter(action="second_factor.set_up", actor=person).count() == 1


def test_a_wrong_first_code_sets_nothing_up(client, person):
    client.get(NEW)
    response = client.post(NEW, {"code": wrong(person)})
    assert "not" in response.context["error"]
    assert not second_factor.has_one(person)


def test_the_picture_shows_the_secret_to_its_person_alone(client, person):
    client.get(NEW)
    picture = client.get(reverse("accounts:second_factor_picture"))
    assert picture["Content-Type"] == "image/svg+xml"
    assert "no-store" in picture["Cache-Control"]
    assert picture.content.startswith(b"<svg")
    assert b"style=" not in picture.content
    assert Client().get(reverse("accounts:second_factor_picture")).status_code == 302


def test_a_code_of_the_app_leads_back_to_what_asked_for_it(client, person):
    set_up(client, person)
    again = Client()
    again.force_login(person)
    assert not given(again)
    response = again.post(GIVE, {"code": f" {app(person, 1)} ", "next": "/safety/"})
    assert (response.status_code, response.url) == (302, "/safety/")
    assert given(again)


def test_it_never_leads_to_another_site(client, person):
    set_up(client, person)
    response = client.post(GIVE, {"code": app(person, 1), "next": "https://elsewhere.example/"})
    assert response.url == "/"


def test_a_code_is_good_once(client, person):
    set_up(client, person)
    unlock(person)
    response = client.post(GIVE, {"code": app(person)})
    assert response.status_code == 200
    assert response.context["error"]


def test_a_backup_code_is_good_once(client, person):
    code = set_up(client, person)[0]
    assert client.post(GIVE, {"code": code.upper()}).status_code == 302
    assert client.post(GIVE, {"code": code}).status_code == 200
    assert StaticToken.objects.count() == second_factor.BACKUP_CODES - 1


def test_wrong_codes_are_slowed_down_and_the_right_one_must_wait_too(client, person):
    set_up(client, person)
    for _ in range(4):
        unlocked = TOTPDevice.objects.filter(user=person)
        unlocked.update(throttling_failure_timestamp=None)  # as if the person had waited each time
        client.post(GIVE, {"code": wrong(person)})
    response = client.post(GIVE, {"code": app(person, 1)})
    assert response.status_code == 200
    assert "seconds" in response.context["error"]
    assert AuditEvent.objects.filter(action="second_factor.refused").count() == 5


def test_what_was_given_grows_old(client, person):
    set_up(client, person)
    session = client.session
    session[second_factor.SESSION_KEY] |= {"at": time.time() - 601}
    session.save()
    assert not given(client, seconds=600)
    assert given(client, seconds=3600)


def test_replacing_it_takes_a_code_of_the_present_one(client, person):
    set_up(client, person)
    stolen = Client()
    stolen.force_login(person)
    for address in (NEW, reverse("accounts:second_factor_picture")):
        assert stolen.get(address).url.startswith(GIVE)
    assert stolen.post(NEW, {"code": "123456"}).url.startswith(GIVE)
    assert stolen.post(reverse("accounts:second_factor_backup_codes")).url.startswith(GIVE)
    assert TOTPDevice.objects.count() == 1


def test_another_app_takes_the_place_of_the_first_and_of_what_was_given_with_it(client, person):
    old = set_up(client, person)
    elsewhere = Client()
    elsewhere.force_login(person)
    elsewhere.post(GIVE, {"code": old[0]})
    new = set_up(client, person)
    assert TOTPDevice.objects.filter(user=person).count() == 1
    assert set(old).isdisjoint(new)
    assert client.post(GIVE, {"code": old[1]}).status_code == 200


def test_new_backup_codes_make_the_old_ones_void(client, person):
    old = set_up(client, person)
    response = client.post(reverse("accounts:second_factor_backup_codes"))
    assert set(old).isdisjoint(response.context["codes"])
    assert set(StaticToken.objects.values_list("token", flat=True)) == set(response.context["codes"])


def test_an_operator_takes_a_lost_one_away_and_open_sessions_end(client, person):
    set_up(client, person)
    call_command("remove_second_factor", person.username)
    assert not second_factor.has_one(person)
    assert not given(client)
    assert client.get(GIVE).url.startswith(NEW)
    assert AuditEvent.objects.filter(action="second_factor.removed").count() == 1


def test_nobody_is_not_somebody(db):
    with pytest.raises(CommandError, match="no user called"):
        call_command("remove_second_factor", "nobody-such")
