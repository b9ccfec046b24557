"""Links in an imported folder: links to the outside reveal nothing, not even whether their target exists."""

import os
import shutil

import pytest

from diptych.refusals import Refused
from sources import files, inside
from tests.importing.manifests import imported, prompt, video, write, write_file

pytestmark = pytest.mark.django_db

ONE_ANSWER = "does not exist, or leads out of the imported folder"


@pytest.fixture
def outside(tmp_path):
    """Return a folder next to the imported one. None of the names in it must appear."""
    folder = tmp_path / "outside"
    for name in ("secret-a.mp4", "secret.txt", "secret.json", "config.json", "prompt.txt"):
        write_file(folder, name, b"secret words")
    return folder


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "study"
    write_file(folder, "p/prompt.txt", b"A red ball")
    write_file(folder, "p/a.mp4")
    write_file(folder, "p/b.mp4", b"other bytes")
    return folder


def said(report):
    return {bad.file: bad.reason for bad in report.bad}


def test_links_to_folders_and_files_outside_list_nothing_and_get_one_answer(folder, outside):
    targets = {
        "to-folder": outside,
        "to-file": outside / "secret.txt",
        "to-nothing": outside / "nothing",
        "etc": "/etc",
    }
    targets |= {"to-itself": folder / "to-itself", "up": "..", "to-root": "/root", "dots": "p/../../outside"}
    for name, target in targets.items():
        (folder / name).symlink_to(target)
    report = imported(folder, skip_bad=True)
    assert said(report) == dict.fromkeys(targets, "This link leads to nothing, or out of the imported folder")
    assert report.prompts.added == 1
    assert "secret" not in repr(report.as_json())


def test_links_inside_a_prompts_folder_get_the_same_answer(folder, outside):
    write_file(folder, "q/prompt.txt", b"A blue ball")
    (folder / "q/a.mp4").symlink_to(outside / "secret-a.mp4")
    (folder / "q/b.mp4").symlink_to(outside / "no-such.mp4")
    os.remove(folder / "q/prompt.txt")
    (folder / "q/prompt.txt").symlink_to(outside / "prompt.txt")
    (folder / "r").mkdir()
    (folder / "r/prompt.txt").symlink_to(outside / "no-such.txt")
    report = imported(folder, skip_bad=True)
    reasons = said(report)
    assert reasons["q/prompt.txt"] == f"q/prompt.txt {ONE_ANSWER}"
    assert reasons["r/prompt.txt"] == f"r/prompt.txt {ONE_ANSWER}"
    assert "secret words" not in repr(report.as_json())


@pytest.mark.parametrize(
    "path", ["link.mp4", "gone.mp4", "linked/secret-a.mp4", "linked/none.mp4", "/etc/hostname", "\0"]
)
def test_a_manifest_that_names_files_outside_gets_the_same_answer(tmp_path, folder, outside, path):
    (folder / "link.mp4").symlink_to(outside / "secret-a.mp4")
    (folder / "gone.mp4").symlink_to(outside / "none.mp4")
    (folder / "linked").symlink_to(outside)
    with pytest.raises(inside.FileTrouble) as trouble:
        files.locate(folder, path)
    assert str(trouble.value) == f"{path} {ONE_ANSWER}"


@pytest.mark.parametrize("target", ["secret.json", "no-such.json"])
def test_a_manifest_that_is_a_link_outside_is_not_read(tmp_path, outside, target):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "manifest.jsonl").symlink_to(outside / target)
    with pytest.raises(Refused, match=rf"^manifest.jsonl {ONE_ANSWER}\.$"):
        imported(folder)


def test_configs_in_a_linked_folder_are_not_read(folder, outside):
    (folder / "SafeSora").symlink_to(outside)
    (folder / "config.json").symlink_to(outside / "config.json")
    assert set(said(imported(folder, skip_bad=True))) == {"SafeSora", "config.json"}


def test_links_that_stay_inside_are_followed(tmp_path):
    folder = write(tmp_path / "study", [prompt("p"), video("p-a"), video("p-b")])
    (folder / "elsewhere").mkdir()
    (folder / "manifest.jsonl").rename(folder / "elsewhere/real.jsonl")
    (folder / "manifest.jsonl").symlink_to("elsewhere/real.jsonl")
    (folder / "clips").rename(folder / "elsewhere/clips")
    (folder / "clips").symlink_to("elsewhere/clips")
    assert imported(folder).videos.added == 2


def test_a_file_that_is_replaced_by_a_link_after_it_was_checked_is_not_read(folder, outside):
    path = files.locate(folder, "p/a.mp4")
    path.unlink()
    path.symlink_to(outside / "secret-a.mp4")
    with pytest.raises(OSError, match="symbolic"):
        files.fingerprint(path)


def test_a_folder_that_is_replaced_by_a_link_after_it_was_checked_is_not_read(folder, outside):
    path = files.locate(folder, "p/a.mp4")
    (outside / "a.mp4").write_bytes(b"secret words")
    shutil.rmtree(folder / "p")
    (folder / "p").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        files.fingerprint(path)
    with pytest.raises(NotADirectoryError):
        inside.entries(folder, folder / "p")
