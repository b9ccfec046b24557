"""Imported material keeps its identity (ids, file names, models, seeds, settings, hashes) on all pages and files."""

import csv
import hashlib
import io
import json

import pytest

from catalog.models import Pair, Prompt, Video
from exports import annotations
from sources.identity import prompt_public_id
from tests import factories
from tests.importing.manifests import imported, pair, prompt, video, write, write_file

pytestmark = pytest.mark.django_db

PROMPT_ID, VIDEO_ID = "a" * 64, "b" * 64


def reasons(report):
    return [(bad.line, bad.field, bad.reason) for bad in report.bad]


def test_a_stated_id_of_64_hex_digits_is_the_published_id_and_any_other_a_source_id(tmp_path):
    lines = [
        prompt("p1", id=PROMPT_ID),
        video(VIDEO_ID, prompt=PROMPT_ID, path="clips/one.mp4"),
        video("clip 2", prompt=PROMPT_ID, path="clips/two.mp4", generator="model-x", seed=7, settings={"steps": 50}),
        video("C" * 64, prompt=PROMPT_ID, path="clips/three.mp4"),
        prompt("p2"),
    ]
    assert not imported(write(tmp_path, lines)).bad
    one, two, three = (Video.objects.get(file_name=f"clips/{name}.mp4") for name in ("one", "two", "three"))
    assert (one.public_id, one.source_id) == (VIDEO_ID, "")
    assert (two.source_id, two.generator, two.seed, two.settings) == ("clip 2", "model-x", "7", {"steps": 50})
    assert three.source_id == "C" * 64
    assert dict(Prompt.objects.values_list("public_id", "source_id")) == {
        PROMPT_ID: "",
        prompt_public_id(prompt("p2")["text"]): "p2",
    }
    again = imported(tmp_path)
    assert (again.videos.added, again.prompts.added, again.differences) == (0, 0, [])


@pytest.mark.parametrize(
    ("first", "second", "field", "reason"),
    [
        ({"id": VIDEO_ID}, {"id": VIDEO_ID, "path": "b.mp4"}, "id", "other bytes"),
        ({"id": "v1"}, {"id": "v1", "path": "b.mp4"}, "id", "the video v1 with other bytes"),
        ({"id": VIDEO_ID}, {"id": VIDEO_ID, "prompt": "p2"}, "id", "another prompt"),
    ],
)
def test_the_id_of_a_video_never_means_other_bytes_or_another_prompt(tmp_path, first, second, field, reason):
    shared = {"prompt": "p1", "path": "a.mp4"}
    prompts = [prompt("p1"), prompt("p2")]
    assert not imported(write(tmp_path / "1", [*prompts, video("v", **shared | first)])).bad
    report = imported(write(tmp_path / "2", [*prompts, video("v", **shared | second)]))
    [(line, at, said)] = reasons(report)
    assert (line, at, reason in said, report.imported) == (3, field, True, False)
    assert Video.objects.count() == 1


@pytest.mark.parametrize("key", [PROMPT_ID, "p1"])
def test_the_id_of_a_prompt_never_means_another_text_and_what_needs_it_is_refused_too(tmp_path, key):
    imported(write(tmp_path / "1", [prompt(key, text="A red ball")]))
    lines = [prompt(key, text="A blue ball"), video("v1", prompt=key), prompt("good")]
    report = imported(write(tmp_path / "2", lines), skip_bad=True)
    assert [(line, field) for line, field, _ in reasons(report)] == [(1, "id"), (2, "prompt")]
    assert set(Prompt.objects.values_list("text", flat=True)) == {"A red ball", prompt("good")["text"]}


def test_a_video_that_comes_again_under_its_id_is_that_video_whatever_else_its_line_says(tmp_path):
    imported(write(tmp_path, [prompt("p1"), video("p1-a", generator="model-x")]))
    report = imported(write(tmp_path, [prompt("p1"), video("p1-a", generator="model-y")]))
    assert [row.fields for row in report.differences] == [["generator"]]
    assert Video.objects.get().generator == "model-x"


def folder(root, text="A red ball", content=b"one"):
    write_file(root, "p1/prompt.txt", text.encode())
    write_file(root, "p1/model-a.mp4", content)
    write_file(root, "p1/model-b.mp4", content + b"!")
    return root


def test_in_the_folder_layout_the_generator_is_the_stem_and_the_names_are_kept(tmp_path):
    imported(folder(tmp_path / "1"))
    rows = Video.objects.order_by("pk").values_list("generator", "file_name", "source_id")
    assert list(rows) == [(f"model-{a}", f"p1/model-{a}.mp4", f"p1/model-{a}.mp4") for a in "ab"]
    assert Prompt.objects.get().source_id == "p1"
    report = imported(folder(tmp_path / "2", text="A blue ball", content=b"two"))
    assert (report.prompts.added, report.videos.added, report.bad) == (1, 2, [])
    assert "p1, p1/model-a.mp4, p1/model-b.mp4" in " ".join(report.warnings)
    assert Prompt.objects.get(text="A blue ball").source_id == ""
    assert imported(tmp_path / "2").differences == []


def test_a_long_file_name_is_a_generator_too(tmp_path):
    write_file(tmp_path, "p1/prompt.txt", b"A red ball")
    write_file(tmp_path, f"p1/{'m' * 180}.mp4")
    assert not imported(tmp_path).bad
    assert Video.objects.get().generator == "m" * 180


@pytest.mark.long
def test_a_lab_can_say_which_model_won(tmp_path, browser_client):
    """Pages, CSV files and the JSONL all name files, ids, models, seeds, settings and hashes."""
    lines = [
        prompt("prompt-17", text="A red ball"),
        video("a", prompt="prompt-17", path="clips/a.mp4", generator="model-x", seed=7, settings={"steps": 50}),
        video("b", prompt="prompt-17", path="clips/b.mp4", generator="model-y"),
        pair("a", "b"),
    ]
    study = factories.study(slug="colours")
    imported(write(tmp_path, lines))
    Pair.objects.update(ready=True)
    client = browser_client(factories.member(study, "researcher"))
    sha256 = hashlib.sha256((tmp_path / "clips/a.mp4").read_bytes()).hexdigest()

    def page(path):
        response = client.get(f"/studies/{study.slug}/library/{path}")
        assert response.status_code == 200
        return b"".join(response) if response.streaming else response.content

    one = Video.objects.get(source_id="a")
    for path in (f"videos/{one.public_id}/", f"pairs/{Pair.objects.get().public_id}/"):
        shown = page(path).decode()
        assert all(word in shown for word in ("clips/a.mp4", "model-x", "steps: 50", sha256)), path
    assert "clips/a.mp4" in page("pairs/?generator=model-x").decode()
    assert "clips/a.mp4" in page("videos/?q=clips/a").decode()
    assert "clips/b.mp4" not in page("videos/?q=clips/a").decode()
    assert "prompt-17" in page("?q=prompt-17").decode()
    [row] = csv.DictReader(io.StringIO(page("pairs.csv").decode("utf-8-sig")))
    side = "video_0" if row["video_0_source_id"] == "a" else "video_1"
    assert (row["prompt_source_id"], row[f"{side}_file_name"], row[f"{side}_generator"], row[f"{side}_seed"]) == (
        "prompt-17", "clips/a.mp4", "model-x", "7",
    )  # fmt: skip
    assert (row[f"{side}_sha256"], json.loads(row[f"{side}_settings"])) == (sha256, {"steps": 50})
    videos = {row["source_id"]: row for row in csv.DictReader(io.StringIO(page("videos.csv").decode("utf-8-sig")))}
    assert (videos["a"]["file_name"], videos["a"]["sha256"]) == ("clips/a.mp4", sha256)
    factories.answer(factories.member(study, "annotator"), study)
    with (tmp_path / "annotations.jsonl").open("wb") as file:
        annotations.copy(study, file)
    line = json.loads((tmp_path / "annotations.jsonl").read_bytes())
    assert line["prompt_source_id"] == "prompt-17"
    assert {line[name]["generated_from"]: line[name]["file_name"] for name in ("video_0", "video_1")} == {
        "model-x": "clips/a.mp4", "model-y": "clips/b.mp4",
    }  # fmt: skip
