"""Downloads show one moment, state their length, and are refused with a sentence if they cannot be made."""

import csv
import http.client
import io
import json
import os
import tempfile
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.tokens import issue_token
from annotation import revisions
from annotation.answers import Answers
from catalog.models import Prompt
from diptych import downloads
from diptych.database.locks import Key
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

#: The advisory lock of each place for a copy.
PLACES = [(int(Key.DOWNLOAD), place) for place in range(downloads.PLACES)]


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def prompts(study):
    return reverse("catalog:prompts_csv", args=[study.slug])


@pytest.fixture
def answers(study):
    return reverse("api:annotations", args=[study.slug])


@contextmanager
def another_connection():
    """Open another connection to the test database, in autocommit mode."""
    settings = connection.settings_dict
    names = {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port", "NAME": "dbname"}
    with psycopg.connect(**{names[key]: settings[key] for key in names}, autocommit=True) as other:
        yield other


def many_prompts(study, count, letters=20):
    """Fill the study with one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalog_prompt (study_id, public_id, text, language, prompt_type, labelled_by, source,
                                        source_detail, licence, set, cluster, split)
            SELECT %s, encode(sha256(n::text::bytea), 'hex'), n || repeat(' words', %s), 'en', 'safety_neutral', '', '',
                   '', '', 'corpus', '', '' FROM generate_series(1, %s) n
            """,
            [study.pk, letters // 6, count],
        )


def table(response):
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def during_the_copy(monkeypatch, act):
    """Run `act` once, when the first rows have been copied and others have not."""
    write, done = downloads.CopyFile.write, []

    def writing(self, block):
        written = write(self, block)
        if self.size > 1000 and not done:
            done.append(True)
            thread = threading.Thread(target=act)
            thread.start()
            thread.join()
        return written

    monkeypatch.setattr(downloads.CopyFile, "write", writing)


def revise(assignment):
    """Change an answer, as its annotator."""
    other = factories.body(helpfulness=dict.fromkeys(factories.body()["helpfulness"], "video_1"))
    revisions.revise(
        assignment,
        assignment.person,
        submission_id=other["submission_id"],
        answers=Answers.from_body(other["helpfulness"], other["harmlessness"]),
        timings_ms=other["timings_ms"],
        viewing={},
        reason="reopened",
    )
    connection.close()  # the thread's own connection


def test_an_answer_that_is_revised_during_a_download_is_in_it_once(study, annotator, client, answers, monkeypatch):
    study.reopen_s = 3600
    study.save()
    factories.pairs(study, 6)
    given = [factories.answer(annotator, study) for _ in range(5)]
    during_the_copy(monkeypatch, lambda: revise(given[0]))
    first, second = [[json.loads(line) for line in client.get(answers).getvalue().splitlines()] for _ in range(2)]
    assert [(line["revision"], line["standing"]["current"]) for line in first] == [(1, True)] * 5
    assert [(line["revision"], line["standing"]["current"]) for line in second] == [
        (1, False),
        *[(1, True)] * 4,
        (2, True),
    ]


def test_rows_that_come_in_during_a_download_are_not_in_it(study, client, prompts, monkeypatch):
    many_prompts(study, 50)

    def add():
        factories.prompt(study, text="Later")
        connection.close()

    during_the_copy(monkeypatch, add)
    assert len(table(client.get(prompts))) == 50
    assert len(table(client.get(prompts))) == 51


def test_a_database_that_stops_in_the_middle_is_reported_before_the_first_byte(study, client, prompts, monkeypatch):
    many_prompts(study, 10_000, letters=3_000)
    pid = connection.connection.info.backend_pid

    def stop():
        with another_connection() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    during_the_copy(monkeypatch, stop)
    response = client.get(prompts)
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert not AuditEvent.objects.filter(action="library.downloaded").exists()
    assert len(table(client.get(prompts))) == 10_000


def test_a_full_disk_is_reported_before_the_first_byte(study, client, prompts, answers, monkeypatch):
    many_prompts(study, 1_000)
    full = lambda **options: open("/dev/full", "w+b", **options)  # noqa: E731, SIM115 - a disk that is always full
    monkeypatch.setattr(downloads.tempfile, "TemporaryFile", full)
    assert client.get(prompts).status_code == 507
    assert not AuditEvent.objects.exists()


@contextmanager
def held(*locks):
    with another_connection() as other:
        for lock in locks:
            other.execute("SELECT pg_advisory_lock(%s, %s)", lock)
        yield


def test_two_downloads_are_made_at_a_time_and_others_learn_when_to_ask_again(study, client, prompts, answers):
    factories.prompt(study)
    for lock in PLACES:
        with held(lock):
            assert client.get(prompts).status_code == 200
    with held(*PLACES):
        page = client.get(prompts, headers={"Accept": "text/html,*/*"})
        program = client.get(answers)
        linked = client.get(answers, headers={"Accept": "text/html,*/*"})
        assert client.head(prompts).status_code == 200  # HEAD makes no file, so it need not wait
    for refused in (page, program, linked):
        assert (refused.status_code, refused["Retry-After"]) == (429, "5")
        assert "Content-Disposition" not in refused
    assert program.json()["code"] == "busy"
    for shown in (page, linked):
        assert '<meta http-equiv="refresh" content="5">' in shown.content.decode()
        assert "Other downloads are being prepared." in shown.content.decode()
    assert client.get(prompts).status_code == 200


def test_a_copy_holds_its_place_only_while_it_is_made(study, client, prompts, monkeypatch):
    many_prompts(study, 50)
    free = []

    def look():
        with another_connection() as other:
            taken = [other.execute("SELECT pg_try_advisory_lock(%s, %s)", lock).fetchone()[0] for lock in PLACES]
            free.append(sum(taken))

    during_the_copy(monkeypatch, look)
    response = client.get(prompts)
    look()  # before its bytes are read
    assert free == [1, 2]
    assert len(table(response)) == 50


@pytest.mark.long
def test_the_file_has_no_name_that_a_kill_could_leave(study, client, prompts, monkeypatch, tmp_path):
    many_prompts(study, 50)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = []
    during_the_copy(monkeypatch, lambda: found.append(os.listdir(tmp_path)))
    client.get(prompts)
    assert found == [[]]


def test_a_part_is_of_the_moment_that_the_client_has_or_is_not_sent(study, client, prompts):
    many_prompts(study, 50)
    whole = client.get(prompts)
    content, etag = whole.getvalue(), whole["ETag"]
    assert whole["Content-Length"] == str(len(content))
    assert whole["Accept-Ranges"] == "bytes"

    first = client.get(prompts, headers={"Range": "bytes=0-99"})
    assert (first.status_code, first.getvalue()) == (206, content[:100])
    assert first["ETag"] == etag

    rest = client.get(prompts, headers={"Range": "bytes=100-", "If-Range": etag})
    assert (rest.status_code, rest.getvalue()) == (206, content[100:])
    assert rest["Content-Range"] == f"bytes 100-{len(content) - 1}/{len(content)}"

    for wanted in ("bytes=100-", "bytes=-100"):
        refused = client.get(prompts, headers={"Range": wanted})
        assert refused.status_code == 428

    Prompt.objects.filter(study=study).first().delete()
    changed = client.get(prompts, headers={"Range": "bytes=100-", "If-Range": etag})
    assert changed.status_code == 200
    assert len(table(changed)) == 49
    assert changed["ETag"] != etag


def test_a_range_beyond_the_end_is_refused(study, client, answers):
    refused = client.get(answers, headers={"Range": "bytes=0-9"})  # a download without answers
    assert (refused.status_code, refused.json()["code"]) == (416, "range_not_satisfiable")
    assert refused["Content-Range"] == "bytes */0"


def test_what_the_client_has_already_is_not_sent_again(study, client, prompts):
    factories.prompt(study)
    etag = client.get(prompts)["ETag"]
    assert client.get(prompts, headers={"If-None-Match": etag}).status_code == 304
    assert AuditEvent.objects.filter(action="library.downloaded").count() == 1


def test_the_real_server_says_the_length(study, researcher, server, answers):
    factories.pairs(study, 2)
    factories.answer(factories.member(study, "annotator"), study)
    token = issue_token(researcher, scopes=["export"])
    found = {}
    for method in ("GET", "HEAD"):
        asking = http.client.HTTPConnection(urlsplit(server).netloc, timeout=20)
        asking.request(method, answers, headers={"Authorization": f"Token {token}"})
        response = asking.getresponse()
        found[method] = response.status, response.getheader("Content-Length"), response.read()
        asking.close()
    status, length, body = found["GET"]
    assert (status, int(length)) == (200, len(body))
    assert json.loads(body)["study"] == study.slug
    assert (found["HEAD"][0], found["HEAD"][2]) == (200, b"")
    assert found["HEAD"][1] != "0"
