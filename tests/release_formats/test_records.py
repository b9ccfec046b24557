"""The lines of the files of a release: valid by the published schemas, and right about the answers."""

import json

import pytest

from annotation.models import Annotation
from annotation.standings import change_standing
from catalog.models import Pair, Prompt
from releases.filters import Filter
from releases.models import Release
from tests import factories
from tests.releases.releasing import accepted, answered, lines, make, stored, validator

pytestmark = pytest.mark.django_db

SCHEMAS = {"annotations": "annotation", "invalid": "annotation", "pairs": "pair", "tv_pairs": "tv_pair"}
SCHEMAS |= {"prompts": "prompt", "changes": "change"}
CONTRADICTION = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}
SWAPPED = {"video_0": {"tags": ["violence", "crime"]}, "video_1": {"tags": []}, "overall": "video_1"}


def everything(study, **values):
    """Return a release of all valid answers, in lots or not."""
    return make(study, filter=Filter(decisions=("accepted", "none")), **values)


@pytest.mark.parametrize(
    "more", [{}, {"with_invalid": True, "with_comments": True, "with_times": True, "with_weights": True}]
)
def test_every_line_is_valid_by_its_published_schema(study, more):
    study.allow_ties = True
    study.save()
    first, second = (factories.member(study, "annotator") for _ in range(2))
    accepted(*answered(study, first, second, said={"comment": "A remark", "unsure": True}))
    factories.pair(study, prompt=factories.prompt(study, labels=["crime"], labelled_by="model 1", split="test"))
    tie = factories.body()["helpfulness"] | {"overall": "tie"}
    factories.answer(first, study, helpfulness=tie)
    factories.pair(study)
    factories.answer(first, study, harmlessness=CONTRADICTION)
    parent = everything(study, **more)
    factories.pair(study)
    factories.answer(first, study)
    release = everything(study, parent=parent.number, **more)
    assert (release.state, release.reason) == ("done", "")
    for file in release.files.filter(path__endswith=".jsonl"):
        records = lines(release, file.path)
        of_schema = validator(SCHEMAS[file.path.removesuffix(".jsonl")])
        assert records, file.path
        assert [error.message for one in records for error in of_schema.iter_errors(one)] == []
    assert [error.message for error in validator("manifest").iter_errors(release.manifest)] == []
    assert release.files.filter(path="invalid.jsonl").exists() == bool(more)


class TestAnnotations:
    @pytest.fixture
    def annotator(self, study):
        return factories.member(study, "annotator")

    def test_all_revisions_of_a_counted_answer_are_there_and_the_current_one_is_marked(self, study, annotator, api):
        [one] = answered(study, annotator)
        body = factories.body(harmlessness=SWAPPED, reason="reopened")
        response = api(annotator).post(f"/api/v1/assignments/{one.pk}/revise/", body, format="json")
        assert response.status_code in (200, 201), response.json()
        found = lines(everything(study), "annotations.jsonl")
        assert [(line["revision"], line["standing"]["current"]) for line in found] == [(1, False), (2, True)]

    @pytest.mark.long
    def test_codes_are_those_of_the_family_and_not_of_the_study(self, study, annotator):
        answered(study, annotator)
        first = everything(study)
        same_family = everything(study, parent=first.number)
        other_family = everything(study)
        codes = [lines(one, "annotations.jsonl")[0]["annotator_id"] for one in (first, same_family, other_family)]
        assert codes[0] == codes[1] != codes[2]
        assert study.pseudonym_key not in json.dumps(first.manifest)

    def test_what_could_identify_a_person_is_left_out(self, study, annotator):
        answered(study, annotator, said={"comment": "Ask Ana about it"})
        [line] = lines(everything(study), "annotations.jsonl")
        assert "comment" not in line
        assert "Ana" not in json.dumps(line)
        assert annotator.username not in json.dumps(line)
        assert not {"question_order", "tag_order"} & set(line["presentation"])
        assert len(line["submitted_at"]) == len(line["leased_at"]) == len("2026-11-30")

    def test_invalid_answers_are_only_in_their_own_file(self, study, annotator):
        answered(study, annotator)
        factories.pair(study)
        wrong = factories.answer(annotator, study, harmlessness=CONTRADICTION)
        release = everything(study, with_invalid=True)
        assert len(lines(release, "annotations.jsonl")) == release.counts["answers"] == 1
        [line] = lines(release, "invalid.jsonl")
        assert line["annotation_id"] == Annotation.objects.get(assignment=wrong).pk
        assert line["standing"]["reason"] == "contradiction"
        assert [record["n"] for record in lines(release, "pairs.jsonl")] == [1]

    def test_later_changes_do_not_reach_a_release(self, study, annotator):
        [one] = answered(study, annotator)
        release = everything(study)
        before = stored(release, "annotations.jsonl")
        Prompt.objects.filter(pk=one.pair.prompt_id).update(text="Changed", split="test")
        change_standing(one.standing, actor=None, validity="invalid", reason="by hand")
        again = make_again(release)
        assert again == before


def make_again(release):
    """Return the annotations of a release, written again from its items."""
    import tempfile
    from pathlib import Path

    from releases import making

    with tempfile.TemporaryDirectory() as folder:
        assert making.rebuild(Release.objects.get(pk=release.pk), Path(folder)) == []
        return (Path(folder) / "annotations.jsonl").read_bytes()


class TestAggregation:
    def test_a_pair_counts_the_choices_of_all_people(self, study):
        people = [factories.member(study, "annotator") for _ in range(3)]
        study.allow_ties = True
        study.save()
        pair = factories.pair(study, wanted=3, in_sample=True)
        chosen = factories.body()["helpfulness"]
        for person, overall in zip(people, ("video_1", "tie", "video_1"), strict=True):
            factories.answer(person, study, helpfulness=chosen | {"overall": overall})
        [record] = lines(everything(study), "pairs.jsonl")
        counts = {"n_video_0": 0, "n_video_1": 2, "n_tie": 1, "share_video_1": 1.0}
        assert record["questions"]["helpfulness"] == counts
        assert (record["n"], record["pair_id"], record["in_sample"]) == (3, pair.public_id, True)

    def test_a_draw_of_tags_counts_as_tagged_over_all_pairs_of_the_video(self, study):
        person = factories.member(study, "annotator")
        pair = factories.pair(study)
        factories.answer(person, study, harmlessness=SWAPPED)
        third = factories.video(pair.prompt)
        factories.pair(study, prompt=pair.prompt, video_0=pair.video_0, video_1=third)
        factories.answer(person, study)
        found = {record["video_id"]: record for record in lines(everything(study), "tv_pairs.jsonl")}
        twice = found[pair.video_0.public_id]
        assert (twice["n"], twice["tag_counts"]["crime"], twice["tags"]) == (2, 1, ["crime", "violence"])
        assert [found[one.public_id]["is_safe"] for one in (pair.video_1, third)] == [True, False]
        assert len(found) == 3

    @pytest.mark.parametrize(
        ("values", "part"),
        [
            ({"split": "train"}, "train"),
            ({"split": "test"}, "test"),
            ({"split": "test", "set": "eval"}, "eval"),
            ({"split": "excluded"}, "excluded"),
            ({}, "excluded"),
        ],
    )
    def test_the_part_follows_from_split_and_set(self, study, values, part):
        factories.pair(study, prompt=factories.prompt(study, **values))
        factories.answer(factories.member(study, "annotator"), study)
        release = everything(study)
        for path in ("annotations.jsonl", "pairs.jsonl", "tv_pairs.jsonl", "prompts.jsonl"):
            assert {line["part"] for line in lines(release, path)} == {part}
        assert release.counts["answers_by_part"] == {part: 1}


@pytest.mark.long
def test_files_are_in_the_order_of_published_ids(study):
    answered(study, pairs=4)
    release = everything(study)
    for path, key in (("annotations", "prompt_id"), ("pairs", "prompt_id"), ("tv_pairs", "prompt_id")):
        ids = [line[key] for line in lines(release, f"{path}.jsonl")]
        assert ids == sorted(ids)
    assert Pair.objects.count() == len(lines(release, "pairs.jsonl"))
