"""Password hashes take turns: a process computes one at a time, and no request waits for its turn."""

import threading
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client
from django.urls import reverse

from accounts import hashing
from tests import factories

pytestmark = pytest.mark.django_db

RIGHT = "a password of its own"
SIGN_IN, IN_PLACE = reverse("accounts:sign_in"), reverse("accounts:sign_in_in_place")


@pytest.fixture(autouse=True)
def _real_hasher(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["accounts.hashing.Argon2Hasher"]


@pytest.fixture
def busy():
    """Let another thread of this process hash a password until the test ends."""
    begun, done = threading.Event(), threading.Event()

    def hash_something():
        hashing.in_request.set(True)
        with hashing.turn():
            begun.set()
            done.wait(60)

    other = threading.Thread(target=hash_something)
    other.start()
    begun.wait(60)
    yield
    done.set()
    other.join()


@pytest.fixture
def person():
    return factories.person()


def sign_in(person, where=SIGN_IN, client=None, **headers):
    return (client or Client()).post(where, {"username": person.username, "password": RIGHT}, **headers)


@pytest.mark.long
def test_a_sign_in_meanwhile_is_put_off_at_once_with_the_user_name_kept(person, busy):
    response = sign_in(person)
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 3
    page = response.content.decode()
    assert f'value="{person.username}"' in page
    assert RIGHT not in page
    assert "your password was not checked yet" in page


@pytest.mark.long
def test_so_is_one_with_an_invented_name(busy):
    assert Client().post(SIGN_IN, {"username": "nobody-at-all", "password": "x"}).status_code == 429


@pytest.mark.long
def test_signing_in_in_place_says_so_in_json(person, busy):
    response = sign_in(person, IN_PLACE)
    assert (response.status_code, response.json()["code"]) == (429, "busy")
    assert response["Retry-After"]


@pytest.mark.long
def test_so_does_changing_the_password_and_nothing_is_changed(person, busy, browser_client):
    client, before = browser_client(person), person.password
    body = {"old_password": RIGHT, "new_password1": "quite another one", "new_password2": "quite another one"}
    assert client.post(reverse("accounts:password"), body).status_code == 429
    person.refresh_from_db()
    assert person.password == before


@pytest.mark.long
def test_a_put_off_sign_in_counts_as_no_failure(person, busy):
    for _ in range(20):
        assert sign_in(person).status_code == 429
    assert not AccessAttempt.objects.exists()


@pytest.mark.long
def test_afterwards_the_same_form_signs_in(person):
    assert sign_in(person).status_code == 302


@pytest.mark.long
def test_the_script_is_told_where_to_go_and_gets_the_same_cookies(person):
    client = Client()
    response = sign_in(person, client=client, headers={"Accept": "application/json"})
    assert response.json() == {"next": "/"}
    assert client.get("/").status_code == 200


@pytest.mark.long
def test_changing_a_password_takes_one_turn_for_both_hashes(person, browser_client):
    client = browser_client(person)
    body = {"old_password": RIGHT, "new_password1": "quite another one", "new_password2": "quite another one"}
    assert client.post(reverse("accounts:password"), body).status_code == 302
    person.refresh_from_db()
    assert check_password("quite another one", person.password)


@pytest.mark.long
def test_commands_and_workers_hash_whatever_a_request_does(busy):
    assert check_password(RIGHT, make_password(RIGHT))
