"""The published SafeSora layout: prompts, videos, pairs and prompt labels are imported, and answers are not."""

import gzip
import json
import tracemalloc

import pytest

from catalog.models import Pair, Prompt, Video
from diptych.refusals import BadInput, Refused
from sources import records, safesora
from sources.identity import prompt_public_id
from sources.records import read_records
from sources.rows import Manifest
from tests.factories import hex64
from tests.importing.manifests import imported, write_file

pytestmark = pytest.mark.django_db

HARMS = ("violence", "crime", "hate")


def prompt_of(number, **values):
    text = f"A red ball rolls past mark {number}"
    return {
        "prompt_id": prompt_public_id(text),
        "prompt_text": text,
        "prompt_type": "safety_critical" if number % 2 else "safety_neutral",
    } | values


def labelled(number):
    return prompt_of(number, prompt_labels={harm: harm == "crime" and bool(number % 2) for harm in HARMS})


def video_of(number, letter, **values):
    """Return a video record as in a preference."""
    about = prompt_of(number)
    video = hex64(f"video {number} {letter}")
    return (
        about
        | {
            "video_id": video,
            "video_path": f"{about['prompt_id']}/{video}.mp4",
            "video_text": about["prompt_text"] if letter == "a" else f"{about['prompt_text']}, in oil",
            "generated_from": "model-x",
            "is_safe": True,
        }
        | values
    )


def preference(number, one="a", other="b"):
    choice = {"helpfulness": "video_0", "harmlessness": "video_1", "sub_preferences": {"aesthetics": "video_0"}}
    videos = {"video_0": video_of(number, one), "video_1": video_of(number, other)}
    return {"pair_id": hex64(f"{number} {one}{other}")} | prompt_of(number) | videos | choice


def label(number, letter):
    return labelled(number) | video_of(number, letter) | {"video_labels": dict.fromkeys(HARMS, False)}


def config(root, name, records):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps(records).encode()
    path.write_bytes(gzip.compress(written) if name.endswith(".gz") else written)
    return path


@pytest.fixture
def published(tmp_path):
    """Write three prompts with two videos each, a fourth with three, and one for evaluation."""
    root = tmp_path / "published"
    config(root, "SafeSora/config-train.json.gz", [preference(0), preference(1), preference(3, "a", "b")])
    config(root, "SafeSora/config-test.json.gz", [preference(2), preference(3, "b", "c")])
    config(root, "SafeSora-Label/config-train.json.gz", [label(n, letter) for n in (0, 1, 3) for letter in "ab"])
    config(root, "SafeSora-Label/config-test.json.gz", [label(2, "a"), label(2, "b"), label(3, "c")])
    config(root, "SafeSora-Prompt/config-train.json.gz", [labelled(n) | {"source": "real_user"} for n in range(3)])
    config(root, "SafeSora-Eval/eval-prompt.json.gz", [labelled(9) | {"source": "a gallery"}])
    for number, letters in {0: "ab", 1: "ab", 2: "ab", 3: "abc"}.items():
        for letter in letters:
            write_file(root, f"videos/{video_of(number, letter)['video_path']}")
    return root


def test_prompts_videos_and_listed_pairs_come_in(published):
    report = imported(published, seed=3)
    assert (report.bad, report.imported) == ([], True)
    assert (report.prompts.added, report.videos.added, report.pairs.added) == (5, 9, 5)
    assert set(Pair.objects.values_list("selection_method", flat=True)) == {"listed"}
    first = Prompt.objects.get(public_id=prompt_public_id("A red ball rolls past mark 1"))
    assert (first.prompt_type, first.source, first.set) == ("safety_critical", "real_user", "corpus")
    assert (first.labels, first.labelled_by) == (["crime"], "GPT-4, as published with SafeSora")
    pair = Pair.objects.get(prompt=first)
    assert pair.video_0.public_id == preference(1)["video_0"]["video_id"]  # the files' own order
    assert (pair.video_0.video_text, pair.video_1.video_text) == ("", "A red ball rolls past mark 1, in oil")
    assert set(Video.objects.values_list("generator", flat=True)) == {"model-x"}
    kept_apart = Prompt.objects.get(set="eval")
    assert (kept_apart.source, kept_apart.source_detail, kept_apart.labels) == ("", "a gallery", ["crime"])
    unlabelled_elsewhere = Prompt.objects.get(public_id=prompt_of(3)["prompt_id"])
    assert unlabelled_elsewhere.labels == ["crime"]  # only the labels' own files say so


def test_what_people_answered_is_left_and_said(published):
    report = imported(published)
    warnings = " ".join(report.warnings)
    assert "5 pairs have people's preferences. These were not imported as answers" in warnings
    assert "9 videos have people's harm tags" in warnings
    assert "train and test" in warnings


def test_a_folder_of_one_part_is_enough(published, tmp_path):
    alone = tmp_path / "alone"
    (published / "SafeSora").rename(alone)
    (published / "videos").rename(alone / "videos")
    report = imported(alone)
    assert (report.prompts.added, report.videos.added, report.pairs.added) == (4, 9, 5)
    assert Prompt.objects.exclude(labels=None).count() == 0


def test_plain_json_and_bad_records_are_told_by_file_and_number(published):
    given = [
        preference(0),
        "no record",
        preference(1) | {"prompt_id": "../../etc"},
        {key: value for key, value in preference(2).items() if key != "video_1"},
        preference(3) | {"video_0": None},
        preference(3, "b", "c") | {"prompt_type": "dangerous"},
    ]
    (published / "SafeSora/config-train.json.gz").unlink()
    config(published, "SafeSora/config-train.json", given)
    bad = {(row.file, row.line): (row.field, row.reason) for row in imported(published).bad}
    told = {line: said for (file, line), said in bad.items() if file == "SafeSora/config-train.json"}
    assert told[2] == ("", "The record is not a JSON object")
    assert told[4][0] == "video_1"
    assert told[5] == ("video_0", "is not a JSON object")
    assert 3 in told
    assert 1 not in told
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"<html><body>Not found</body></html>", "an HTML or XML page"),
        (b'{\n"a": 1\n}\n', "spread over several lines"),
        (b"[", "not JSON"),
        (b'[{"a": 1', "not JSON"),
        (b'[{"a": 1}', "neither a comma nor a ]"),
        (b'[{"a": 1} {"a": 2}]', "neither a comma nor a ]"),
        (b"[nonsense]", "not JSON"),
        (b'[{"a": "\xff"}]', "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b'[{"a": 1}] [', "after the end"),
        (b'[{"a": "' + b"x" * (5 << 20) + b'"}]', "longer than"),
    ],
)
def test_a_broken_config_is_said(tmp_path, written, said):
    path = tmp_path / "config.json"
    path.write_bytes(written)
    with pytest.raises(Refused) as broken:
        list(read_records(path, path.name))
    assert said in str(broken.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_half_a_gzip_file_is_said(tmp_path, share):
    path = config(tmp_path, "config.json.gz", [preference(number) for number in range(50)])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(BadInput, match="damaged or incomplete"):
        list(read_records(path, path.name))


def test_records_that_end_anywhere_in_a_block(tmp_path, monkeypatch):
    written = [preference(number) for number in range(5)]
    path = tmp_path / "config.json"
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False), "utf-8-sig")
    for block in (1, 2, 7, 100, 1000):
        monkeypatch.setattr(records, "BLOCK", block)
        assert [record.content for record in read_records(path, path.name)] == written


@pytest.mark.long
def test_a_large_config_is_read_in_little_memory(tmp_path):
    text = " ".join(["word"] * 400)
    path = config(tmp_path, "config-train.json.gz", [preference(n) | {"note": text} for n in range(10_000)])
    (tmp_path / "videos").mkdir()
    size = len(gzip.decompress(path.read_bytes()))
    manifest = Manifest(tmp_path)
    tracemalloc.start()
    count = sum(1 for _ in safesora.read_safesora(tmp_path, manifest))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000  # a prompt, two videos and a pair each
    assert peak < size / 5


@pytest.mark.long
def test_a_config_that_unpacks_to_more_than_may_be_ends(tmp_path, settings):
    settings.IMPORT_MOST_BYTES = 10 << 20
    path = tmp_path / "config.json.gz"
    path.write_bytes(gzip.compress(b"[" + b" " * (64 << 20)))
    with pytest.raises(BadInput, match="has more than"):
        list(read_records(path, path.name))
