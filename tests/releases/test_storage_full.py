"""A release on a real disk that is full: it says so, nothing half-made can be downloaded, and a later attempt works."""

import tempfile

import pytest

from releases import cleaning, making
from releases.models import Release
from tests.releases.releasing import accepted, answered, ask, lines, make
from tests.small_disk import small_disk

pytestmark = pytest.mark.django_db

#: A tmpfs gives whole pages.
PAGE_BYTES = 4096


@pytest.fixture
def disk(settings, tmp_path):
    """Yield the function that leaves this many pages free on the disk of the storage."""
    with small_disk(tmp_path / "disk", "2m") as path:
        settings.MEDIA_ROOT = path / "media"
        filler = path / "filler"

        def leave(pages):
            filler.unlink(missing_ok=True)
            with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * PAGE_BYTES)
            with filler.open("r+b") as file:
                file.truncate(filler.stat().st_size - pages * PAGE_BYTES)

        yield leave


@pytest.fixture
def release(study, disk):
    """A release that is ordered, and whose storage gets full after its first files."""
    accepted(*answered(study, pairs=20))
    release = ask(study)
    disk(12)  # folders take some
    return release


def attempt(release):
    """Let a worker try it, as though its pause had ended. Return the release as it is then."""
    Release.objects.filter(pk=release.pk).update(wait_until=None)
    making.run(release.pk)
    release.refresh_from_db()
    return release


@pytest.mark.long
def test_it_fails_with_a_sentence_that_says_what_to_do(study, release, researcher, api, browser_client):
    states = []
    while release.is_open:
        states.append(attempt(release).state)
        assert release.reason == making.FULL
    assert states == ["waiting"] * 4 + ["failed"]
    assert release.files.exists()  # some were complete before
    page = browser_client(researcher).get(f"/studies/{study.slug}/releases/{release.number}/").content.decode()
    assert "Ask your server administrator to free some space." in page
    for path in release.files.values_list("path", flat=True):
        refused = api(researcher).get(f"/api/v1/releases/{release.pk}/files/{path}")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_complete")


@pytest.mark.long
def test_the_files_of_a_failed_one_are_deleted_and_the_next_one_is_whole(study, release, settings, disk):
    while release.is_open:
        attempt(release)
    assert cleaning.remove_files() > 0
    assert [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()] == []
    disk(300)
    later = make(study)
    assert (later.state, later.number, len(lines(later, "annotations.jsonl"))) == ("done", 2, 20)


@pytest.mark.long
def test_a_later_attempt_goes_on_where_space_ended(release, disk):
    assert attempt(release).state == "waiting"
    before = dict(release.files.values_list("path", "pk"))
    assert before
    disk(300)
    assert attempt(release).state == "done"
    assert dict(release.files.values_list("path", "pk")).items() >= before.items()
    assert len(lines(release, "annotations.jsonl")) == 20


@pytest.mark.long
def test_a_full_folder_for_temporary_files_is_said_too(study, release, tmp_path, monkeypatch, disk):
    disk(300)
    with small_disk(tmp_path / "scratch", "4k") as path:
        (path / "full").touch()
        monkeypatch.setattr(tempfile, "tempdir", str(path))
        assert (attempt(release).state, release.reason) == ("waiting", making.FULL)
        monkeypatch.undo()
    assert attempt(release).state == "done"
