"""Guessing passwords: after ten wrong ones a user name must wait, but only at that address."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import guessing
from tests import factories

pytestmark = pytest.mark.django_db

SIGN_IN, IN_PLACE = reverse("accounts:sign_in"), reverse("accounts:sign_in_in_place")
RIGHT = "a password of its own"


@pytest.fixture
def person() -> Any:
    return factories.person()


def sign_in(person: Any, password: str, where: str = SIGN_IN, address: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=address).post(where, {"username": person.username, "password": password})


def guess(person: Any, times: int) -> Any:
    for _ in range(times):
        response = sign_in(person, "a guess")
    return response


def test_ten_wrong_passwords_make_the_right_one_wait_and_the_page_says_so(person):
    assert "Too many" not in guess(person, 9).content.decode()
    assert "Too many wrong passwords. Wait 15 minutes" in guess(person, 1).content.decode()
    response = sign_in(person, RIGHT)
    assert response.status_code == 200
    assert "Too many wrong passwords" in response.content.decode()


@pytest.mark.long
def test_signing_in_in_place_counts_and_waits_too(person):
    guess(person, 10)
    response = sign_in(person, RIGHT, IN_PLACE)
    assert response.status_code == 400
    assert "Too many wrong passwords" in response.json()["detail"]


def test_others_and_other_places_do_not_wait(person):
    guess(person, 10)
    assert sign_in(factories.person(), RIGHT).status_code == 302
    assert sign_in(person, RIGHT, address="192.0.2.2").status_code == 302


def test_after_the_wait_the_right_one_is_taken_and_the_count_begins_anew(person):
    guess(person, 10)
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    assert sign_in(person, RIGHT).status_code == 302
    assert not AccessAttempt.objects.exists()


def invent(times: int, address: str = "192.0.2.1") -> Any:
    client = Client(REMOTE_ADDR=address)
    for number in range(times):
        response = client.post(SIGN_IN, {"username": f"invented-{number}", "password": "a guess"})
    return response


@pytest.fixture
def low_limit(monkeypatch):
    monkeypatch.setattr(guessing, "MOST_FAILURES", 12)


def test_many_failures_under_invented_names_make_their_address_wait(person, low_limit):
    assert invent(12).status_code == 200
    response = invent(1)
    assert response.status_code == 429
    assert "Too many wrong passwords came from your network" in response.content.decode()
    assert 0 < int(response["Retry-After"]) <= 900
    assert sign_in(person, RIGHT).status_code == 429
    assert sign_in(person, RIGHT, IN_PLACE).json()["code"] == "too_many_failures"
    assert sign_in(person, RIGHT, address="192.0.2.2").status_code == 302


def test_a_browser_that_signed_in_before_need_not_wait(person, low_limit):
    browser = Client(REMOTE_ADDR="192.0.2.1")
    body = {"username": person.username, "password": RIGHT}
    assert browser.post(SIGN_IN, body).status_code == 302
    browser.post(reverse("accounts:sign_out"))
    invent(13)
    assert browser.post(SIGN_IN, body).status_code == 302
    other = {"username": factories.person().username, "password": RIGHT}
    browser.post(reverse("accounts:sign_out"))
    assert browser.post(SIGN_IN, other).status_code == 429


@pytest.mark.long
def test_a_whole_office_signs_in_from_one_address_mistypes_and_is_never_stopped(low_limit):
    for _ in range(30):
        one = factories.person()
        assert sign_in(one, "mistyped").status_code == 200
        assert sign_in(one, RIGHT).status_code == 302


@pytest.mark.long
def test_the_address_is_open_again_after_the_wait(person, low_limit):
    invent(13)
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    assert sign_in(person, RIGHT).status_code == 302


def test_what_was_typed_as_a_password_is_not_kept(person):
    sign_in(person, "my-other-secret")
    row = AccessAttempt.objects.get()
    assert "my-other-secret" not in f"{row.post_data}{row.get_data}"
