"""`manage.py check_media`: compare rows with storage, and repair differences."""

import json
import os
import time
from io import StringIO
from pathlib import Path

import ffmpeg
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AuditEvent
from diptych.embedded import binaries
from importing import storage_check
from media import names, tasks
from media.models import Asset
from media.originals import keeping, original_name
from media.stored_files import files_below
from safety import quarantine
from safety.models import Quarantine
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.media.workers import pending, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    source = ffmpeg.input("testsrc2=size=64x64:rate=12:duration=0.7", f="lavfi")
    source.output(str(path)).run(cmd=binaries.ffmpeg(), quiet=True)
    return path


@pytest.fixture
def asset(clip):
    """Return a ready asset with all its files."""
    made = pending(clip)
    tasks.transcode_asset(made.pk)
    made.refresh_from_db()
    assert made.state == "done"
    return made


def check(*arguments):
    """Return the differences as the command prints them in JSON, and its exit status."""
    out = StringIO()
    try:
        call_command("check_media", "--json", *arguments, stdout=out)
    except CommandError as error:
        return json.loads(out.getvalue())["differences"], error.returncode
    return json.loads(out.getvalue())["differences"], 0


def kinds(*arguments):
    return {(found["kind"], found["name"]) for found in check(*arguments)[0]}


def stored(name, content=b"bytes", days_ago=2):
    """Put a file into storage that is some days old."""
    default_storage.save(name, ContentFile(content))
    then = time.time() - days_ago * 24 * 3600
    os.utime(default_storage.path(name), (then, then))
    return name


def every_file():
    root = Path(default_storage.location)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def pair_with(asset):
    """Return a pair of the asset and of another one, which failed and has the same original."""
    study = factories.study()
    prompt = factories.prompt(study)
    other = factories.asset(state="failed", reason="Damaged.", original=asset.original, byte_size=asset.byte_size)
    videos = {"video_0": factories.video(prompt, asset=asset), "video_1": factories.video(prompt, asset=other)}
    return factories.pair(study, prompt=prompt, **videos)


@pytest.mark.long
def test_rows_and_storage_that_agree(asset):
    assert check() == ([], 0)
    out = StringIO()
    call_command("check_media", stdout=out)
    assert out.getvalue() == "Rows and storage agree.\n"


@pytest.mark.long
def test_missing_and_damaged_renditions_are_prepared_again_and_pairs_wait_meanwhile(asset):
    pair = pair_with(asset)
    lost, damaged = names.frame(asset.public_id, 3), names.playback(asset.public_id)
    default_storage.delete(lost)
    default_storage.save(damaged, ContentFile(b"half"))
    told()
    assert kinds() == {("rendition_missing", lost), ("rendition_wrong_size", damaged)}
    assert Asset.objects.get(pk=asset.pk).state == "done"  # looking changes nothing

    found, status = check("--mend")
    assert ([one["mended"] for one in found], status) == (["is prepared again"], 0)  # once, with all its files
    asset.refresh_from_db()
    pair.refresh_from_db()
    assert (asset.state, pair.ready) == ("waiting", False)
    assert told() == [asset.pk]
    assert AuditEvent.objects.get(action="asset.prepared_again").study_slug == pair.study.slug

    Asset.objects.exclude(pk=asset.pk).update(
        state="done", reason="", duration_s=1, fps=12, finished_at=timezone.now(), facts={"files": {}}
    )
    tasks.transcode_asset(asset.pk)
    pair.refresh_from_db()
    assert pair.ready
    assert check() == ([], 0)


@pytest.mark.long
def test_rows_of_earlier_versions_expect_what_was_made_then(asset):
    facts = asset.facts
    del facts["files"]
    Asset.objects.filter(pk=asset.pk).update(facts=facts)
    default_storage.delete(names.frame(asset.public_id, 7))
    assert kinds() == {("rendition_missing", names.frame(asset.public_id, 7))}


@pytest.mark.long
def test_without_a_good_original_nothing_is_prepared_again(asset):
    default_storage.delete(names.poster(asset.public_id))
    default_storage.save(asset.original, ContentFile(b"x" * asset.byte_size))
    found, status = check("--mend")
    assert ([one["mended"] for one in found], status) == ([""], 1)
    assert Asset.objects.get().state == "done"


@pytest.mark.long
def test_originals_that_are_missing_or_of_another_size_are_told_and_left_to_people(asset, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"other bytes")
    missing = pending(other)
    default_storage.delete(missing.original)
    default_storage.save(asset.original, ContentFile(b"short"))
    found, status = check("--mend")
    assert {(one["kind"], one["name"], one["mended"]) for one in found} == {
        ("original_missing", missing.original, ""),
        ("original_wrong_size", asset.original, ""),
    }
    assert status == 1


@pytest.mark.long
def test_orphans_and_half_written_files_go_once_they_are_a_day_old(asset):
    lonely = "0" * 64
    before = every_file()
    old = {
        stored(original_name("ab" * 32)): "orphan",
        stored("originals/ab/.0123456789abcdef.part"): "half_written",
        stored(names.playback(lonely)): "orphan",
        stored(f"{names.folder(asset.public_id)}/left-by-an-earlier-version.jpg"): "orphan",
        stored(f"{names.folder(asset.public_id)}/frames/.0123456789abcdef.part"): "half_written",
        stored(f"imports/{lonely}/files/{lonely}/0"): "orphan",
    }
    young = [
        stored(original_name("cd" * 32), days_ago=0.9),
        stored(names.poster(lonely), days_ago=0.9),
        stored("renditions/00/.0123456789abcdef.part", days_ago=0.9),
    ]
    assert kinds() == {(kind, name) for name, kind in old.items()}
    assert every_file() == sorted([*before, *old, *young])

    found, status = check("--mend")
    assert ({one["mended"] for one in found}, status) == ({"is deleted"}, 0)
    assert every_file() == sorted([*before, *young])
    assert check() == ([], 0)


@pytest.mark.long
def test_what_a_failed_video_left_is_an_orphan_and_what_a_waiting_one_left_is_not(asset):
    left = [stored(names.frame(asset.public_id, number)) for number in range(2)]
    failed = {"state": "failed", "reason": "Damaged.", "finished_at": timezone.now()}
    waiting = {"state": "waiting", "reason": "", "finished_at": None}
    for values, expected in ((waiting, set()), (failed, {("orphan", name) for name in left})):
        Asset.objects.update(**values)
        assert {one for one in kinds() if one[0] == "orphan"} == expected


@pytest.mark.long
def test_an_original_stays_while_an_import_keeps_files(asset):
    orphan = stored(original_name("ab" * 32))
    with keeping():
        [answer] = at_once(lambda: check("--mend"))  # another connection, as another process has
        assert ([one["mended"] for one in answer[0]], answer[1]) == ([""], 1)
        assert default_storage.exists(orphan)
    assert check("--mend")[1] == 0
    assert not default_storage.exists(orphan)


@pytest.mark.long
def test_a_row_that_comes_while_storage_is_looked_at_makes_its_file_no_orphan(asset, monkeypatch):
    orphan = stored(original_name("ab" * 32))
    still = storage_check._still

    def while_an_import_commits(*arguments):
        factories.asset(sha256="ab" * 32, original=orphan, state="waiting", byte_size=5)
        return still(*arguments)

    monkeypatch.setattr(storage_check, "_still", while_an_import_commits)
    found, status = check("--mend")
    assert ([(one["name"], one["mended"]) for one in found], status) == ([(orphan, "")], 1)
    assert default_storage.exists(orphan)


@pytest.mark.long
def test_a_video_that_is_reported_while_storage_is_looked_at_is_no_difference(asset, monkeypatch):
    pair = pair_with(asset)
    listed = storage_check.files_below

    def while_somebody_reports(folder):
        if folder == f"renditions/{asset.public_id[:2]}":
            quarantine.report(pair, ["video_0"], by=factories.person())
        return listed(folder)

    monkeypatch.setattr(storage_check, "files_below", while_somebody_reports)
    assert not {name for _, name in kinds() if asset.public_id in name}


@pytest.mark.long
def test_quarantine_is_not_touched_and_files_left_outside_are_told(asset):
    quarantine.report(pair_with(asset), ["video_0"], by=factories.person())
    apart = every_file()
    assert all(name.startswith("quarantine/") for name in apart)
    for name in apart:
        os.utime(default_storage.path(name), (0, 0))
    stored(f"quarantine/{asset.public_id[:2]}/{asset.public_id}/renditions/.0123456789abcdef.part")
    outside = stored(names.playback(asset.public_id), days_ago=0)
    Asset.objects.filter(pk=asset.pk).update(quarantined_at=timezone.now())
    mine = [one for one in check("--mend")[0] if one["asset"] == asset.public_id]
    assert mine == []  # there was no time to move it yet
    Asset.objects.filter(pk=asset.pk).update(quarantined_at=timezone.now() - 2 * storage_check.MOVED_WITHIN)
    mine = [one for one in check("--mend")[0] if one["asset"] == asset.public_id]
    assert [(one["kind"], one["name"], one["mended"]) for one in mine] == [("outside_quarantine", outside, "")]
    assert len(every_file()) == len(apart) + 2
    assert Quarantine.objects.get().released_at is None


@pytest.mark.long
def test_an_empty_database_deletes_nothing():
    orphan = stored(original_name("ab" * 32))
    with pytest.raises(CommandError, match="Is it the right database") as caught:
        call_command("check_media", "--mend")
    assert caught.value.returncode == 2
    assert default_storage.exists(orphan)


@pytest.mark.long
def test_what_is_wrong_is_told_to_people_with_what_to_do(asset):
    stored(original_name("ab" * 32))
    out = StringIO()
    with pytest.raises(CommandError, match="Rows and storage differ"):
        call_command("check_media", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first == f"orphan: {original_name('ab' * 32)}"
    assert second.startswith("1 orphan: a file that no row names; --mend deletes it")


@pytest.mark.long
def test_files_are_told_with_size_and_age(asset):
    found = {file.name: file for file in files_below(names.folder(asset.public_id))}
    playback = found[names.playback(asset.public_id)]
    assert playback.size == asset.facts["files"]["playback.mp4"]
    assert abs((timezone.now() - playback.modified_at).total_seconds()) < 60
    assert list(files_below("renditions/no-such-folder")) == []


@pytest.mark.long
def test_a_bucket_is_checked_and_mended_like_a_folder(bucket, clip, monkeypatch):
    made = pending(clip)
    tasks.transcode_asset(made.pk)
    assert check() == ([], 0)
    lost, orphan = names.frame(made.public_id, 2), names.poster("0" * 64)
    default_storage.delete(lost)
    default_storage.save(orphan, ContentFile(b"young"))
    assert kinds() == {("rendition_missing", lost)}
    monkeypatch.setattr(storage_check, "ORPHAN_AGE", -storage_check.ORPHAN_AGE)  # a bucket's clock is its own
    assert {one["mended"] for one in check("--mend")[0]} == {"is prepared again", "is deleted"}
    tasks.transcode_asset(made.pk)
    assert check() == ([], 0)
