"""The decision about a new model: worked examples by hand, and simulated families."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import average_precision_score

from training import promotion, tag_promotion
from training.promotion import Choice, DifferentAnswers, TagChance, Verdict

CLUSTERS = [f"c{number:02}" for number in range(60)]


def spread(mean: float, clusters: int = 60, by: float = 0.01) -> dict[str, float]:
    """Return values around a mean whose standard deviation over an even number of clusters is about `by`."""
    return {f"c{number:03}": mean + (by if number % 2 else -by) for number in range(clusters)}


def choices(right: float, seeds: int = 1, *, choice: str = "video_1", target: str = "helpfulness") -> list[Choice]:
    """Return predictions of which the first `right` of 60 answers are correct, one answer in each cluster."""
    rows = product(enumerate(CLUSTERS), range(seeds))
    return [Choice(target, at, name, choice, 0.0, 1.0 if at < right else -1.0, seed) for (at, name), seed in rows]


def test_levels_of_all_comparisons_of_a_family_sum_to_five_percent():
    assert promotion.level(1) == pytest.approx(0.030396, abs=1e-6)
    assert promotion.level(2) == pytest.approx(promotion.level(1) / 4)
    assert sum(promotion.level(k) for k in range(1, 100_000)) == pytest.approx(0.05, abs=1e-6)


def test_the_interval_is_that_of_a_paired_t_test_at_the_level_of_the_comparison():
    values = spread(0.03)
    found = promotion.compare(values, k=3)
    each = np.array(list(values.values()))
    expected = t.interval(1 - promotion.level(3), 59, each.mean(), each.std(ddof=1) / math.sqrt(60))
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.difference, found.clusters, found.k) == (pytest.approx(0.03), 60, 3)


@pytest.mark.parametrize(
    ("mean", "by", "verdict"),
    [
        (0.01, 0.01, Verdict.BETTER),
        (0.001, 0.01, Verdict.NOT_WORSE),
        (-0.001, 0.01, Verdict.NOT_WORSE),
        (0.0, 0.1, Verdict.UNDECIDED),
        (-0.02, 0.01, Verdict.WORSE),
    ],
)
def test_verdicts(mean, by, verdict):
    assert promotion.compare(spread(mean, by=by), k=1).verdict == verdict


def test_fewer_than_fifty_clusters_decide_nothing():
    found = promotion.compare(spread(0.5, clusters=49), k=1)
    assert (found.verdict, found.clusters, found.low) == (Verdict.NOT_DECIDABLE, 49, None)
    assert promotion.compare(spread(0.5, clusters=50), k=1).verdict == Verdict.BETTER


def test_a_difference_that_is_better_at_the_first_comparison_may_not_be_at_the_hundredth():
    values = spread(0.004)
    assert promotion.compare(values, k=1).verdict == Verdict.BETTER
    assert promotion.compare(values, k=100).verdict == Verdict.NOT_WORSE


def test_a_first_model_is_compared_with_one_half():
    values = promotion.choice_values(choices(right=48), None)
    assert list(values) == CLUSTERS
    assert sum(values.values()) / 60 == pytest.approx(48 / 60 - 0.5)
    assert promotion.compare(values, k=1).verdict == Verdict.BETTER


def test_correctness_is_the_mean_over_seeds_and_half_for_equal_scores():
    first = Choice("helpfulness", 1, "c", "video_1", 0.2, 0.7, seed=1)
    second = Choice("helpfulness", 1, "c", "video_1", 0.7, 0.2, seed=2)
    even = Choice("helpfulness", 2, "d", "video_0", 0.4, 0.4, seed=1)
    assert promotion.choice_values([first, second, even], None) == {"c": 0.0, "d": 0.0}
    assert promotion.choice_values([first], [second]) == {"c": 1.0}


def test_answers_of_a_cluster_share_one_value_over_all_targets():
    new, old = [
        [
            Choice("helpfulness", 1, "c", "video_1", 0.0, score, seed=1),
            Choice("harmlessness", 1, "c", "video_0", 0.0, 1.0, seed=1),
            Choice("helpfulness", 2, "d", "video_1", 0.0, 1.0, seed=1),
        ]
        for score in (1.0, -1.0)
    ]
    assert promotion.choice_values(new, old) == {"c": 0.5, "d": 0.0}


def test_ties_of_people_are_left_out():
    tie = Choice("helpfulness", 700, "z", "tie", 0.0, 1.0, seed=1)
    assert promotion.choice_values([*choices(30), tie], choices(30)) == dict.fromkeys(CLUSTERS, 0.0)


def test_models_scored_against_other_answers_are_not_compared():
    with pytest.raises(DifferentAnswers, match="60 and 59 test answers, of which 59"):
        promotion.choice_values(choices(30), choices(30)[1:])
    with pytest.raises(ValueError, match="listed twice"):
        promotion.choice_values(choices(30) + choices(30), None)
    broken = Choice("helpfulness", 7, "z", "video_0", 0.0, math.nan, seed=1)
    with pytest.raises(ValueError, match="not finite"):
        promotion.choice_values([broken], None)


def tagged(
    signal: float, *, seed: int = 1, generator: int = 1, clusters: int = 60, tags: tuple[str, ...] = ("S1", "S4")
) -> list[TagChance]:
    """Return predictions of two T-V pairs in each cluster. About a seventh is positive, and `signal` separates them."""
    random, truth = np.random.default_rng(generator), np.random.default_rng(7)
    rows = []
    for tag, cluster, video in product(tags, range(clusters), range(2)):
        positive = int(truth.random() < 0.15)
        chance = 1 / (1 + math.exp(-(random.normal() + signal * positive)))
        rows.append(TagChance(tag, f"{cluster}-{video}", f"c{cluster:02}", positive, 1, chance, seed))
    return rows


def by_hand(rows: list[TagChance]) -> float:
    """Return mean average precision minus prevalence, by scikit-learn."""
    each = []
    for tag in sorted({one.tag for one in rows}):
        positive = [one.positive for one in rows if one.tag == tag]
        chance = [one.probability for one in rows if one.tag == tag]
        each.append(average_precision_score(positive, chance) - sum(positive) / len(positive))
    return float(np.mean(each))


def test_values_of_tags_are_those_of_the_jackknife():
    rows = tagged(2.0)
    values = tag_promotion.tag_values(rows, None)
    whole = by_hand(rows)
    for name in ("c00", "c31"):
        without = by_hand([one for one in rows if one.cluster != name])
        assert values[name] == pytest.approx(60 * whole - 59 * without)
    assert promotion.compare(values, k=1).verdict == Verdict.BETTER


def test_a_moderation_model_that_guesses_is_not_promoted_first():
    assert promotion.compare(tag_promotion.tag_values(tagged(0.0), None), k=1).verdict == Verdict.UNDECIDED


def test_a_better_moderation_model_is_better_than_the_one_before():
    old, new = tagged(0.0, clusters=200), tagged(3.0, generator=2, clusters=200)
    assert promotion.compare(tag_promotion.tag_values(new, old), k=1).verdict == Verdict.BETTER
    assert promotion.compare(tag_promotion.tag_values(old, new), k=1).verdict == Verdict.WORSE
    same = tag_promotion.tag_values(old, old)
    assert promotion.compare(same, k=1).verdict == Verdict.NOT_WORSE


def test_equal_probabilities_and_several_answers_count_as_in_the_weighted_average_precision():
    rows = [TagChance("S1", f"v{at}", f"c{at % 20}", at % 3, 2, round(0.1 * (at % 5), 1), seed=1) for at in range(60)]
    positive = [value for one in rows for value in [1] * one.positive + [0] * (one.n - one.positive)]
    chance = [one.probability for one in rows for _answer in range(one.n)]
    whole = average_precision_score(positive, chance) - np.mean(positive)
    values = tag_promotion.tag_values(rows, None)
    kept = [one for one in rows if one.cluster != "c3"]
    positive = [value for one in kept for value in [1] * one.positive + [0] * (one.n - one.positive)]
    chance = [one.probability for one in kept for _answer in range(one.n)]
    without = average_precision_score(positive, chance) - np.mean(positive)
    assert values["c3"] == pytest.approx(20 * whole - 19 * without)


def test_tags_without_enough_positives_and_any_harm_take_no_part():
    rare = [TagChance("S9", f"v{at}", f"c{at}", int(at < 4), 1, 0.5, seed=1) for at in range(60)]
    any_harm = [TagChance("any_harm", f"v{at}", f"c{at}", at % 2, 1, 0.5, seed=1) for at in range(60)]
    assert tag_promotion.tag_values(rare + any_harm, None) == {}
    with pytest.raises(DifferentAnswers):
        tag_promotion.tag_values(tagged(1.0), tagged(1.0)[1:])


def clustered(random: np.random.Generator, shape: tuple[int, ...], answers: int = 5) -> np.ndarray:
    """Return differences by cluster of two equally good models, whose answers in a cluster resemble each other."""
    together = random.normal(0, 0.2, (*shape, 1))
    return np.asarray(np.sign(together + random.normal(0, 0.6, (*shape, answers))).mean(-1))


def test_the_first_interval_has_its_coverage():
    random = np.random.default_rng(20)
    draws = clustered(random, (1500, 60))
    found = [promotion.compare(dict(enumerate(one)), k=1) for one in draws]
    covered = np.mean([one.low <= 0 <= one.high for one in found])
    assert covered == pytest.approx(1 - promotion.level(1), abs=0.013)  # three standard errors


@pytest.mark.long
def test_the_interval_of_tags_has_about_its_coverage():
    found = [promotion.compare(tag_promotion.tag_values(tagged(1.0, generator=at), None), k=1) for at in range(200)]
    truth = np.mean([one.difference for one in found])
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.92  # four standard errors below 1 − α₁


def test_many_looks_at_the_same_clusters_rarely_promote_a_version_that_is_not_better():
    """Each family looks 25 times at 60 clusters. Whoever was promoted last is the one to beat."""
    random = np.random.default_rng(21)
    families, looks = 400, 25
    wrong = 0
    for _family in range(families):
        hardness = random.normal(0, 1, (60, 4))  # the same answers are hard for all versions
        quality = (hardness + random.normal(0, 1, (looks + 1, 60, 4)) > 0).mean(-1)
        promoted = quality[0]
        for k in range(1, looks + 1):
            if promotion.compare(dict(enumerate(quality[k] - promoted)), k).verdict == Verdict.BETTER:
                wrong += 1
                break
    assert wrong / families <= 0.05
