"""Open release folders, of this platform or external, and read their records."""

import json
import subprocess
import sys
import tarfile

import pytest

from annotation import protocol
from diptych_client.release_folder import FolderError, Release, vocabulary
from diptych_client.release_folder.records import contradicts, decided
from diptych_client.release_folder.safesora import convert
from releases import items, making
from releases.filters import PROMPT_TYPES, Filter
from tests import factories
from tests.client.published import dataset
from tests.releases import material
from tests.releases.releasing import answered, make


@pytest.fixture
def external(tmp_path):
    convert(dataset(tmp_path / "published"), tmp_path / "external")
    return tmp_path / "external"


def test_it_loads_neither_django_nor_what_sends_requests():
    program = (
        "import sys, diptych_client.release_folder, diptych_client.release_folder.safesora; "
        "sys.exit(any(name.partition('.')[0] in ('django', 'diptych', 'httpx2', 'click') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_its_words_are_those_of_the_platform():
    assert vocabulary.HARM_KEYS == protocol.HARM_KEYS
    assert (
        *(protocol.VIDEOS, protocol.TIE),
        protocol.SUB_DIMENSION_KEYS,
    ) == (vocabulary.VIDEOS, vocabulary.TIE, vocabulary.SUB_DIMENSIONS)
    assert vocabulary.QUESTIONS == items.QUESTIONS
    assert set(vocabulary.PROMPT_TYPES) == set(PROMPT_TYPES)


@pytest.mark.parametrize(
    ("zero", "one", "n", "video"),
    [(1, 0, 1, "video_0"), (0, 1, 1, "video_1"), (1, 1, 2, ""), (1, 0, 2, ""), (2, 1, 3, "video_0"), (2, 0, 4, "")],
)
def test_decided_is_more_than_half_of_all_answers_with_ties(zero, one, n, video):
    assert decided(zero, one, n) == video


@pytest.mark.parametrize(
    ("safer", "tags_0", "tags_1", "is_noise"),
    [
        ("video_0", ["hate"], [], True),
        ("video_1", [], ["hate"], True),
        ("video_1", ["hate"], [], False),
        ("video_0", ["hate"], ["hate"], False),
        ("video_0", [], [], False),
        ("", ["hate"], [], False),
    ],
)
def test_a_contradiction_calls_the_tagged_one_safer(safer, tags_0, tags_1, is_noise):
    assert contradicts(safer, tags_0, tags_1) is is_noise


def test_records_come_together_by_prompt(external):
    found = {one.prompt.text[-1]: one for one in Release.open(external).by_prompt()}
    assert {number: (len(one.tv_pairs), len(one.pairs)) for number, one in found.items()} == {
        "0": (2, 1),
        "1": (2, 1),
        "2": (3, 2),
        "3": (2, 1),
        "9": (0, 0),
    }
    for one in found.values():
        for pair in one.pairs:
            assert {one.tv_pairs[video].prompt_id for video in (pair.video_0, pair.video_1)} == {one.prompt.prompt_id}


@pytest.mark.long
@pytest.mark.django_db
def test_a_release_of_this_platform_is_read_in_the_same_way(study, tmp_path):
    answered(study, factories.member(study, "annotator"), factories.member(study, "annotator"), pairs=2)
    release = make(study, filter=Filter(decisions=("none",)), formats=["jsonl", "safesora"])
    making.rebuild(release, tmp_path)
    folder = Release.open(tmp_path)
    assert (folder.is_external, folder.title, folder.licence, folder.check()) == (False, study.title, "CC-BY-4.0", [])
    assert [(one.n, one.decided("helpfulness")) for one in folder.pairs()] == [(2, "video_0")] * 2
    assert [len(one.tv_pairs) for one in folder.by_prompt()] == [2, 2]
    assert len(list(folder.annotations())) == 4
    assert folder.counts("SafeSora/left_out.jsonl")["pairs"] == {"excluded": 2}
    assert folder.counts("pairs.jsonl") == {}


@pytest.mark.long
@pytest.mark.django_db
class TestFilesOfVideos:
    """The release has 3 videos with archives that hold one video each."""

    @pytest.fixture
    def folder(self, study, tmp_path, monkeypatch):
        monkeypatch.setattr("releases.videos.ARCHIVE_BYTES", 1000)
        material.answered(study, 3, split="train")
        formats = ["jsonl", "videos", "frames", "single_videos"]
        making.rebuild(make(study, filter=Filter(decisions=("none",)), formats=formats), tmp_path)
        assert len(list(tmp_path.glob("video_archives/*.tar"))) > 3
        return tmp_path

    def test_they_are_found_by_the_id_of_the_video_in_any_order(self, folder):
        release = Release.open(folder)
        for video_id in reversed([one.video_id for one in release.tv_pairs()]):
            [single] = folder.glob(f"videos/*/{video_id}.mp4")
            assert release.video(video_id) == single.read_bytes()
            pictures = release.frames(video_id)
            assert len(pictures) == 8
            assert len({picture[:2] for picture in pictures}) == 1

    def test_pictures_come_in_the_order_of_time(self, folder):
        video_id = next(Release.open(folder).tv_pairs()).video_id
        found = {}
        for path in folder.glob("frames/*.tar"):
            with tarfile.open(path) as archive:
                named = {name: archive.extractfile(name).read() for name in archive.getnames() if video_id in name}
            found |= named
        in_order = [found[name] for name in sorted(found, key=lambda name: int(name.split(".")[-2]))]
        assert Release.open(folder).frames(video_id) == in_order

    def test_single_files_are_read_where_there_are_no_archives(self, folder):
        release = Release.open(folder)
        release.manifest["files"] = [file for file in release.manifest["files"] if file["kind"] != "videos"]
        video_id = next(release.tv_pairs()).video_id
        assert release.video(video_id) == Release.open(folder).video(video_id)

    def test_what_is_missing_or_cut_is_said(self, folder):
        release = Release.open(folder)
        with pytest.raises(FolderError, match="has no file of the video"):
            release.video("0" * 64)
        with pytest.raises(FolderError, match="has no pictures of the video"):
            release.frames("0" * 64)
        last = max(folder.glob("video_archives/*.tar"))
        last.write_bytes(last.read_bytes()[:700])
        cut = [one.video_id for one in release.tv_pairs()][-1]
        with pytest.raises(FolderError, match=r"\.tar has been cut"):
            release.video(cut)
        with pytest.raises(FolderError, match=r"\.tar cannot be read"):
            Release.open(folder).video(cut)


class TestWhatIsWrong:
    def test_a_folder_without_a_manifest_of_this_version_is_refused(self, tmp_path):
        with pytest.raises(FolderError, match=r"has no manifest\.json"):
            Release.open(tmp_path)
        (tmp_path / "manifest.json").write_text("{")
        with pytest.raises(FolderError, match="cannot be read"):
            Release.open(tmp_path)
        (tmp_path / "manifest.json").write_text('{"manifest": 2}')
        with pytest.raises(FolderError, match="is no manifest of version 1"):
            Release.open(tmp_path)

    def test_a_file_that_is_missing_is_named(self, external):
        (external / "pairs.jsonl").unlink()
        with pytest.raises(FolderError, match=r"pairs\.jsonl does not exist"):
            next(Release.open(external).pairs())

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda lines: [*lines[:1], lines[1][:40]], "line 2 is not JSON"),
            (lambda lines: ["[]"], "line 1 is no JSON object"),
            (lambda lines: ["{}"], "line 1: 'questions' is missing"),
            (lambda lines: lines[::-1], "not in the order of prompt_id"),
        ],
    )
    def test_a_line_that_is_wrong_is_named(self, external, change, said):
        path = external / "pairs.jsonl"
        path.write_text("\n".join(change(path.read_text().splitlines())))
        with pytest.raises(FolderError, match=said):
            list(Release.open(external).pairs())

    def test_a_pair_of_an_unknown_prompt_is_refused(self, external):
        path = external / "prompts.jsonl"
        kept = [line for line in path.read_text().splitlines(True) if not json.loads(line)["prompt_text"].endswith("2")]
        path.write_text("".join(kept))
        with pytest.raises(FolderError, match=r"which prompts\.jsonl does not have"):
            list(Release.open(external).by_prompt())

    def test_files_with_other_bytes_are_named(self, external):
        folder = Release.open(external)
        assert folder.check() == []
        with (external / "pairs.jsonl").open("a") as file:
            file.write("\n")
        (external / "prompts.jsonl").unlink()
        assert folder.check() == ["pairs.jsonl", "prompts.jsonl"]
