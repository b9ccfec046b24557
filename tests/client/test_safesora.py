"""Convert a published SafeSora dataset into an external release folder."""

import gzip
import json
import tarfile
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest

from diptych_client.release_folder import FolderError, Release, arrays
from diptych_client.release_folder.safesora import convert
from tests.client.published import config, dataset, hex64, label, labels, preference, prompt
from tests.releases.releasing import validator

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def published(tmp_path):
    return dataset(tmp_path / "published")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "external"


def lines(folder, path):
    return [json.loads(line) for line in (folder / path).read_text().splitlines()]


SCHEMAS = {"prompts": "prompt", "tv_pairs": "tv_pair", "pairs": "pair", "left_out": "external_left_out"}


def test_preferences_tags_and_split_are_those_that_were_published(published, target):
    done = convert(published, target, licence="CC-BY-NC-4.0")
    assert (dict(done.read), done.left_out) == ({"pair": 5, "video": 9, "prompt": 5}, {})
    folder = Release.open(target)
    assert (folder.is_external, folder.title, folder.licence) == (True, "SafeSora", "CC-BY-NC-4.0")
    pairs = {pair.pair_id: pair for pair in folder.pairs()}
    [one] = [pair for pair in pairs.values() if pair.pair_id == preference(1)["pair_id"]]
    assert (one.n, one.part, one.decided("helpfulness"), one.decided("harmlessness")) == (
        *(1, "train"),
        *("video_0", "video_1"),
    )
    assert [pairs[preference(2, *letters)["pair_id"]].part for letters in ("ab", "bc")] == ["test", "test"]
    tagged = {video.video_id: video for video in folder.tv_pairs()}[hex64("video 1 a")]
    assert (tagged.tags, tagged.is_safe, tagged.n, tagged.part) == (("crime", "violence"), False, 1, "train")
    parts = {one.text[-1]: (one.part, one.set, one.source, one.source_detail) for one in folder.prompts()}
    assert parts == {
        "0": ("train", "corpus", "real_user", ""),
        "1": ("train", "corpus", "researcher", ""),
        "2": ("test", "corpus", "", "a gallery"),
        "3": ("train", "corpus", "", ""),
        "9": ("eval", "eval", "", ""),
    }
    assert list(folder.annotations()) == []


def test_every_line_and_the_manifest_are_valid_and_have_their_digests(published, target):
    convert(published, target)
    for name, schema in SCHEMAS.items():
        of_schema = validator(schema)
        wrong = [error.message for line in lines(target, f"{name}.jsonl") for error in of_schema.iter_errors(line)]
        assert wrong == [], name
    manifest = json.loads((target / "manifest.json").read_text())
    assert [error.message for error in validator("external_manifest").iter_errors(manifest)] == []
    for file in manifest["files"]:
        assert sha256((target / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    for file in manifest["external"]["files"]:
        assert sha256((published / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert (manifest["counts"]["pairs_train"], manifest["counts"]["pairs_test"]) == (3, 2)


def test_the_same_dataset_gives_the_same_bytes_in_any_order(published, target, tmp_path):
    convert(published, target)
    path = published / "SafeSora-Label/config-train.json.gz"
    config(published, "SafeSora-Label/config-train.json.gz", json.loads(gzip.decompress(path.read_bytes()))[::-1])
    convert(published, tmp_path / "again")
    for name in SCHEMAS:
        assert (target / f"{name}.jsonl").read_bytes() == (tmp_path / "again" / f"{name}.jsonl").read_bytes()


class TestDownloads:
    def test_a_config_with_videos_that_are_not_unpacked_is_enough(self, target):
        done = convert(CASES / "as-downloaded" / "a-not-unpacked", target)
        assert done.read["pair"] == done.manifest["counts"]["pairs"] > 0

    def test_the_cache_of_a_hub_is_followed(self, target, tmp_path):
        with tarfile.open(CASES / "as-downloaded" / "c-hub-cache.tar") as packed:
            packed.extractall(tmp_path, filter="tar")
        assert convert(tmp_path / "c-hub-cache", target).read["pair"] == 2

    def test_a_folder_of_preferences_alone_has_t_v_pairs_without_tags(self, target):
        done = convert(CASES / "as-downloaded" / "d-control", target)
        assert done.manifest["counts"]["tv_pairs_without_tags"] == 4
        assert {(one.n, one.tags, one.is_safe) for one in Release.open(target).tv_pairs()} == {(0, None, None)}
        assert not list(validator("tv_pair").iter_errors(lines(target, "tv_pairs.jsonl")[0]))

    def test_ties_and_missing_preferences_are_no_preference(self, target):
        done = convert(CASES / "deviations", target)
        pairs = {one.pair_id: one for one in Release.open(target).pairs()}
        asked = json.loads((CASES / "deviations/config-train.json").read_text())
        first, second, tie, missing, tied_part = (pairs[one["pair_id"]] for one in asked)
        assert (first.decided("informativeness"), second.decided("informativeness")) == ("video_0", "video_0")
        assert (tie.counts["helpfulness"].tie, tie.decided("helpfulness")) == (1, "")
        assert (missing.n, missing.counts["harmlessness"].share_video_1) == (1, None)
        assert tied_part.counts["informativeness"].tie == 1
        assert done.left_out == {}

    def test_a_folder_without_configs_or_with_two_snapshots_is_refused(self, published, target, tmp_path):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "notes.txt").write_text("no config")
        with pytest.raises(FolderError, match="has no SafeSora config"):
            convert(tmp_path / "other", target)
        for revision in ("one", "two"):
            config(tmp_path / "cache" / "snapshots" / revision, "config-train.json", [preference(0)])
        with pytest.raises(FolderError, match="several snapshots: one, two"):
            convert(tmp_path / "cache", target)
        with pytest.raises(FolderError, match="is not empty"):
            convert(published, published)


class TestBadRecords:
    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ("text", "is no JSON object"),
            (preference(1, prompt_id="../../etc"), "prompt_id is missing, or is not 64 hexadecimal digits"),
            (preference(1, prompt_type="dangerous"), "prompt_type is neither"),
            (preference(1, video_1=None), "video_0 or video_1 is no JSON object"),
            (preference(1, "a", "a"), "are the same video"),
            (preference(1, video_0=preference(0)["video_0"]), "belongs to another prompt"),
            (preference(1, helpfulness="left"), "helpfulness is neither"),
            (preference(1, sub_preferences={"information": "video_0", "informativeness": "video_1"}), "differ"),
            (preference(1, sub_preferences=[]), "sub_preferences is no JSON object"),
            (preference(1, prompt_text="half \ud83d"), "half of a character"),
            (preference(0, helpfulness="video_1"), "differs from an earlier record"),
            (prompt(0, prompt_text="Another text"), "differs from an earlier record"),
            (label(1, "a") | {"video_labels": {"crime": True}}, "does not have the twelve harm keys"),
            (label(1, "a") | {"video_labels": labels() | {"crime": 1}}, "neither true nor false"),
            (label(1, "a") | {"is_safe": "yes"}, "is_safe is neither"),
        ],
    )
    def test_it_is_left_out_and_listed_with_the_reason(self, tmp_path, target, wrong, reason):
        config(tmp_path / "one", "config-train.json", [preference(0), wrong])
        done = convert(tmp_path / "one", target)
        assert done.read == {"pair": 1}
        [left_out] = lines(target, "left_out.jsonl")
        assert (left_out["file"], left_out["record"]) == ("config-train.json", 2)
        assert reason in left_out["reason"]
        assert done.manifest["left_out"] == {left_out["reason"]: 1}
        assert len(lines(target, "pairs.jsonl")) == 1

    @pytest.mark.parametrize(
        ("written", "said"),
        [
            (b"{}", "is no JSON array"),
            (b"[]", "No record of"),
            (b"[", "record 1 is not JSON"),
            (b'[{"a": 1', "record 1 is not JSON"),
            (b'[{"a": 1}', "ends, or is damaged, after record 1"),
            (b'[{"a": 1}] [', "more text after the end"),
            (b'[{"a": 1, "a": 2}]', "one key twice"),
            (b"[NaN]", "NaN is no JSON"),
            (b'[{"a": "\xff"}]', "not UTF-8"),
            (b"[" * 100_000, "not JSON"),
            (gzip.compress(b'[{"a": 1}]', mtime=0)[:-9], "cannot be read to its end"),
        ],
        ids=lambda value: value if isinstance(value, str) else "written",
    )
    def test_a_damaged_config_ends_the_conversion(self, tmp_path, target, written, said):
        path = config(tmp_path / "one", "config-train.json", [])
        path.write_bytes(written)
        with pytest.raises(FolderError, match=said):
            convert(tmp_path / "one", target)
        assert not (target / "manifest.json").exists()

    def test_records_may_end_anywhere_in_a_block(self, tmp_path, monkeypatch):
        written = [preference(number) for number in range(3)] + [12, 3.5, "é"]
        path = tmp_path / "config.json"
        path.write_text(json.dumps(written, indent=1, ensure_ascii=False), "utf-8-sig")
        for block in (1, 7, 100, 1 << 18):
            monkeypatch.setattr(arrays, "BLOCK", block)
            assert list(arrays.elements(path)) == written


class TestParts:
    def test_what_is_in_train_and_in_test_can_be_used_for_neither(self, tmp_path, target):
        config(tmp_path / "one", "config-train.json", [preference(0)])
        config(tmp_path / "one", "config-test.json", [preference(0), preference(1)])
        counts = convert(tmp_path / "one", target).manifest["counts"]
        assert (counts["pairs_in_both_parts"], counts["pairs_excluded"], counts["pairs_test"]) == (1, 1, 1)
        assert {one.part for one in Release.open(target).prompts()} == {"excluded", "test"}

    def test_a_config_that_names_no_part_is_excluded(self, tmp_path, target):
        config(tmp_path / "one", "config.json", [preference(0)])
        convert(tmp_path / "one", target)
        assert [one.part for one in Release.open(target).pairs()] == ["excluded"]

    def test_pairs_decide_the_part_of_a_prompt_and_labels_that_of_a_t_v_pair(self, published, target):
        config(published, "SafeSora-Label/config-train.json.gz", [label(2, "a")])
        config(published, "SafeSora-Label/config-test.json.gz", [label(0, "a"), label(2, "b")])
        convert(published, target)
        folder = Release.open(target)
        assert {one.text[-1]: one.part for one in folder.prompts()}["2"] == "test"  # a prompts' file says train
        parts = {one.video_id: one.part for one in folder.tv_pairs()}
        assert (parts[hex64("video 0 a")], parts[hex64("video 0 b")]) == ("test", "train")


def test_what_one_file_does_not_state_comes_from_another(tmp_path, target):
    config(tmp_path / "one", "SafeSora-Prompt/config-train.json", [prompt(1, source="real_user")])
    config(tmp_path / "one", "SafeSora-Label/config-train.json", [label(1, "a", "hate")])
    config(tmp_path / "one", "SafeSora/config-train.json", [preference(1)])
    convert(tmp_path / "one", target)
    [one] = Release.open(target).prompts()
    assert (one.source, one.labels["crime"]) == ("real_user", True)
    assert {video.tags for video in Release.open(target).tv_pairs()} == {("hate",), None}


@pytest.mark.long
def test_memory_does_not_grow_with_the_dataset(tmp_path):
    peaks = []
    for size in (2_000, 20_000):
        root = tmp_path / str(size)
        config(root, "config-train.json", [preference(number) for number in range(size)])
        tracemalloc.start()
        convert(root, root / "external")
        for one in Release.open(root / "external").by_prompt():
            assert len(one.pairs) == 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
