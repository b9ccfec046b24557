"""`manage.py make_release`."""

import json
from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from releases.models import Release
from releases.withdrawing import subject, withdraw
from tests.releases import material
from tests.releases.releasing import LICENCE, accepted, answered

pytestmark = pytest.mark.django_db


def run(study, *options):
    """Run the command, without files of the videos unless options ask for them. Return what it printed."""
    printed = StringIO()
    if "--format" not in options:
        options = (*options, "--format", "jsonl")
    call_command("make_release", "--study", study.slug, *options, stdout=printed, stderr=StringIO())
    return printed.getvalue()


def refused(study, *options):
    """Run the command, which refuses. Return its sentence and its exit status."""
    with pytest.raises(CommandError) as error:
        run(study, *options)
    return str(error.value), error.value.returncode


def test_a_release_is_made_written_into_a_folder_and_rebuilt(study, tmp_path):
    accepted(*answered(study, pairs=2))
    manifest = json.loads(run(study, "--licence", LICENCE, "--out", str(tmp_path / "one")))
    for file in manifest["files"]:
        assert sha256((tmp_path / "one" / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert json.loads((tmp_path / "one" / "manifest.json").read_text()) == manifest
    assert "the same bytes" in run(study, "--rebuild", "1", "--out", str(tmp_path / "two"))
    for file in manifest["files"]:
        assert (tmp_path / "two" / file["path"]).read_bytes() == (tmp_path / "one" / file["path"]).read_bytes()


@pytest.mark.long
def test_its_options_are_those_of_the_form(study):
    answered(study)
    options = ("--decisions", "none", "--reviewed", "any", "--since", "2026-01-01", "--languages", "en")
    more = ("--prompt-types", "safety_neutral", "--protocol-versions", "1", "--with-invalid", "--format", "jsonl")
    run(study, "--licence", LICENCE, "--terms", "Cite us.", *options, *more)
    release = Release.objects.get()
    assert (release.filter["decisions"], release.filter["since"]) == (["none"], "2026-01-01")
    assert (release.with_invalid, release.terms) == (True, "Cite us.")


@pytest.mark.long
def test_videos_are_asked_for_in_archives_or_as_single_files(study):
    material.answered(study, 1)
    for option, name in (("--videos", "videos"), ("--loose", "single_videos")):
        run(study, "--licence", LICENCE, "--decisions", "none", option)
        assert Release.objects.latest("pk").formats == ["jsonl", "card", name]
    printed = StringIO()
    call_command("make_release", "--study", study.slug, "--licence", LICENCE, "--decisions", "none", stdout=printed)
    assert json.loads(printed.getvalue())["formats"] == ["jsonl", "card", "frames"]


@pytest.mark.long
def test_what_cannot_be_made_or_rebuilt_is_refused(study):
    assert refused(study, "--licence", LICENCE) == ("Nobody has submitted an answer in this study yet.", 2)
    accepted(*answered(study))
    assert refused(study)[0].startswith("Name the licence")
    assert refused(study, "--licence", LICENCE, "--format", "docx")[0].startswith("There is no format docx.")
    wrong = ("--licence", LICENCE, "--format", "videoreward", "--videoreward")
    assert refused(study, *wrong, "VQ=beauty")[0].startswith("There is no question beauty.")
    with pytest.raises(CommandError, match="is not COLUMN=QUESTION"):
        run(study, *wrong, "VQ")
    assert refused(study, "--rebuild", "1") == (f"Study {study.slug} has no release 1.", 2)
    run(study, "--licence", LICENCE)
    answer = Release.objects.get().items.get().annotation
    withdraw(study, subject(study, "answer", str(answer.pk)), reason="Asked", actor=None)
    assert refused(study, "--rebuild", "1") == ("Release 1 was withdrawn, so it cannot be rebuilt.", 2)
    assert refused(study, "--licence", LICENCE)[1] == 2


@pytest.mark.long
def test_a_rebuild_with_other_bytes_names_the_files(study, monkeypatch):
    accepted(*answered(study))
    run(study, "--licence", LICENCE)
    monkeypatch.setattr("releases.aggregation.TAG_METHOD", "another")
    sentence, status = refused(study, "--rebuild", "1")
    assert "tv_pairs.jsonl" in sentence
    assert "pairs.jsonl" in sentence
    assert status == 1
