"""Reliability of people: another library, planted accuracies, and what must not matter."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from diptych.statistics.figures import NotDefined
from diptych.statistics.hypergeometric import BadNumbers
from diptych.statistics.reliability import Judgement, Prior, reliability, side_bias, tag_reliability

REFERENCES = json.loads((Path(__file__).parent / "data" / "references.json").read_text())["dawid_skene"]
PREFERENCES = ("video_0", "video_1")
OTHER = {"video_0": "video_1", "video_1": "video_0"}


@pytest.mark.parametrize("reference", REFERENCES)
def test_one_coin_dawid_skene_agrees_with_crowd_kit(reference):
    judgements = [Judgement(*answer) for answer in reference["answers"]]
    found = reliability(judgements, range(reference["values"]), prior=Prior(0, 0), tolerance=1e-10, steps=5000)
    assert found.settled
    expected = {int(person): share for person, share in reference["accuracy"].items()}
    assert found.accuracy == pytest.approx(expected, abs=1e-5)


def planted(seed, each):
    """Return answers of 30 people, three to a pair, their accuracies from 0.66 to 0.89, and their hits."""
    random = np.random.default_rng(seed)
    accuracy = random.permutation(np.linspace(0.66, 0.89, 30))
    left, hits, judgements = np.full(30, float(each)), np.zeros(30), []
    for unit in range(10 * each):
        three = np.argsort(-(left + random.random(30)))[:3]
        left[three] -= 1
        right = PREFERENCES[random.integers(2)]
        for person in three.tolist():
            hit = random.random() < accuracy[person]
            hits[person] += hit
            judgements.append(Judgement(unit, person, right if hit else OTHER[right]))
    return judgements, accuracy, hits


def estimated(judgements):
    found = reliability(judgements, PREFERENCES, both_orders=True)
    return [found.accuracy[person] for person in range(30)]


def test_planted_accuracies_are_found_from_1000_answers():
    judgements, accuracy, _ = planted(1, 1000)
    found = estimated(judgements)
    assert spearmanr(found, accuracy).statistic >= 0.9
    assert np.abs(found - accuracy).mean() < 0.025


@pytest.mark.long
def test_from_100_answers_most_of_what_the_truth_would_tell_is_found():
    reached, possible = [], []
    for seed in range(10):
        judgements, accuracy, hits = planted(seed, 100)
        reached.append(spearmanr(estimated(judgements), accuracy).statistic)
        possible.append(spearmanr(hits, accuracy).statistic)
    assert np.mean(reached) >= 0.8 * np.mean(possible)


def test_it_does_not_matter_which_video_is_number_0():
    judgements, _, _ = planted(3, 40)
    turned = [Judgement(one.unit, one.person, OTHER[one.value] if one.unit % 3 else one.value) for one in judgements]
    assert estimated(judgements) == pytest.approx(estimated(turned))


def test_answers_that_nobody_else_gave_too_do_not_count():
    alone = [Judgement(f"alone {unit}", "ann", "video_0") for unit in range(20)]
    shared = [Judgement(unit, person, "video_0") for unit in range(5) for person in ("ann", "bo")]
    found = reliability(alone + shared, PREFERENCES)
    assert found.answers == {"ann": 5, "bo": 5}
    assert set(found.probabilities) == set(range(5))
    assert reliability(alone, PREFERENCES) is NotDefined.NO_OVERLAP
    assert reliability([], PREFERENCES) is NotDefined.NO_OVERLAP


def test_few_answers_do_not_make_anybody_perfect():
    shared = [Judgement(unit, person, "video_0") for unit in range(2) for person in ("ann", "bo")]
    assert reliability(shared, PREFERENCES).accuracy["ann"] < 0.9
    assert reliability(shared, PREFERENCES, prior=Prior(0, 0)).accuracy["ann"] == 1


def tag_judgements(units, given):
    return [Judgement(unit, person, unit < given) for unit in range(units) for person in ("ann", "bo")]


def test_a_tag_needs_50_positives():
    assert tag_reliability(tag_judgements(100, 24)) is NotDefined.NOT_ENOUGH
    assert tag_reliability(tag_judgements(100, 25)).accuracy["ann"] > 0.9
    assert tag_reliability([]) is NotDefined.NO_OVERLAP


@pytest.mark.parametrize(
    ("judgements", "values", "message"),
    [
        ([Judgement(1, "ann", "a"), Judgement(1, "bo", "z")], "ab", r"“z” of unit “1” is none of: a, b\. Correct it"),
        ([Judgement(1, "ann", "a"), Judgement(1, "ann", "b")], "ab", "“ann” has two answers to unit “1”"),
        ([Judgement(1, "ann", "a"), Judgement(1, "bo", "a")], "a", "Give all its values"),
    ],
)
def test_bad_judgements_are_refused(judgements, values, message):
    with pytest.raises(ValueError, match=message):
        reliability(judgements, tuple(values))


def test_side_bias():
    assert side_bias(50, 50).share == 0.5
    assert not side_bias(55, 45).beyond_chance
    assert side_bias(70, 30).beyond_chance
    assert side_bias(30, 70).beyond_chance
    assert side_bias(0, 0).share is None
    assert not side_bias(0, 0).beyond_chance
    with pytest.raises(BadNumbers):
        side_bias(-1, 5)
