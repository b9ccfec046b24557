"""Correlations of tags and of choices, against numbers computed by hand and against numpy; shares over clusters."""

import numpy as np
import pytest

from diptych.statistics import associations
from diptych.statistics.figures import NotDefined


def test_two_tags_by_hand():
    """Of 10 units, 4 have the first tag, 5 the second, 3 both: (10·3 - 4·5) / √(4·6·5·5) = 10/√600."""
    found = associations.of_tags(np.array([[4, 3], [3, 5]]), 10)
    assert found[1][0] == pytest.approx(10 / 600**0.5)
    assert found[0][0] == pytest.approx(1)


def test_a_tag_that_nothing_or_everything_has_is_not_defined():
    both = np.array([[0, 0, 0], [0, 10, 4], [0, 4, 4]])
    found = associations.of_tags(both, 10)
    assert found[1][0] == found[2][0] == found[2][1] == NotDefined.ALL_ALIKE


def test_tags_are_as_numpy_has_them():
    units = np.random.default_rng(1).random((400, 5)) < [0.1, 0.3, 0.5, 0.02, 0.8]
    expected = np.corrcoef(units.T.astype(float))
    given = units.astype(np.int64)
    assert np.allclose(np.array(associations.of_tags(given.T @ given, 400), dtype=float), expected)


def joint(answers):
    counts = np.zeros((3,) * answers.shape[1], dtype=np.int64)
    np.add.at(counts, tuple(answers.T), 1)
    return counts


def test_without_ties_a_correlation_is_twice_the_agreement_less_one():
    answers = np.array([[0, 0], [2, 2], [2, 0], [0, 0]])
    assert associations.of_choices(joint(answers))[1][0] == pytest.approx(2 * 0.75 - 1)


def test_choices_are_as_numpy_has_them_with_each_answer_in_both_orders():
    random = np.random.default_rng(2)
    answers = random.integers(0, 3, (300, 4))
    answers[:, 1] = np.where(random.random(300) < 0.6, answers[:, 0], answers[:, 1])
    values = answers / 2
    expected = np.corrcoef(np.concatenate([values, 1 - values]).T)
    assert np.allclose(np.array(associations.of_choices(joint(answers)), dtype=float), expected)


def test_which_video_is_number_0_does_not_matter():
    answers = np.random.default_rng(3).choice([0, 2], (200, 2))
    exchanged = answers.copy()
    exchanged[:77] = 2 - exchanged[:77]
    assert associations.of_choices(joint(answers)) == associations.of_choices(joint(exchanged))


def test_a_question_of_which_all_answers_are_ties_is_not_defined():
    assert associations.of_choices(joint(np.array([[0, 1], [2, 1]])))[1][0] == NotDefined.ALL_ALIKE


class TestShares:
    def test_a_share_of_few_clusters_has_no_interval(self):
        found = associations.share(np.array([[1.0, 2.0], [1.0, 1.0], [0.0, 0.0]]))
        assert (found.value, found.interval, found.units) == (pytest.approx(2 / 3), NotDefined.NOT_ENOUGH, 3)

    def test_nothing_has_no_share(self):
        assert associations.share(np.zeros((4, 2))).value == NotDefined.NO_OVERLAP

    def test_the_interval_is_that_of_a_binomial_where_clusters_are_single_units(self):
        sums = np.stack([np.arange(400) % 4 == 0, np.ones(400)], axis=1).astype(float)
        low, high = associations.share(sums).interval
        wide = 1.96 * (0.25 * 0.75 / 400) ** 0.5
        assert (low, high) == (pytest.approx(0.25 - wide, abs=0.006), pytest.approx(0.25 + wide, abs=0.006))


def test_the_lower_triangle_names_each_two_once():
    assert associations.lower_triangle("abc", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == [
        ("b", "a", 4),
        ("c", "a", 7),
        ("c", "b", 8),
    ]
