"""Adding people to a study: numbered or from a list, with one-time passwords and tokens that are shown once."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.hashers import get_hasher
from django.contrib.auth.password_validation import validate_password
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AccessToken, AuditEvent, User
from accounts.people import new_password
from studies.models import Invitation, Membership
from studies.models.memberships import Role
from studies.people import CHUNK, TOKEN_SCOPES, add_numbered
from tests import factories

pytestmark = pytest.mark.django_db


def run(*arguments):
    """Return what the command prints on stdout and stderr, and the CommandError with which it ends, if any."""
    out, err = StringIO(), StringIO()
    try:
        call_command("add_people", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), error
    return out.getvalue(), err.getvalue(), None


def people(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def listed(tmp_path, study):
    """Run the command with a CSV file."""

    def run_with(text, *arguments):
        path = tmp_path / "people.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return run("--study", study.slug, "--csv", path, *arguments)

    return run_with


@pytest.mark.long
def test_numbered_people_can_sign_in_once_and_must_choose_a_password(study, client):
    out, _err, error = run("--study", study.slug, "--role", "annotator", "--count", 2)

    assert error is None
    first, second = people(out)
    assert (first["username"], second["username"]) == ("annotator-1", "annotator-2")
    assert (first["role"], first["study"], first["outcome"]) == ("annotator", study.slug, "created")
    assert factories.signs_in(client, "annotator-1", first["password"])
    assert User.objects.get(username="annotator-1").must_change_password is True
    assert client.get("/").headers["Location"] == reverse("accounts:password")


@pytest.mark.long
def test_numbering_goes_on_across_studies(study):
    run("--study", study.slug, "--role", "annotator", "--count", 2)
    other = factories.study()
    factories.person(username="annotator-x")
    out, _err, _error = run("--study", other.slug, "--role", "annotator", "--count", 1)
    assert people(out)[0]["username"] == "annotator-3"
    assert Membership.objects.filter(study=other).count() == 1


@pytest.mark.long
def test_prefix_names_people(study):
    out, _err, _error = run("--study", study.slug, "--role", "wellbeing_contact", "--count", 1, "--prefix", "so")
    assert people(out)[0]["username"] == "so-1"
    out, _err, _error = run("--study", study.slug, "--role", "wellbeing_contact", "--count", 1)
    assert people(out)[0]["username"] == "wellbeing-contact-1"


@pytest.mark.long
@pytest.mark.parametrize("role", Role.values)
def test_token_works_with_the_scopes_of_the_role_until_it_expires(study, role):
    out, _err, _error = run("--study", study.slug, "--role", role, "--count", 1)
    (person,) = people(out)
    row = AccessToken.objects.get(user__username=person["username"])
    assert tuple(row.scopes) == TOKEN_SCOPES[role]
    assert datetime.fromisoformat(person["expires"]) == row.expiry
    assert timezone.now() + timedelta(days=89) < row.expiry
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {person['token']}")
    assert api.get("/api/v1/studies/").status_code == 200


@pytest.mark.long
def test_neither_password_nor_token_is_in_the_database(study):
    out, _err, _error = run("--study", study.slug, "--role", "annotator", "--count", 1)
    (person,) = people(out)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            written = " ".join(row for (row,) in cursor.fetchall())
            assert person["token"] not in written, table
            assert person["password"] not in written, table


@pytest.mark.long
def test_passwords_are_long_readable_and_good_enough():
    passwords = {new_password().text for _ in range(50)}
    assert len(passwords) == 50
    for text in passwords:
        assert re.fullmatch(r"([a-hjkmnp-z]{4}-){3}[a-hjkmnp-z]{4}", text)  # 16 letters of 23: 72 bits
        validate_password(text)


@pytest.mark.long
def test_every_change_is_in_the_audit_record(study):
    run("--study", study.slug, "--role", "annotator", "--count", 1)
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["user.created", "membership.granted", "token.issued"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--role", "annotator", "--count", 0], "It must be 1 to 10000"),
        (["--role", "annotator", "--count", 10_001], "It must be 1 to 10000"),
        (["--role", "king", "--count", 1], "There is no role 'king'. The roles are annotator, reviewer"),
        (["--count", 1], "There is no role ''"),
        (["--role", "annotator", "--count", 1, "--prefix", "a b"], "a b-1 cannot be added"),
        (["--role", "annotator", "--csv", "/nothing.csv"], "cannot be read: No such file"),
    ],
)
def test_wrong_options_are_said_in_a_sentence(study, arguments, sentence):
    out, _err, error = run("--study", study.slug, *arguments)
    assert (out, error.returncode) == ("", 2)
    assert sentence in str(error)
    assert not User.objects.exists()


@pytest.mark.long
def test_unknown_study():
    _out, _err, error = run("--study", "nothing", "--role", "annotator", "--count", 1)
    assert (error.returncode, str(error)) == (
        2,
        "There is no study 'nothing'. Check the name; import_study --create makes one.",
    )


@pytest.mark.long
def test_csv_gives_names_addresses_and_roles(study, listed):
    out, _err, error = listed(
        "\ufeffusername, email ,role\nkim,kim@example.org,reviewer\n\nli,,\n", "--role", "annotator"
    )
    assert error is None
    assert [(one["username"], one["role"]) for one in people(out)] == [("kim", "reviewer"), ("li", "annotator")]
    assert User.objects.get(username="kim").email == "kim@example.org"
    assert set(Membership.objects.filter(study=study).values_list("person__username", "role")) == {
        ("kim", "reviewer"), ("li", "annotator"),
    }  # fmt: skip


@pytest.mark.long
def test_somebody_with_an_account_is_invited_and_keeps_the_password(study, listed):
    kim = factories.person(username="kim")
    for outcome in ("invited", "unchanged"):
        out, _err, _error = listed("username\nkim\n", "--role", "reviewer")
        assert people(out) == [
            {"username": "kim", "outcome": outcome, "password": None, "token": None, "role": "reviewer",
             "study": study.slug, "expires": None},
        ]  # fmt: skip
    assert not Membership.objects.exists()
    assert Invitation.objects.get(person=kim).role == "reviewer"
    assert User.objects.get(username="kim").password == kim.password
    assert not AccessToken.objects.exists()


@pytest.mark.long
def test_one_person_in_two_roles(listed):
    out, _err, _error = listed("username,role\nkim,reviewer\nkim,researcher\n")
    assert [(one["role"], one["outcome"]) for one in people(out)] == [
        ("reviewer", "created"),
        ("researcher", "granted"),
    ]
    assert Membership.objects.get(made_account=True).role == "reviewer"


@pytest.mark.long
def test_bad_lines_of_a_csv_are_all_named_and_nobody_is_added(listed):
    lines = "ok,,annotator not!ok,,annotator ,,annotator x,nowhere,annotator y,,king ok,,annotator z,,annotator,more"
    text = "\n".join(["username,email,role", *lines.split()])
    out, err, error = listed(text)
    assert (out, error.returncode, str(error)) == (
        "", 1, "Nobody was added: 6 bad lines. Correct them and run this again.",
    )  # fmt: skip
    said = [line.split("people.csv, ")[1] for line in err.splitlines()]
    assert [line.split(":")[0] for line in said] == [f"line {number}" for number in (3, 4, 5, 6, 7, 8)]
    assert "line 7: username: ok is also in line 2" in said
    assert not User.objects.exists()
    assert len(json.loads(listed(text, "--json")[0])["bad"]) == 6


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,email\nx,\n", "It must have username"),
        ("username,phone\nx,\n", "It must have username"),
        ("", "It must have username"),
        ("username\n", "lists nobody"),
        (b"username\ncaf\xe9\n", "is not UTF-8: byte 13 is wrong"),
        ("username\nx\n".encode("utf-16"), "is text in UTF-16"),
        (b"PK\3\4...[Content_Types].xml xl/workbook.xml", "is an Excel file, but the list must be CSV"),
    ],
)
def test_file_that_is_no_list_of_people(listed, text, sentence):
    _out, _err, error = listed(text, "--role", "annotator")
    assert error.returncode == 2
    assert sentence in str(error)


@pytest.mark.long
@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_list_as_excel_writes_it_in_many_countries(listed, sign):
    out, _err, error = listed(f"\ufeffusername{sign}role\r\nmia{sign}reviewer\r\n")
    assert error is None
    assert [(one["username"], one["role"]) for one in people(out)] == [("mia", "reviewer")]


@pytest.mark.long
@pytest.mark.parametrize("text", ['username\n"x\n', "username\nx\x00y\n", "username\n" + "x" * 151 + "\n"])
def test_broken_cells_are_bad_lines(listed, text):
    _out, err, error = listed(text, "--role", "annotator")
    assert error.returncode == 1
    assert "line 2" in err


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_numberings_at_once_share_no_name():
    study = factories.study()
    barrier = threading.Barrier(2)

    def add(_number):
        barrier.wait(timeout=30)
        try:
            return add_numbered(study, role="annotator", count=10)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        names = [one.username for added in pool.map(add, range(2)) for one in added]
    assert sorted(names) == sorted(f"annotator-{number}" for number in range(1, 21))


@pytest.mark.long
def test_many_people_take_few_statements_no_slow_hash_and_tell_progress(study, monkeypatch):
    def refuse(*_arguments):
        raise AssertionError("a one-time password was given the slow hash")

    monkeypatch.setattr(type(get_hasher("default")), "encode", refuse)
    steps = []
    with CaptureQueriesContext(connection) as statements:
        added = add_numbered(study, role="annotator", count=2 * CHUNK, progress=lambda: steps.append(1))
    assert (len(added), len(steps)) == (2 * CHUNK, 2 * CHUNK)
    assert len(statements) < 40
    assert User.objects.count() == Membership.objects.filter(made_account=True).count() == 2 * CHUNK
    assert AccessToken.objects.count() == 2 * CHUNK
    assert AuditEvent.objects.count() == 6 * CHUNK
