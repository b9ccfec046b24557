"""Prompts without answers, and labels that programs gave: what a release has of them, and that both stay."""

import json

import pytest
from django.db.models import Q

from catalog import removal
from catalog.models import Label, Prompt
from releases import making
from releases.filters import Filter
from releases.withdrawing import subject, withdraw
from tests import factories
from tests.releases.releasing import answered, lines, make, stored, validator

pytestmark = pytest.mark.django_db

EVERYTHING = Filter(decisions=("accepted", "none"))


def label(study, about, value, **values):
    """Write a label as an import would have done. `about` is a prompt, a video or a pair."""
    name = type(about).__name__.lower()
    given = {"question": "crime", "labeller": "judge", "labeller_version": "1"} | values
    return Label.objects.create(study=study, **{name: about}, value=value, refused=value is None, **given)


@pytest.fixture
def pair(study):
    """A pair with one answer, of a training prompt."""
    prompt = factories.prompt(study, split="train", cluster="c1", labels=["crime"], labelled_by="judge")
    [one] = answered(study, prompt=prompt)
    return one.pair


@pytest.mark.long
def test_all_prompts_of_the_filter_are_listed_with_their_part_cluster_and_set(study, pair):
    kept = {"test": {"split": "test"}, "eval": {"split": "excluded", "set": "eval"}, "excluded": {}}
    for part, values in kept.items():
        factories.prompt(study, cluster=f"of-{part}", **values)
    factories.prompt(study, language="zh-Hans", split="train")
    factories.prompt(study, prompt_type="safety_critical", split="train")
    release = make(study, filter=Filter(decisions=("none",), languages=("en",), prompt_types=("safety_neutral",)))
    found = lines(release, "prompts.jsonl")
    assert sorted((one["part"], one["set"], one["n_answers"]) for one in found) == [
        ("eval", "eval", 0),
        ("excluded", "corpus", 0),
        ("test", "corpus", 0),
        ("train", "corpus", 1),
    ]
    assert {one["cluster"] for one in found} == {"c1", "of-test", "of-eval", "of-excluded"}
    [answered_one] = [one for one in found if one["n_answers"]]
    assert (answered_one["prompt_id"], answered_one["n_pairs"], answered_one["n_videos"]) == (
        pair.prompt.public_id,
        1,
        2,
    )
    assert [one["prompt_id"] for one in found] == sorted(one["prompt_id"] for one in found)
    assert [list(validator("prompt").iter_errors(one)) for one in found] == [[]] * 4
    assert release.counts["prompts"] == 4
    assert release.counts["prompts_by_part"] == {"eval": 1, "excluded": 1, "test": 1, "train": 1}


def test_labels_of_prompts_videos_and_pairs_go_out_beside_the_answers(study, pair):
    silent = factories.prompt(study, split="test")
    label(study, pair.prompt, value=True)
    label(study, pair.video_0, 0.25, setting="8 frames")
    label(study, pair.video_0, 31.5, question="psnr")
    label(study, pair, "video_1", question="helpfulness")
    label(study, pair, None, question="harmlessness")
    label(study, silent, value=False)
    label(study, factories.video(silent), value=True)  # a video without released answers
    release = make(study, filter=EVERYTHING)
    found = lines(release, "labels.jsonl")
    of_schema = validator("label")
    assert [error.message for one in found for error in of_schema.iter_errors(one)] == []
    said = {(one["video_id"], one["pair_id"], one["question"], one["setting"]): one["value"] for one in found}
    video = pair.video_0.public_id
    assert said == {
        (None, None, "crime", ""): said[None, None, "crime", ""],
        (video, None, "crime", "8 frames"): 0.25,
        (video, None, "psnr", ""): 31.5,
        (None, pair.public_id, "helpfulness", ""): "video_1",
        (None, pair.public_id, "harmlessness", ""): None,
    }
    of_prompts = {
        one["prompt_id"]: (one["part"], one["value"]) for one in found if not one["video_id"] and not one["pair_id"]
    }
    assert of_prompts[pair.prompt.public_id] == ("train", True)
    assert of_prompts[silent.public_id] == ("test", False)
    assert [one["refused"] for one in found].count(True) == 1
    assert release.counts["labels"] == len(found) == 6
    assert "labels.jsonl" in {file["path"] for file in release.manifest["files"]}


def test_a_release_without_labels_has_no_file_of_them(study, pair):
    release = make(study, filter=EVERYTHING)
    assert not release.files.filter(path="labels.jsonl").exists()


@pytest.mark.long
def test_what_is_changed_or_removed_later_does_not_reach_a_release(study, pair, tmp_path):
    gone = factories.prompt(study, split="test", import_number=7)
    label(study, gone, value=True)
    label(study, pair.video_1, value=0.5, import_number=7)
    release = make(study, filter=EVERYTHING)
    before = {path: stored(release, path) for path in ("prompts.jsonl", "labels.jsonl")}
    assert gone.public_id in before["prompts.jsonl"].decode()
    Prompt.objects.filter(study=study).update(cluster="another", source_detail="elsewhere")
    Label.objects.filter(study=study).update(value=False)
    removal.remove_material(study.pk, Q(import_number=7), lambda _rows: None)
    assert not Prompt.objects.filter(pk=gone.pk).exists()
    assert not Label.objects.exists()  # those of the prompt, and those that the import added
    assert making.rebuild(release, tmp_path) == []
    assert {path: (tmp_path / path).read_bytes() for path in before} == before


@pytest.mark.long
def test_labels_of_a_withdrawn_video_leave_with_its_answers(study, pair):
    label(study, pair.video_0, value=0.25)
    label(study, pair, "tie", question="helpfulness")
    answered(study, prompt=factories.prompt(study, split="test"))
    withdraw(study, subject(study, "video", pair.video_0.public_id), reason="Asked", actor=None)
    release = make(study, filter=EVERYTHING)
    assert release.counts["labels"] == 0
    assert pair.video_0.public_id not in json.dumps(lines(release, "tv_pairs.jsonl"))


@pytest.mark.long
def test_every_record_says_why_its_answer_was_asked_for(study):
    """First: planned, not of the sample. Sample: planned, of it. Disagreement and returned have words of their own."""
    cases = {
        ("plan", False): {},
        ("plan", True): {"in_sample": True},
        ("more_opinions", True): {"in_sample": True, "asked": "more_opinions"},
        ("replacement", False): {"asked": "replacement"},
    }
    person, pairs = factories.member(study, "annotator"), {}
    for key, values in cases.items():
        asked = values.pop("asked", "")
        slots = {"more_opinions": {"more_open": 1, "more_asked": 1}, "replacement": {"replacement_open": 1}}
        row = factories.pair(
            study, selection_method="random", selection_probability=0.5, **values | slots.get(asked, {})
        )
        factories.answer(person, study)
        pairs[row.public_id] = key
    release = make(study, filter=EVERYTHING)
    found = lines(release, "annotations.jsonl")
    assert {one["pair_id"]: (one["asked_because"], one["in_sample"]) for one in found} == pairs
    assert {json.dumps(one["selection"]) for one in found} == {
        json.dumps({"method": "random", "probability": 0.5, "model": ""})
    }
    for record in lines(release, "pairs.jsonl"):
        why, in_sample = pairs[record["pair_id"]]
        assert (record["asked_because"][why], record["in_sample"], record["n"]) == (1, in_sample, 1)
