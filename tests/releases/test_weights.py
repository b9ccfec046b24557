"""Reliability weights: from which answers they are, who has them, and that a release keeps them."""

import pytest

from annotation.protocol import SUB_DIMENSION_KEYS
from figures.annotators.tables import training_reliability
from releases import making, weights
from releases.filters import Filter
from tests import factories
from tests.figures.figuring import asked, given, sampled
from tests.releases.releasing import lines, make, validator

pytestmark = pytest.mark.django_db

QUESTIONS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")
EVERYTHING = Filter(decisions=("accepted", "none"))
LEFT, RIGHT = (dict.fromkeys(QUESTIONS, video) for video in ("video_0", "video_1"))


@pytest.fixture
def people(study):
    """Three people: two who agree on training prompts, and one who is alone. On a test prompt it is the other way."""
    three = [factories.member(study, "annotator") for _ in range(3)]
    for split, odd in (("train", 2), ("train", 2), ("test", 0)):
        pair = sampled(study, prompt=factories.prompt(study, split=split))
        for place, person in enumerate(three):
            given(pair, person, standing={"counted": True}, **(RIGHT if place == odd else LEFT))
    return three


def by_person(release, people):
    from releases.codes import code

    found = {line["annotator_id"]: line for line in lines(release, "annotations.jsonl")}
    return [found.get(code(release.family, person.pk)) for person in people]


@pytest.mark.long
def test_a_weight_follows_from_training_answers_of_the_newest_figures(study, people):
    newcomer = factories.member(study, "annotator")
    run = asked(study, "annotators")
    alone = factories.pair(study)
    given(alone, newcomer, standing={"counted": True})
    release = make(study, filter=EVERYTHING, with_weights=True)
    assert (release.state, release.reason) == ("done", "")
    first, second, third, new = by_person(release, [*people, newcomer])
    assert first["weights"] == second["weights"]
    assert first["weights"]["helpfulness"] > 1 > third["weights"]["helpfulness"] >= 0
    assert first["weight"] == pytest.approx(sum(first["weights"].values()) / 6, abs=1e-4)
    assert (new["weight"], new["weights"]) == (1, dict.fromkeys(QUESTIONS, 1))
    about = release.manifest["weights"]
    assert (about["run"], about["people"], about["method"]) == (run.pk, 3, weights.METHOD)
    assert [error.message for error in validator("manifest").iter_errors(release.manifest)] == []


def test_answers_on_test_prompts_do_not_count(study, people):
    reliability = training_reliability(asked(study, "annotators"))
    first, _second, third = (reliability[person.pk]["helpfulness"] for person in people)
    assert first > third
    assert set(reliability) == {person.pk for person in people}


@pytest.mark.long
def test_a_release_has_no_weights_unless_somebody_asks_for_them(study, people):
    asked(study, "annotators")
    release = make(study, filter=EVERYTHING)
    assert {(line["weight"], line["weights"]) for line in lines(release, "annotations.jsonl")} == {(1, None)}
    assert release.manifest["weights"] is None


@pytest.mark.long
def test_without_figures_all_weights_are_one_and_the_manifest_says_so(study, people):
    release = make(study, filter=EVERYTHING, with_weights=True)
    assert {line["weight"] for line in lines(release, "annotations.jsonl")} == {1}
    assert release.manifest["weights"] == {"run": None, "computed_on": None, "people": 0, "method": weights.METHOD}


@pytest.mark.long
def test_later_figures_do_not_change_a_release(study, people, tmp_path):
    asked(study, "annotators")
    release = make(study, filter=EVERYTHING, with_weights=True)
    for person in people:
        given(sampled(study, prompt=factories.prompt(study, split="train")), person, **RIGHT)
    asked(study, "annotators")
    assert making.rebuild(release, tmp_path) == []


def test_the_average_weight_is_one_and_a_coin_has_none():
    found = weights.of_reliability({1: {"helpfulness": 0.9}, 2: {"helpfulness": 0.7}, 3: {"helpfulness": 0.4}, 4: {}})
    assert {person: of["helpfulness"] for person, of in found.items()} == {1: 2.0, 2: 1.0, 3: 0.0}
    assert found[1]["aesthetics"] == 1
