"""The SafeSora format of a release: it loads in the published loader, and can be imported again."""

import gzip
import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from catalog.models import Pair, Prompt, Video
from diptych.refusals import Refused
from diptych_client.release_folder import Release
from diptych_client.release_folder.safesora import convert
from media.models import Asset
from releases import items, making, manifest
from releases.filters import Filter
from sources.manifest_file import find_manifest
from tests import factories
from tests.client.published import dataset
from tests.importing.manifests import imported, write_file
from tests.release_formats.published_loader import is_complete, load
from tests.releases.releasing import ask, lines, make, stored, validator
from tests.releases.test_stopped import Killed, abandoned, die

pytestmark = pytest.mark.django_db

ALL = Filter(decisions=("none",))
SUB = factories.body()["helpfulness"]
LABELS = {"labels": ["crime"], "labelled_by": "model 1"}


def released(study, **values):
    return make(study, filter=ALL, **{"formats": ["safesora"]} | values)


def written(release, path):
    return json.loads(gzip.decompress(stored(release, path)))


def left_out(release):
    return {(line["what"], line["reason"]) for line in lines(release, "SafeSora/left_out.jsonl")}


def counts(release):
    return {file["path"]: file["counts"] for file in release.manifest["files"] if "counts" in file}


@pytest.fixture
def annotator(study):
    return factories.member(study, "annotator")


def pair_of(study, split="train", **values):
    return factories.pair(study, prompt=factories.prompt(study, split=split, **LABELS | values))


class TestRecords:
    def test_all_four_folders_load_completely_in_the_published_loader(self, study, annotator, tmp_path):
        for values in ({}, {"split": "test"}, {"split": "test", "set": "eval"}):
            pair = pair_of(study, **values)
            factories.answer(annotator, study)
        making.rebuild(released(study), tmp_path)
        loaded = {
            path.relative_to(tmp_path).as_posix(): load(path, path.parent.name, "videos")
            for path in sorted(tmp_path.rglob("*.json.gz"))
        }
        assert {path: len(records) for path, records in loaded.items()} == {
            **{f"SafeSora/config-{part}.json.gz": 1 for part in ("train", "test")},
            **{f"SafeSora-Label/config-{part}.json.gz": 2 for part in ("train", "test")},
            **{f"SafeSora-Prompt/config-{part}.json.gz": 1 for part in ("train", "test")},
            "SafeSora-Eval/eval-prompt.json.gz": 1,
        }
        assert all(is_complete(record) for records in loaded.values() for record in records)
        choices = {
            choice
            for part in ("train", "test")
            for one in loaded[f"SafeSora/config-{part}.json.gz"]
            for choice in (one["helpfulness"], one["harmlessness"], *one["sub_preferences"].values())
        }
        assert choices == {"video_0", "video_1"}
        assert loaded["SafeSora-Eval/eval-prompt.json.gz"][0]["prompt_id"] == pair.prompt.public_id
        [one] = loaded["SafeSora/config-train.json.gz"]
        assert one["sub_preferences"] == {
            "instruction_following": "video_0",
            "correctness": "video_1",
            "information": "video_0",
            "aesthetics": "video_1",
        }
        assert one["video_0"]["video_path"] == f"videos/{one['prompt_id']}/{one['video_0']['video_id']}.mp4"

    def test_a_preference_has_both_keys_and_the_paths_of_its_videos(self, study, annotator):
        pair = pair_of(study)
        factories.answer(annotator, study)
        [record] = written(released(study), "SafeSora/config-train.json.gz")
        assert record["sub_preferences"]["informativeness"] == record["sub_preferences"]["information"] == "video_0"
        assert (record["pair_id"], record["helpfulness"], record["harmlessness"]) == (pair.public_id, *["video_0"] * 2)
        assert [record[video]["is_safe"] for video in ("video_0", "video_1")] == [True, False]
        assert record["video_0"]["video_path"] == f"{pair.prompt.public_id}/{pair.video_0.public_id}.mp4"

    def test_tags_are_those_of_all_pairs_of_a_t_v_pair(self, study, annotator):
        pair = pair_of(study)
        factories.answer(annotator, study)
        third = factories.video(pair.prompt)
        factories.pair(study, prompt=pair.prompt, video_0=pair.video_1, video_1=third)
        factories.answer(annotator, study)  # one tags it and one does not: a draw counts as tagged
        found = {one["video_id"]: one for one in written(released(study), "SafeSora-Label/config-train.json.gz")}
        assert len(found) == 3
        assert [key for key, given in found[pair.video_1.public_id]["video_labels"].items() if given] == ["violence"]
        assert (found[third.public_id]["is_safe"], found[third.public_id]["prompt_labels"]["crime"]) == (False, True)

    def test_a_source_is_the_kind_or_else_the_address(self, study, annotator):
        pair_of(study, source="real_user", source_detail="a channel")
        pair_of(study, source_detail="a gallery")
        factories.answer(annotator, study)
        factories.answer(annotator, study)
        sources = {one["source"] for one in written(released(study), "SafeSora-Prompt/config-train.json.gz")}
        assert sources == {"real_user", "a gallery"}

    @pytest.mark.long
    def test_prompts_without_answers_are_in_the_file_of_prompts_only(self, study):
        pair_of(study)
        factories.answer(factories.member(study, "annotator"), study)
        silent = factories.prompt(study, split="train", **LABELS)
        unlabelled = factories.prompt(study, split="train")
        release = released(study)
        loaded = written(release, "SafeSora-Prompt/config-train.json.gz")
        assert silent.public_id in {one["prompt_id"] for one in loaded}
        assert {one["prompt_id"] for one in written(release, "SafeSora/config-train.json.gz")} == {
            one["prompt_id"] for one in loaded if one["prompt_id"] != silent.public_id
        }
        assert {(one["what"], one["id"]) for one in lines(release, "SafeSora/left_out.jsonl")} == {
            ("prompt", unlabelled.public_id)
        }


@pytest.mark.long
class TestLeftOut:
    def test_prompts_without_labels_are_in_no_file(self, study, annotator):
        factories.pair(study, prompt=factories.prompt(study, split="train"))
        factories.answer(annotator, study)
        release = released(study)
        assert left_out(release) == {(what, "unlabelled") for what in ("prompt", "tv_pair", "pair")}
        counted = counts(release)
        assert counted.pop("SafeSora/left_out.jsonl") == {
            "prompts": {"unlabelled": 1},
            "tv_pairs": {"unlabelled": 2},
            "pairs": {"unlabelled": 1},
        }
        assert {one["records"] for one in counted.values()} == {0}

    @pytest.mark.parametrize("question", ["helpfulness", "correctness"])
    def test_a_tie_is_never_in_a_preference(self, study, annotator, question):
        study.allow_ties = True
        study.save()
        pair_of(study)
        factories.answer(annotator, study, helpfulness=SUB | {question.replace("helpfulness", "overall"): "tie"})
        release = released(study)
        assert (left_out(release), written(release, "SafeSora/config-train.json.gz")) == ({("pair", "undecided")}, [])
        assert len(written(release, "SafeSora-Label/config-train.json.gz")) == 2

    @pytest.mark.parametrize(
        ("choices", "is_in"),
        [(["video_0", "video_1"], False), (["video_1", "tie"], False), (["video_1", "video_1", "tie"], True)],
    )
    def test_more_than_half_of_all_answers_decide(self, study, choices, is_in):
        study.allow_ties = True
        study.save()
        factories.pair(study, prompt=factories.prompt(study, split="train", **LABELS), wanted=len(choices))
        for choice in choices:
            factories.answer(factories.member(study, "annotator"), study, helpfulness=SUB | {"overall": choice})
        release = released(study)
        assert [one["helpfulness"] for one in written(release, "SafeSora/config-train.json.gz")] == ["video_1"] * is_in
        assert bool(left_out(release)) is not is_in

    def test_tags_of_all_answers_may_contradict_the_harmlessness_of_a_pair(self, study, annotator):
        pair = pair_of(study)
        harmless = {"video_0": {"tags": []}, "video_1": {"tags": []}, "overall": "video_1"}
        factories.answer(annotator, study, harmlessness=harmless)
        other = factories.pair(study, prompt=pair.prompt, video_0=pair.video_1, video_1=factories.video(pair.prompt))
        tagged = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_1"}
        factories.answer(annotator, study, harmlessness=tagged)
        release = released(study)
        [one] = written(release, "SafeSora/config-train.json.gz")
        assert one["pair_id"] == other.public_id
        assert left_out(release) == {("pair", "contradiction")}
        assert counts(release)["SafeSora/left_out.jsonl"]["pairs"] == {"contradiction": 1}

    def test_every_line_is_valid_and_names_the_part(self, study, annotator):
        for values in ({"split": "excluded"}, {"split": "test", "set": "eval"}, {"split": ""}):
            pair_of(study, **values)
            factories.answer(annotator, study)
        release = released(study, formats=["jsonl", "safesora"])
        of_schema = validator("safesora_left_out")
        found = lines(release, "SafeSora/left_out.jsonl")
        assert [error.message for line in found for error in of_schema.iter_errors(line)] == []
        assert [error.message for error in validator("manifest").iter_errors(release.manifest)] == []
        assert left_out(release) == {
            *((what, "excluded") for what in ("prompt", "tv_pair", "pair")),
            *((what, "eval") for what in ("tv_pair", "pair")),
        }
        assert len(lines(release, "pairs.jsonl")) == 3


DEVIATIONS = Path(__file__).parents[1] / "client" / "cases" / "deviations" / "config-train.json"


def test_the_deviations_of_others_harm_the_published_loader_and_are_not_in_ours():
    """Ours are complete, and have `video_0` or `video_1` everywhere: `TestRecords` loads them in the same way."""

    def chosen(record):
        return record | {"video_0": {}, "video_1": {}}

    first, second, tie, missing, tied_part = map(chosen, load(DEVIATIONS, "SafeSora"))
    assert (first["sub_preferences"]["information"], is_complete(first)) == (None, False)  # only `informativeness`
    assert is_complete(second)
    assert (tie["helpfulness"], is_complete(tie)) == ("tie", True)  # nobody notices it until a model is trained
    assert (missing["harmlessness"], is_complete(missing)) == (None, False)
    assert (tied_part["sub_preferences"]["information"], is_complete(tied_part)) == ("tie", True)
    nested = load(DEVIATIONS, "SafeSora")[0]["video_0"]
    assert (nested["prompt_type"], is_complete(nested)) == (None, False)


def answer_all(study):
    """Let one person answer every pair of a study whose videos nobody prepared."""
    Asset.objects.update(state="done", duration_s=2, fps=24, finished_at=timezone.now())
    Pair.objects.filter(study=study).update(ready=True)
    person = factories.member(study, "annotator")
    for _pair in Pair.objects.filter(study=study):
        factories.answer(person, study)


def ids(study):
    pairs = Pair.objects.filter(study=study)
    return {
        "prompts": {
            (one.public_id, one.text, tuple(one.labels), one.source, one.source_detail)
            for one in Prompt.objects.filter(study=study)
        },
        "videos": set(
            Video.objects.filter(study=study).values_list("public_id", "prompt__public_id", "generator", "video_text")
        ),
        "pairs": set(pairs.values_list("public_id", "video_0__public_id", "video_1__public_id")),
    }


@pytest.mark.parametrize("formats", [["jsonl", "safesora"], pytest.param(["safesora"], marks=pytest.mark.long)])
def test_import_release_and_import_give_the_same_ids(tmp_path, formats):
    first, second = factories.study(slug="first"), factories.study(slug="second")
    published = dataset(tmp_path / "published")
    (published / "SafeSora-Eval/eval-prompt.json.gz").unlink()  # nobody answers on these
    for config in published.glob("SafeSora-Label/*.gz"):
        for video in json.loads(gzip.decompress(config.read_bytes())):
            write_file(published, f"videos/{video['video_path']}")
    report = imported(published, "first")
    assert (report.bad, report.pairs.added, report.videos.added) == ([], 5, 9)
    answer_all(first)
    making.rebuild(released(first, formats=formats), tmp_path / "release")
    for video in Video.objects.filter(study=first).select_related("prompt", "asset"):
        with default_storage.open(video.asset.original) as file:
            path = f"videos/{video.prompt.public_id}/{video.public_id}.mp4"
            write_file(tmp_path / "release", path, file.read())
    assert find_manifest(tmp_path / "release") is None  # its own manifest is none of an import
    report = imported(tmp_path / "release", "second")
    assert report.bad == []
    assert ids(first) == ids(second)
    convert(tmp_path / "release", tmp_path / "external")
    ours = {pair.pair_id for pair in Release.open(tmp_path / "external").pairs()}
    assert ours == {pair for pair, _zero, _one in ids(first)["pairs"]}


@pytest.mark.long
def test_a_release_without_this_format_cannot_be_imported(study, annotator, tmp_path):
    pair_of(study)
    factories.answer(annotator, study)
    making.rebuild(released(study, formats=["jsonl"]), tmp_path)
    with pytest.raises(Refused, match="is a release without the format safesora"):
        imported(tmp_path, "second")


@pytest.mark.long
def test_a_release_that_was_killed_states_what_was_counted_before(study, annotator, monkeypatch, tmp_path):
    for labels in (LABELS, {}):
        factories.pair(study, prompt=factories.prompt(study, split="train", **labels))
        factories.answer(annotator, study)
    whole = released(study)
    monkeypatch.setattr(items, "CHUNK", 1)
    release = ask(study, filter=ALL, formats=["safesora"])
    with monkeypatch.context() as killing:
        killing.setattr(manifest, "write", die)
        with pytest.raises(Killed):
            making.run(release.pk)
    abandoned(release)
    making.run(release.pk)
    release.refresh_from_db()
    assert (release.state, release.fence) == ("done", 2)
    of_format, of_whole = (
        [file for file in one.manifest["files"] if file["kind"] == "safesora"] for one in (release, whole)
    )
    assert of_format == of_whole != []
    assert making.rebuild(release, tmp_path) == []
