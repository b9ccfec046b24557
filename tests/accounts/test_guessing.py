"""Guessing passwords: after ten wrong ones a user name waits, from there alone."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

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


def test_what_was_typed_as_a_password_is_not_kept(person):
    sign_in(person, "my-other-secret")
    row = AccessAttempt.objects.get()
    assert "my-other-secret" not in f"{row.post_data}{row.get_data}"
