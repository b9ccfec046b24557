"""Programs compared with people: agreement, answers and refusals, computed by hand."""

import json

import pytest

from catalog.models import Label
from release_card.figures import tables
from releases.items import QUESTIONS
from tests import factories
from tests.figures.figuring import given
from tests.release_card.carded import ALL
from tests.releases.releasing import lines, make, stored

pytestmark = pytest.mark.django_db


def label(study, about, value, **values):
    """Write a label as an import would have done. `about` is a video or a pair."""
    subject = {type(about).__name__.lower(): about}
    said = {"question": "helpfulness", "labeller": "judge"} | values
    return Label.objects.create(study=study, value=value, refused=value is None, **subject, **said)


@pytest.fixture
def pairs(study):
    """Two pairs. Three people chose video 0, video 0 and a tie of the first one, and one chose video 1 of the other."""
    study.allow_ties = True
    study.save()
    made = [factories.pair(study, prompt=factories.prompt(study, split="train"), wanted=3) for _ in range(2)]
    for chosen in ("video_0", "video_0", "tie"):
        given(made[0], factories.member(study, "annotator"), helpfulness=chosen, informativeness="video_1")
    given(made[1], factories.member(study, "annotator"), helpfulness="video_1", informativeness="video_0")
    return made


def found(study):
    release = make(study, filter=ALL)
    rows = json.loads(stored(release, "card.json"))["figures"]["labellers"]
    return {(row["labeller"], row["setting"], row["name"], row["question"]): row for row in rows}


def test_choices_of_a_program_are_compared_with_each_answer(study, pairs):
    label(study, pairs[0], "video_0")
    label(study, pairs[1], "video_1")
    label(study, pairs[0], "tie", setting="4 frames")
    label(study, pairs[1], None, setting="4 frames")
    label(study, pairs[0], "video_1", question="prettiness")  # no question of people
    rows = found(study)
    assert set(rows) == {("judge", "", *["helpfulness"] * 2), ("judge", "4 frames", *["helpfulness"] * 2)}
    plain, of_4 = rows.values()
    assert (plain["value"], plain["n"], plain["refused"]) == (0.875, 4, 0)  # 1, 1 and ½ of three, and 1 of one
    assert (of_4["value"], of_4["n"], of_4["refused"]) == (round(2 / 3, 6), 3, 1)  # ½, ½ and 1


def test_the_higher_number_is_chosen_and_equal_numbers_are_a_tie(study, pairs):
    clip = {"question": "clip similarity"}
    for video, value in zip((pairs[0].video_0, pairs[0].video_1), (0.75, -2), strict=True):
        label(study, video, value, **clip)
    for video in (pairs[1].video_0, pairs[1].video_1):
        label(study, video, 1, **clip)
    label(study, pairs[0].video_0, "0.9", labeller="wordy", **clip)  # words are no number
    label(study, pairs[0].video_1, "0.1", labeller="wordy", **clip)
    label(study, pairs[0].video_0, 0.5, labeller="half", **clip)  # the other video has none
    rows = found(study)
    assert {(labeller, question) for labeller, _setting, _name, question in rows} == {
        ("judge", question) for question in QUESTIONS
    }
    row = rows["judge", "", "clip similarity", "helpfulness"]
    assert (row["value"], row["n"]) == (0.75, 4)  # 1, 1 and ½ of three, and ½ of one


def test_the_video_that_looks_less_harmful_is_compared_with_harmlessness_only(study, pairs):
    label(study, pairs[0].video_0, True, question="violence")
    label(study, pairs[0].video_1, 0.25, question="violence")
    [row] = found(study).values()
    assert (row["question"], row["value"], row["n"]) == ("harmlessness", 0, 3)  # all said that video 0 is safer


def test_a_program_that_refuses_one_of_two_videos_refuses_the_pair(study, pairs):
    label(study, pairs[0].video_0, 3, question="violence")
    label(study, pairs[0].video_1, None, question="violence")
    [row] = found(study).values()
    assert (row["value"], row["n"], row["refused"]) == ("no_overlap", 0, 1)


def test_the_measured_psnr_is_a_label_and_the_lower_one_is_compared_with_informativeness(study, pairs):
    for pair in pairs:
        for video, measured in zip((pair.video_0, pair.video_1), ([30.0, 20.0], [12.0, 11.0]), strict=True):
            video.asset.facts = {"psnr_to_first": measured}
            video.asset.save()
    release = make(study, filter=ALL)
    said = {one["video_id"]: one for one in lines(release, "labels.jsonl")}
    assert len(said) == 4
    assert said[pairs[0].video_0.public_id]["value"] == 25
    assert said[pairs[0].video_1.public_id] | {"prompt_id": "", "video_id": ""} == {
        "prompt_id": "",
        "video_id": "",
        "pair_id": None,
        "part": "train",
        "question": "psnr_to_first",
        "labeller": "diptych",
        "labeller_version": "",
        "setting": "8 frames",
        "value": 11.5,
        "refused": False,
    }
    rows = json.loads(stored(release, "card.json"))["figures"]["labellers"]
    [row] = [one for one in rows if one["question"] == "informativeness"]
    assert (row["name"], row["value"], row["n"]) == ("psnr_to_first", 0.75, 4)  # three of four chose video 1


def test_the_table_has_every_row(study, pairs):
    label(study, pairs[0], "video_0")
    table = tables.labellers({"labellers": list(found(study).values())})
    [row] = table.rows
    assert (row[0], row[4], row[6], row[7]) == ("judge", "helpfulness", 3, 0)


def test_a_release_without_labels_says_so(study, pairs, browser_client):
    make(study, filter=ALL)
    client = browser_client(factories.member(study, "researcher"))
    page = client.get(f"/studies/{study.slug}/releases/1/figures/").content.decode()
    assert "Not enough data: no program labelled the pairs or videos of this release." in page
