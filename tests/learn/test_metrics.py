"""Figures, compared with scikit-learn and with what is planted."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, matthews_corrcoef

from training.learn import features, metrics


@pytest.fixture
def random():
    return np.random.default_rng(3)


@pytest.mark.parametrize("digits", [1, 8])  # with one digit many probabilities are equal
def test_average_precision_is_that_of_scikit_learn(random, digits):
    probability, n = random.random(300).round(digits), random.integers(1, 4, 300)
    positive = random.binomial(n, probability)
    ours = metrics.average_precision(probability, positive, n, np.ones((1, 300)))[0]
    truth = np.concatenate([np.repeat([1, 0], [p, k - p]) for p, k in zip(positive, n, strict=True)])
    assert ours == pytest.approx(average_precision_score(truth, np.repeat(probability, n)))


def test_a_draw_counts_items_as_often_as_it_has_them(random):
    probability, positive, n = random.random(40), random.integers(0, 2, 40), np.ones(40, int)
    weights = random.integers(0, 3, (1, 40))
    often = np.repeat(np.arange(40), weights[0])
    ours = metrics.average_precision(probability, positive, n, weights)[0]
    assert ours == pytest.approx(average_precision_score(positive[often], probability[often]))


def test_mcc_is_that_of_scikit_learn(random):
    said, positive = random.random(200) > 0.4, random.integers(0, 2, 200)
    sums = metrics.confusion_sums(said, positive, np.ones(200, int)).sum(0, keepdims=True)
    assert metrics.mcc(sums)[0] == pytest.approx(matthews_corrcoef(positive, said))
    assert np.isnan(metrics.mcc(np.array([[3.0, 2.0, 0.0, 0.0]])))[0]


def test_intervals_cover_the_truth_as_often_as_they_say(random):
    """Answers of one cluster are alike, so intervals that took them as independent would be too narrow."""
    covered = 0
    for trial in range(60):
        share = random.beta(7, 3, 80)
        right = random.binomial(10, share)
        _value, low, high, _note = metrics.interval(np.stack([right, np.full(80, 10)], 1), metrics.ratio, trial)
        covered += low <= 0.7 <= high
    assert covered >= 52  # 0.95 · 60 is 57; fewer than 52 have a chance below 1 %


def test_with_few_clusters_there_is_no_interval():
    value, low, high, note = metrics.interval(np.ones((49, 2)), metrics.ratio)
    assert (value, low, high, note) == (1.0, None, None, "not decidable: 49 of 50 clusters")


def test_a_score_tie_counts_half_and_a_human_tie_is_only_met_by_saying_so():
    difference, choice = np.array([0.5, -0.5, 0.0, 0.1, 2.0]), np.array([1, 1, 0, 2, 2])
    assert metrics.agreement(difference, choice, 0.0).tolist() == [1, 0, 0.5, 0, 0]
    assert metrics.agreement(difference, choice, 0.2).tolist() == [1, 0, 0, 1, 0]
    assert metrics.best_threshold(difference, np.array([1, 0, 0, 1, 1])) == 0.0


def test_the_threshold_that_is_best_is_found(random):
    difference = random.normal(0, 1, 2000)
    choice = np.where(np.abs(difference) < 0.5, 2, (difference > 0).astype(int))
    assert metrics.best_threshold(difference, choice) == pytest.approx(0.5, abs=0.05)


def test_chances_that_are_too_weak_have_a_calibration_error(random):
    chance = random.random(4000)
    happened = (random.random(4000) < chance).astype(float)

    def error(said):
        return metrics.calibration_error(metrics.calibration_sums(said, happened).sum(0, keepdims=True))[0]

    assert error(chance) < 0.03
    assert error(0.5 + 0.4 * (chance - 0.5)) > 0.1


def test_the_ceiling_is_the_accuracy_of_who_knows_every_chance():
    chance = 0.8  # on every pair: two people agree with 0.68, and the best predictor with 0.8
    assert metrics.ceiling(chance**2 + (1 - chance) ** 2) == pytest.approx(chance)


def test_the_principal_components_are_those_of_all_eigenvectors(random):
    data = random.normal(size=(300, 120)) * np.linspace(3, 0.1, 120)
    covariance = np.cov(data.T)
    components, values = features.principal(covariance, 20)
    expected, vectors = np.linalg.eigh(covariance)
    assert values.sum() == pytest.approx(expected[::-1][:20].sum(), rel=0.01)
    assert np.allclose(components.T @ components, np.eye(20), atol=1e-8)
    assert abs(components[:, 0] @ vectors[:, -1]) == pytest.approx(1, abs=1e-6)
