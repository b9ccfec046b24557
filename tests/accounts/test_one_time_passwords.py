"""One-time passwords have a cheap hash until the first sign-in. No other password ever has one."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth.hashers import get_hasher, identify_hasher, make_password
from django.urls import reverse

from accounts.models import User
from accounts.one_time_hasher import OneTimePasswordHasher
from accounts.people import create_person, new_password, reset_password
from tests import factories

pytestmark = pytest.mark.django_db

CHEAP = OneTimePasswordHasher.algorithm
ARGON2 = "django.contrib.auth.hashers.Argon2PasswordHasher"


def algorithm(person):
    return identify_hasher(User.objects.get(pk=person.pk).password).algorithm


@pytest.fixture(params=["as tests have it", "as production has it"])
def _hashers(request, settings):
    if request.param == "as production has it":
        settings.PASSWORD_HASHERS = [ARGON2, *settings.PASSWORD_HASHERS[1:]]


@pytest.mark.usefixtures("_hashers")
def test_the_first_sign_in_replaces_the_cheap_hash_and_keeps_the_rest(client):
    password = new_password()
    person = create_person("kim", password)
    assert algorithm(person) == CHEAP
    assert not factories.signs_in(client, "kim", "wrong")
    assert algorithm(person) == CHEAP
    assert factories.signs_in(client, "kim", password.text)
    assert algorithm(person) == get_hasher("default").algorithm
    # The session of the sign-in continues, on the page where the person chooses a password.
    assert client.get("/").headers["Location"] == reverse("accounts:password")
    chosen = {"old_password": password.text, "new_password1": "chosen by kim 5", "new_password2": "chosen by kim 5"}
    assert client.post(reverse("accounts:password"), chosen).status_code == 302
    assert algorithm(person) == get_hasher("default").algorithm
    assert client.get("/").status_code == 200


def test_somebody_who_must_wait_does_not_get_through_with_it(client):
    password = new_password()
    person = create_person("kim", password)
    for _ in range(10):
        client.post(reverse("accounts:sign_in"), {"username": "kim", "password": "wrong"})
    assert not factories.signs_in(client, "kim", password.text)
    assert algorithm(person) == CHEAP


@pytest.mark.parametrize("text", ["chosen by kim", "", "abcd-efgh", "abcd-abcd-abcd-abcd ", "ABCD-ABCD-ABCD-ABCD"])
def test_no_password_of_another_form_gets_a_cheap_hash(text):
    with pytest.raises(ValueError, match="Only one-time passwords"):
        make_password(text, hasher=CHEAP)


def test_a_password_that_somebody_chooses_has_the_slow_hash_whatever_its_form():
    person = factories.person()
    person.set_password(new_password().text)
    assert not person.password.startswith(CHEAP)


def test_production_hashes_chosen_passwords_with_argon2():
    told = "from django.conf import settings; print(settings.PASSWORD_HASHERS[0])"
    environment = os.environ | {"DIPTYCH_MODE": "demo"}
    found = subprocess.run(
        [sys.executable, "-c", f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'diptych.settings'; {told}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "argon2" in found.stdout.lower()


def test_a_wrong_password_costs_the_slow_hash_too(monkeypatch):
    """Otherwise the time of a refusal would reveal which accounts have a one-time password."""
    asked = []
    slow = get_hasher("default")
    monkeypatch.setattr(type(slow), "encode", lambda _self, password, _salt: asked.append(password) or "")
    person = create_person("kim", new_password())
    for wrong in ("wrong", new_password().text):
        assert not person.check_password(wrong)
    assert len(asked) == 2


def test_a_reset_at_the_moment_of_the_first_sign_in_stays():
    """The upgrade of the old hash must not restore the old password."""
    old, new = new_password(), new_password()
    person = create_person("kim", old)
    seen_before = User.objects.get(pk=person.pk)
    reset_password(person, new)
    seen_before.check_password(old.text)
    after = User.objects.get(pk=person.pk)
    assert (after.check_password(old.text), after.check_password(new.text)) == (False, True)
