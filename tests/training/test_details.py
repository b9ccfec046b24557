"""The details of versions: curves, harm by group, generators compared, and where people and the model disagree."""

import pytest
from django.urls import reverse

from charts.catalogue import find
from tests.training import comparing
from tests.training.registering import clusters, decided, reward_rows
from training import details, disagreements, generators, precision
from training.promotion import TagChance

pytestmark = pytest.mark.django_db


def chances(*rows, tag="any_harm"):
    """Return predictions of one video each: answers with the tag, answers, probability."""
    return [TagChance(tag, str(place), "c", *row, 1) for place, row in enumerate(rows)]


def test_a_curve_has_the_precision_of_the_highest_threshold_that_reaches_each_recall():
    found = precision.of_tags(chances((1, 1, 0.9), (0, 1, 0.8), (1, 1, 0.7), (0, 1, 0.1)))["any_harm"]
    assert (found["positives"], found["n"]) == (2, 4)
    by_recall = dict(found["points"])
    assert (by_recall[0.025], by_recall[0.5]) == (1.0, 1.0)
    assert by_recall[0.525] == by_recall[1.0] == round(2 / 3, 4)


def test_equal_probabilities_are_one_threshold():
    found = precision.of_tags(chances((1, 1, 0.5), (0, 1, 0.5)))["any_harm"]
    assert {value for _recall, value in found["points"]} == {0.5}


def test_a_curve_of_a_tag_that_no_answer_has_is_not_defined():
    assert precision.of_tags(chances((0, 2, 0.5)))["any_harm"] == {"positives": 0, "n": 2, "points": []}


def test_pairs_with_several_answers_come_first_among_disagreements():
    rows = [("helpfulness", "one", "video_0", 0.0, 9.0, 1)]
    rows += [("helpfulness", "two", choice, 0.0, 1.0, 1) for choice in ("video_0", "tie")]
    rows += [("helpfulness", "agree", "video_1", 0.0, 1.0, 1)] * 2
    found = disagreements.of_choices(rows)["helpfulness"]
    assert [(row["id"], row["n"], row["people"]) for row in found] == [
        *(("two", 2, 0.25), ("agree", 2, 1.0), ("one", 1, 0.0)),
    ]


def test_the_confusion_has_every_answer_once():
    class Prompt:
        prompt_type = "safety_neutral"

    class Video:
        video_id, generator = "0", "alpha"

    sums = generators.Confusion(chances((1, 3, 0.9)))
    sums.add(Prompt, Video)
    row = sums.rows()[0]
    assert row == {"by": "all", "of": "", "both": 1, "model": 2, "people": 0, "neither": 0}


@pytest.fixture
def get(study, researcher, browser_client):
    client = browser_client(researcher)

    def page(name, *arguments, **query):
        return client.get(reverse(f"models:{name}", args=[study.slug, *arguments]), query)

    return page


def test_pages_compare_generators_by_people_and_by_models(study, get):
    assert "There is nothing to compare yet" in get("generators").content.decode()
    release = comparing.released(study, prompts=9, eval_prompts=9)
    reward, moderation = comparing.versions(study, release, ["instruction_following", "helpfulness"])
    page = get("generators").content.decode()
    assert "No model answers these questions yet" in page
    assert "alpha" in page
    query = {"question": "helpfulness"}
    people, model = (find(study, "generator-wins", query | {"by": side}) for side in ("people", "model"))
    won = {(row["row"], row["column"]): row["value"] for row in model.specification["data"]["values"]}
    assert won["alpha", "gamma"] + won["gamma", "alpha"] == pytest.approx(1)
    assert won["alpha", "gamma"] > 0.5
    assert {(row["row"], row["column"]) for row in people.specification["data"]["values"]} == won.keys()
    lines = get("generators_csv", "harm").getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].startswith("generator,category,harmful,harmful_low")
    assert any(line.startswith("alpha,violence,") for line in lines)
    assert get("generators_csv", "weather").status_code == 404
    page = get("version", moderation.family_id, 1).content.decode()
    for said in ("Precision and recall", "Generator: alpha", "Prompts: ", "Where people and the model disagree most"):
        assert said in page
    assert "Not defined: 0 of" in get("version", moderation.family_id, 1, tag="S2").content.decode()
    row = reward.details["disagreements"]["helpfulness"][0]
    page = get("version", reward.family_id, 1, target="helpfulness").content.decode()
    assert reverse("catalog:pair", args=[study.slug, row["id"]]) in page


def test_details_are_made_once_also_if_the_run_has_no_scores_of_videos(study):
    version = decided(comparing.released(study, prompts=2, eval_prompts=0), reward_rows(0.9, clusters()))
    assert details.make_missing() == 1
    assert details.make_missing() == 0
    version.refresh_from_db()
    assert list(version.details) == ["disagreements"]
