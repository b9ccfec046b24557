"""The CSV for VideoReward, and the options that say which question each column has."""

import csv
import io

import pytest

from diptych.refusals import BadInput
from releases import options
from releases.filters import Filter
from tests import factories
from tests.releases.releasing import make, stored, validator

pytestmark = pytest.mark.django_db

PLAYBACK = {"playback": {"frames": 48}}


def rows(release):
    return list(csv.DictReader(io.StringIO(stored(release, "videoreward.csv").decode("utf-8-sig"))))


@pytest.fixture
def pair(study):
    prompt = factories.prompt(study, text="=1+1, a ball", split="train")
    zero, one = (
        factories.video(prompt, asset=factories.asset(facts=PLAYBACK), generator=name) for name in ("lake", "reef")
    )
    return factories.pair(study, prompt=prompt, video_0=zero, video_1=one, wanted=2)


def released(study, *bodies, **values):
    for body in bodies:
        factories.answer(factories.member(study, "annotator"), study, **body)
    return make(study, filter=Filter(decisions=("none",)), formats=["videoreward"], **values)


def test_a_row_has_the_four_columns_ours_and_facts_of_the_played_file(study, pair):
    release = released(study, {})
    [row] = rows(release)
    assert [row[name] for name in ("VQ", "MQ", "TA", "Overall")] == ["B", "B", "A", "A"]
    questions = ("aesthetics", "correctness", "instruction_following", "helpfulness", "harmlessness")
    assert [row[name] for name in questions] == ["B", "B", "A", "A", "A"]
    assert (row["A_model"], row["B_model"], row["fps_A"], row["num_frames_B"]) == ("lake", "reef", "24.0", "48")
    assert row["path_A"] == f"videos/{pair.prompt.public_id}/{pair.video_0.public_id}.mp4"
    assert (row["pair_id"], row["part"], row["n"]) == (pair.public_id, "train", "1")
    assert row["prompt"] == "'=1+1, a ball"  # no spreadsheet calculates it
    assert release.manifest["options"] == {"videoreward": options.VIDEOREWARD_COLUMNS}
    assert [error.message for error in validator("manifest").iter_errors(release.manifest)] == []


def test_where_no_video_has_more_than_half_the_row_says_same_and_the_counts_why(study, pair):
    study.allow_ties = True
    study.save()
    helpfulness = factories.body()["helpfulness"]
    second = helpfulness | {"overall": "video_1", "aesthetics": "tie", "correctness": "video_1"}
    [row] = rows(released(study, {}, {"helpfulness": second}))
    assert [row[name] for name in ("VQ", "MQ", "TA", "Overall")] == ["same", "B", "A", "same"]
    assert [row[f"helpfulness_{word}"] for word in ("A", "B", "same")] == ["1", "1", "0"]
    assert [row[f"aesthetics_{word}"] for word in ("A", "B", "same")] == ["0", "1", "1"]


def test_another_question_can_be_chosen_for_a_column(study, pair):
    release = released(study, {}, options={"videoreward": {"MQ": "informativeness"}})
    [row] = rows(release)
    assert (row["MQ"], row["correctness"], row["informativeness"]) == ("A", "B", "A")
    assert release.options["videoreward"] == options.VIDEOREWARD_COLUMNS | {"MQ": "informativeness"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parquet": {}}, "There is no option parquet"),
        ({"videoreward": {"XQ": "aesthetics"}}, "has no column XQ"),
        ({"videoreward": {"VQ": "beauty"}}, "There is no question beauty"),
    ],
)
def test_options_that_do_not_exist_are_refused(given, said):
    with pytest.raises(BadInput, match=said) as refusal:
        options.checked(["videoreward"], given)
    assert refusal.value.field == "options"


def test_options_of_a_format_that_was_not_chosen_are_left_out():
    assert options.checked(["jsonl"], {"videoreward": {"MQ": "informativeness"}}) == {}
