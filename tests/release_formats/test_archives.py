"""Videos and frames in a release: archives with an index, single files, and what stops the release."""

import hashlib
import io
import tarfile

import pyarrow.parquet as pq
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from diptych.refusals import Refused
from media import names
from release_formats import stored_videos
from releases import making, sending, videos
from releases.filters import Filter
from releases.models import Release, ReleaseVideo
from safety import quarantine
from tests import factories
from tests.releases import material
from tests.releases.releasing import Kept, ask, make, stored

pytestmark = pytest.mark.django_db

EVERYTHING = Filter(decisions=("accepted", "none"))
FILES = ["parquet", "frames", "videos", "single_videos"]


def made(study, **values):
    return make(study, filter=EVERYTHING, **{"formats": FILES} | values)


def opened(archive):
    """Return the members of an archive, and their contents."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as reading:
        return [(member, reading.extractfile(member).read()) for member in reading]


def rows(kept, path):
    return pq.read_table(io.BytesIO(kept[path])).to_pylist()


@pytest.fixture
def pairs(study):
    return material.answered(study, 2, split="train")


@pytest.fixture
def release(study, pairs):
    release = made(study)
    assert (release.state, release.reason) == ("done", "")
    return release


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker, tmp_path_factory):
    """A release with every file of its videos, and as `playback` the stored bytes of these. No test changes it."""
    with django_db_blocker.unblock(), transaction.atomic():
        study = factories.study()
        pairs = material.answered(study, 2, split="train")
        release = made(study)
        assert (release.state, release.reason) == ("done", "")
        assert making.rebuild(release, tmp_path_factory.mktemp("rebuilt")) == []
        found = Kept(release)
        found.playback = {
            f"{pair.prompt.public_id}/{video.public_id}.mp4": playback(video)
            for pair in pairs
            for video in (pair.video_0, pair.video_1)
        }
        transaction.set_rollback(True)
    return found


def playback(video):
    with default_storage.open(names.playback(video.asset.public_id)) as file:
        return file.read()


class TestContents:
    @pytest.mark.long
    def test_archives_have_the_stored_bytes_in_order_and_plain_headers(self, kept):
        found = opened(kept["video_archives/videos-train-00000.tar"])
        expected = kept.playback
        assert [member.name for member, _content in found] == sorted(expected)
        assert {member.name: content for member, content in found} == expected
        headers = {(one.mtime, one.mode, one.uid, one.gid, one.uname, one.gname) for one, _content in found}
        assert headers == {(0, 0o644, 0, 0, "", "")}

    def test_the_index_of_frames_has_the_hash_of_each_member(self, kept):
        index = rows(kept, "frames/train-00000-of-00001.parquet")
        found = {member.name: content for member, content in opened(kept["frames/frames-train-00000.tar"])}
        assert len(index) == 4
        assert len(found) == 32
        for row in index:
            assert row["shard"] == "frames/frames-train-00000.tar"
            assert row["members"] == [f"{row['prompt_id']}/{row['video_id']}.{number}.jpg" for number in range(8)]
            hashes = [hashlib.sha256(found[name]).hexdigest() for name in row["members"]]
            assert hashes == row["sha256"]

    def test_pairs_name_the_archive_the_member_and_the_file_of_each_video(self, kept):
        index = {row["video_id"]: row for row in rows(kept, "video_archives/train-00000-of-00001.parquet")}
        described = {row["pair_id"]: row for row in rows(kept, "videos/metadata.parquet")}
        of_pairs = rows(kept, "pairs/train-00000-of-00001.parquet")
        assert len(of_pairs) == len(described) == 2
        for row in of_pairs:
            for side in ("video_0", "video_1"):
                about = index[row[f"{side}_id"]]
                assert (row[f"{side}_shard"], row[f"{side}_member"]) == (about["shard"], about["member"])
                content = kept[row[f"{side}_file_name"]]
                assert hashlib.sha256(content).hexdigest() == about["sha256"]
                assert len(content) == about["bytes"]
                assert f"videos/{described[row['pair_id']][f'{side}_file_name']}" == row[f"{side}_file_name"]
        assert {row["video_shard"] for row in rows(kept, "tv_pairs/train-00000-of-00001.parquet")} == {
            "video_archives/videos-train-00000.tar"
        }


def test_the_formats_stand_alone(study):
    material.answered(study, 1, split="train")
    release = made(study, formats=["frames"])
    paths = set(release.files.exclude(kind="card").values_list("path", flat=True))
    assert paths == {"frames/frames-train-00000.tar", "frames/train-00000-of-00001.parquet", "manifest.json"}


@pytest.mark.long
def test_archives_are_cut_by_size_and_part(study, monkeypatch):
    monkeypatch.setattr(videos, "ARCHIVE_BYTES", 3000)  # a member of 900 bytes takes 1536
    material.answered(study, 2, split="train")
    material.answered(study, 1, split="test")
    release = made(study, formats=["videos"])
    paths = sorted(release.files.filter(path__endswith=".tar").values_list("path", flat=True))
    assert paths == [f"video_archives/videos-{one}.tar" for one in ("test-00000", "train-00000", "train-00001")]
    assert [len(opened(stored(release, path))) for path in paths] == [2, 2, 2]
    listed = list(videos.read(release))
    assert [row.place for row in listed] == [1, 2, 3, 4, 5, 6]
    keys = [(row.video.prompt.public_id, row.video.public_id) for row in listed]
    assert keys == sorted(keys)


@pytest.mark.long
def test_videos_are_read_in_chunks(release, monkeypatch):
    monkeypatch.setattr(videos, "CHUNK", 1)
    assert [row.place for row in videos.read(release, part="train")] == [1, 2, 3, 4]


class TestStopped:
    def stopped(self, study, **values):
        release = made(study, **values)
        assert release.state == "failed"
        assert not Release.objects.get(pk=release.pk).manifest
        return release.reason

    def test_videos_without_files_are_found_before_anything_is_written(self, study):
        factories.pair(study)
        factories.answer(factories.member(study, "annotator"), study)
        assert self.stopped(study, formats=["frames"]).startswith("Some videos of this release have no prepared files.")
        assert not ReleaseVideo.objects.exists()
        assert made(study, formats=["jsonl"]).state == "done"

    def test_a_missing_file_is_named_in_the_log(self, study, pairs, caplog):
        video = pairs[0].video_1
        default_storage.delete(names.frame(video.asset.public_id, 7))
        assert self.stopped(study, formats=["frames"]) == stored_videos.MISSING
        assert f"frames/7.jpg of video {video.public_id}" in caplog.text

    @pytest.mark.parametrize("content", [b"other", bytes(900), bytes(901)])
    @pytest.mark.parametrize("form", ["videos", "single_videos"])
    def test_other_bytes_are_never_released(self, study, pairs, content, form):
        video = pairs[0].video_1
        default_storage.save(names.playback(video.asset.public_id), ContentFile(content))
        assert self.stopped(study, formats=[form]) == stored_videos.CHANGED

    @pytest.mark.long
    def test_a_video_that_is_quarantined_meanwhile(self, study, pairs, monkeypatch):
        """The files are moved, or archived already."""
        for at in ("before", "after"):
            release = ask(study, filter=EVERYTHING, formats=["frames"])
            with monkeypatch.context() as patch:
                self.report_at(at, pairs[0], patch)
                making.run(release.pk)
            release.refresh_from_db()
            assert release.state == "failed"
            assert release.reason == videos.QUARANTINED
            self.clear(pairs[0])

    def report_at(self, at, pair, patch):
        freeze, index = videos.freeze, "_indexed_frames"
        if at == "before":
            patch.setattr(videos, "freeze", lambda release: (freeze(release), reported(pair)))
        else:
            from release_formats import archives

            write = archives._indexed_frames
            patch.setattr(archives, index, lambda *given: (reported(pair), write(*given))[1])

    def clear(self, pair):
        for one in pair.video_0.asset.quarantines.filter(released_at=None):
            quarantine.release(one, factories.officer(), reason="Looked at.")
            quarantine.settle_files(one.asset_id)


def reported(pair):
    """Report the first video of a pair, and move its files."""
    for one in quarantine.report(pair, ["video_0"], by=factories.person()):
        quarantine.settle_files(one.asset_id)


@pytest.mark.long
class TestQuarantineOfACompleteRelease:
    def test_its_archives_are_not_sent_while_a_video_is_in_quarantine(self, release, pairs, researcher, rf):
        reported(pairs[0])
        for path in ("frames/frames-train-00000.tar", "video_archives/videos-train-00000.tar"):
            with pytest.raises(Refused, match="in quarantine"):
                sending.send(rf.get("/"), release, path, actor=researcher)
        response = sending.send(rf.get("/"), release, "pairs/train-00000-of-00001.parquet", actor=researcher)
        assert response.status_code == 200

    def test_a_download_that_runs_ends(self, release, pairs, monkeypatch):
        monkeypatch.setattr(sending, "LOOK_EVERY_S", -1)
        row = release.files.get(path="frames/frames-train-00000.tar")
        with default_storage.open(row.stored_name) as opened:
            file = sending.WhileAllowed(opened, row)
            assert file.read(10)
            reported(pairs[0])
            with pytest.raises(OSError, match="quarantined"):
                file.read(10)

    def test_its_page_says_so_and_counts_single_videos(self, release, pairs, researcher, client):
        client.force_login(researcher)
        page = client.get(f"/studies/{release.study.slug}/releases/{release.number}/").content.decode()
        assert "4 single videos" in page
        assert "videos/metadata.parquet" in page
        assert "files/frames/frames-train-00000.tar" in page
        assert ".mp4" not in page
        assert "in quarantine" not in page
        reported(pairs[0])
        page = client.get(f"/studies/{release.study.slug}/releases/{release.number}/").content.decode()
        assert "A video of this release is in quarantine." in page
        assert "files/frames/frames-train-00000.tar" not in page
        assert "files/pairs/train-00000-of-00001.parquet" in page

    def test_it_is_not_rebuilt_meanwhile(self, release, pairs, tmp_path):
        reported(pairs[0])
        with pytest.raises(Refused, match="in quarantine"):
            making.rebuild(release, tmp_path)


@pytest.mark.long
def test_a_worker_that_takes_over_continues_after_the_last_archive(study, monkeypatch):
    monkeypatch.setattr(videos, "ARCHIVE_BYTES", 3000)
    material.answered(study, 3, split="train")
    whole, again = made(study, formats=["videos"]), ask(study, filter=EVERYTHING, formats=["videos"])
    opened, read = [], stored_videos.Checked.read

    def away(file, size=-1):
        opened.append(file)
        if len(opened) == 5:
            raise OSError("away")
        return read(file, size)

    monkeypatch.setattr(stored_videos.Checked, "read", away)
    making.run(again.pk)
    again.refresh_from_db()
    assert (again.state, again.files.count() > 0) == ("waiting", True)
    before = set(again.files.values_list("pk", flat=True))
    Release.objects.filter(pk=again.pk).update(wait_until=None)
    making.run(again.pk)
    assert before < set(again.files.values_list("pk", flat=True))
    for file in whole.files.filter(kind="videos"):
        assert stored(again, file.path) == stored(whole, file.path)
