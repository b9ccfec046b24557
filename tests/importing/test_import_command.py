"""`manage.py import_study`: folders without a manifest, dry runs, and its output for people and programs."""

import json
import os
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from accounts.models import User
from catalog.models import Pair, Prompt, Video
from media.models import Asset
from media.originals import original_name
from studies.models import Study
from tests import factories
from tests.importing.manifests import prompt, prompts_with_videos, video, write, write_file
from tests.importing.test_import_study import sha256_of

pytestmark = pytest.mark.django_db


def run(path, *arguments):
    """Run the command. Return stdout, stderr and its CommandError, if there is one."""
    out, err = StringIO(), StringIO()
    if not Study.objects.filter(slug="colours").exists():
        owner = User.objects.filter(username="owner").first() or factories.person(username="owner")
        arguments = (*arguments, "--create", "--owner", owner.username)
    try:
        call_command("import_study", str(path), "--study", "colours", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), error
    return out.getvalue(), err.getvalue(), None


def test_a_manifest_file_or_its_folder(tmp_path):
    write(tmp_path, prompts_with_videos(1, 2))
    assert run(tmp_path / "manifest.jsonl")[2] is None
    out, err, error = run(tmp_path)
    assert error is None
    assert err == ""
    assert "videos          0 new         2 already in the study" in out
    assert "files           0 new         2 already stored" in out


def test_a_folder_with_a_subfolder_a_prompt(tmp_path):
    write_file(tmp_path, "ball/prompt.txt", "Ein Ball 🎈\n".encode())
    write_file(tmp_path, "ball/one.mp4")
    write_file(tmp_path, "ball/two.WEBM")
    write_file(tmp_path, "cube/prompt.txt", b"\xef\xbb\xbf  A   cube,\n\tred\r\n")
    write_file(tmp_path, "cube/.DS_Store")
    write_file(tmp_path, ".git/config")

    assert run(tmp_path)[2] is None

    assert set(Prompt.objects.values_list("text", flat=True)) == {"Ein Ball 🎈", "  A   cube,\n\tred"}
    assert (Video.objects.count(), Pair.objects.count()) == (2, 1)


def test_bad_entries_of_a_folder_are_named(tmp_path):
    write_file(tmp_path, "ball/prompt.txt", b"caf\xe9")
    write_file(tmp_path, "ball/one.mp4")
    write_file(tmp_path, "cube/prompt.txt", b"A cube")
    write_file(tmp_path, "cube/notes.doc")
    write_file(tmp_path, "cube/none.mp4", b"")
    write_file(tmp_path, "stray.mp4")
    write_file(tmp_path, "void/one.mp4")

    out, err, error = run(tmp_path)

    assert error.returncode == 1
    for said in (
        "ball/prompt.txt: text: The text is not UTF-8: byte 4 is wrong",
        "ball/one.mp4: prompt: The prompt ball was refused (ball/prompt.txt)",
        "cube/notes.doc: This is neither prompt.txt nor a video",
        "cube/none.mp4: path: cube/none.mp4 is empty",
        "stray.mp4: Only subfolders are expected here",
        "void/prompt.txt: text: void/prompt.txt does not exist, or leads out of the imported folder",
    ):
        assert said in err
    assert out == ""


def test_a_dry_run_counts_and_keeps_nothing(tmp_path):
    write(tmp_path, prompts_with_videos(2, 3))
    stored = original_name(sha256_of(tmp_path / "clips/p1-b.mp4"))
    default_storage.delete(stored)  # another test may have kept the same bytes
    out, _err, error = run(tmp_path, "--dry-run")
    assert error is None
    assert "would get" in out
    assert "pairs           6 new" in out
    assert not Study.objects.exists()
    assert not Asset.objects.exists()
    assert not default_storage.exists(stored)


def test_json_has_every_bad_row_and_people_see_fifty_that_differ(tmp_path):
    faults = [{"nonsense": 1}] * 60 + [{f"field_{n}": 1} for n in range(60)]
    write(tmp_path, [prompt(f"p{n}", **fault) for n, fault in enumerate(faults)])

    out, _err, error = run(tmp_path, "--json")
    report = json.loads(out)
    assert (error.returncode, report["imported"], len(report["bad"])) == (1, False, 120)
    assert report["bad"][0] == {
        "file": "manifest.jsonl", "line": 1, "field": "nonsense", "reason": "is not a field of a prompt", "cause": 1,
    }  # fmt: skip

    out, err, error = run(tmp_path)
    assert out == ""
    assert len(err.splitlines()) == 52
    assert err.startswith(
        "60 rows have the same fault. The first: manifest.jsonl, line 1: nonsense: is not a field of a"
    )
    assert "… and 10 more problems" in err
    assert str(error) == ("Nothing was imported: 120 problems. Correct them, or import the other rows with --skip-bad.")


def test_json_of_a_good_import(tmp_path):
    write(tmp_path, prompts_with_videos(1, 2))
    out, err, error = run(tmp_path, "--json", "--seed", "4", "--pairs", "random:1", "--batch-size", "7")
    report = json.loads(out)
    assert (error, err) == (None, "")
    assert (report["study"], report["imported"], report["study_created"]) == ("colours", True, True)
    assert report["pairs"] == {"added": 1, "already_there": 0}
    assert Study.objects.get().seed == 4


def test_differences_are_said(tmp_path):
    run(write(tmp_path, [prompt("p", licence="MIT"), video("p-a")]))
    _out, err, error = run(write(tmp_path, [prompt("p", licence="CC0-1.0"), video("p-a")]))
    assert error is None
    assert err == "manifest.jsonl, line 1: prompt p differs: licence. The study was not changed.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--study", "Not A Slug"], "Use lower-case letters"),
        (["--batch-size", "0"], "It must be 1 or more"),
        (["--overlap", "0"], "--overlap"),
        (["--overlap", "101"], "--overlap"),
        (["--title", "a" * 201], "--title"),
        (["--seed", str(2**70)], "--seed"),
        (["--pairs", "random:0"], "It must be all, listed or random:N"),
        (["--pairs", "some"], "It must be all, listed or random:N"),
    ],
)
def test_wrong_options_are_said_in_a_sentence(tmp_path, arguments, sentence):
    _out, _err, error = run(write(tmp_path, prompts_with_videos(1, 2)), *arguments)
    assert sentence in str(error)
    assert not Study.objects.exists()


def test_nothing_at_the_path(tmp_path):
    _out, _err, error = run(tmp_path / "nothing")
    assert (error.returncode, str(error)) == (2, f"There is no file or folder {tmp_path}/nothing.")


def test_a_path_that_is_not_utf8_is_said(tmp_path, study):
    """The path of an import is stored in the database, which accepts only UTF-8."""
    folder = write(tmp_path / "p\udcff", prompts_with_videos(1, 2))
    error = run(folder, "--study", study.slug)[-1]
    assert (error.returncode, "is not UTF-8" in str(error)) == (2, True)


@pytest.mark.long
def test_a_pipe_in_place_of_a_manifest_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "manifest.jsonl")
    _out, _err, error = run(tmp_path)
    assert error.returncode == 2
    assert "neither a file nor a folder" in str(error)
