"""A fault that many bad rows share is said once, with their number and what to do: page, API and command line."""

import csv
import io
import json

import pytest
from django.urls import reverse

from importing import tasks
from importing.models import Import
from sources.causes import MANY, causes_of
from sources.rows import BadRow
from sources.sentences import Sentence
from tests.importing.manifests import pair, prompt, video, write, write_file
from tests.importing.test_import_command import run
from tests.sources.test_contents import LFS

pytestmark = pytest.mark.django_db

POINTERS = MANY + 2
PULL = "is a Git LFS pointer and not the video itself. Run “git lfs pull” where it comes from, and import it again"


@pytest.fixture
def root(tmp_path, settings):
    settings.IMPORT_ROOTS = [tmp_path]
    return tmp_path


@pytest.fixture
def folder(root):
    """Create a clone without Git LFS: pointers, pairs that need them, and another fault."""
    names = [f"p0-{number}" for number in range(POINTERS)]
    lines = [prompt("p0"), *map(video, names), video("p0-page"), video("p0-good")]
    lines += [pair("p0-good", name) for name in names]
    write(root / "clone", lines)
    for name in names:
        write_file(root / "clone", f"clips/{name}.mp4", LFS)
    write_file(root / "clone", "clips/p0-page.mp4", b"<html>Sign in")
    return root / "clone"


@pytest.fixture
def job(study, folder, researcher, browser_client):
    browser_client(researcher).post(
        reverse("importing:new", args=[study.slug]),
        {"source": "server", "pairs": "", "batch_size": 100, "a_prompt": 3, "location": str(folder)},
    )
    job = Import.objects.get()
    tasks.run_import(job.pk)
    job.refresh_from_db()
    assert (job.state, job.bad_rows) == ("refused", 2 * POINTERS + 1)
    return job


@pytest.mark.long
def test_the_page_says_a_shared_fault_once_and_leads_to_the_names(study, job, researcher, browser_client):
    client = browser_client(researcher)
    page = client.get(reverse("importing:import", args=[study.slug, job.public_id])).content.decode()
    assert page.count("git lfs pull") == 1
    assert f"{POINTERS} rows have the same fault." in page
    assert page.count("was refused (line") == 1  # the pairs that need the videos
    assert page.count("is a web page (HTML)") == 1
    assert all(f"clips/p0-{number}.mp4</li>" in page for number in range(POINTERS))
    address = reverse("importing:bad_rows_csv", args=[study.slug, job.public_id])
    assert f"{address}?cause=1" in page
    rows = read(client.get(address, {"cause": "1"}))
    assert [row["reason"] for row in rows] == [f"clips/p0-{number}.mp4 {PULL}" for number in range(POINTERS)]
    assert len(read(client.get(address))) == len(read(client.get(address, {"cause": "x"}))) == job.bad_rows


def read(response):
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


def test_the_api_has_the_shared_faults_and_their_rows(job, api, researcher):
    client = api(researcher)
    address = f"/api/v1/imports/{job.public_id}/"
    report = client.get(address).json()["report"]
    assert [(cause["number"], cause["total"], cause["field"]) for cause in report["causes"]] == [
        (1, POINTERS, "path"),
        (2, POINTERS, "video_1"),
    ]
    assert report["causes"][0]["reason"] == f"clips/p0-0.mp4 {PULL}"
    assert report["causes"][0]["rows"][:2] == ["clips/p0-0.mp4", "clips/p0-1.mp4"]
    rows = [json.loads(line) for line in client.get(f"{address}bad-rows/", {"cause": 2}).getvalue().splitlines()]
    assert ({row["cause"] for row in rows}, len(rows)) == ({2}, POINTERS)
    assert client.get(f"{address}bad-rows/", {"cause": "x"}).status_code == 400


def test_the_command_says_a_shared_fault_once(folder):
    _out, said, error = run(folder)
    assert f"Nothing was imported: {2 * POINTERS + 1} problems" in str(error)
    lines = said.splitlines()
    first = f"manifest.jsonl, line 2: path: clips/p0-0.mp4 {PULL}"
    assert lines[0] == f"{POINTERS} rows have the same fault. The first: {first}. Use --json to see all of them."
    assert len(lines) == 3
    report = json.loads(run(folder, "--json")[0])
    assert report["causes"][0]["total"] == len([row for row in report["bad"] if row.get("cause") == 1]) == POINTERS


def test_few_rows_with_one_fault_and_other_faults_stay_apart():
    def rows(count, template, **values):
        reasons = [Sentence(template, path=f"{number}.mp4", **values) for number in range(1, count + 1)]
        return [BadRow("m.jsonl", line, "path", reason) for line, reason in enumerate(reasons, 1)]

    found = causes_of(
        rows(MANY - 1, "%(path)s is empty")
        + rows(MANY, "%(path)s cannot be read: %(error)s", error="permission")
        + rows(MANY + 1, "%(path)s cannot be read: %(error)s", error="no such device")
        + [BadRow("m.jsonl", n, "", "plain") for n in range(1, MANY + 1)]
    )
    assert [(cause.number, cause.total, cause.rows[0]) for cause in found] == [
        (1, MANY, "1.mp4"),
        (2, MANY + 1, "1.mp4"),
        (3, MANY, "m.jsonl:1"),
    ]
