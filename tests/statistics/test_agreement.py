"""Agreement on preferences, tags and sets of tags: known cases, other libraries, and what must not matter."""

import json
from fractions import Fraction
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from diptych.statistics.agreement import (
    TIE,
    VIDEO_0,
    VIDEO_1,
    FourCounts,
    agreement,
    alpha,
    mean_over_tags,
    preference_agreement,
    tag_agreement,
)
from diptych.statistics.figures import NotDefined
from diptych.statistics.measures import AC1, PERCENT, POSITIVE, coded, tally
from diptych.statistics.tag_sets import masi, tag_set_agreement

DATA = Path(__file__).parent / "data"
CASES = json.loads((DATA / "alpha.json").read_text())
GWET = json.loads((DATA / "references.json").read_text())["gwet"]
TAGS = ["porn", "animal_abuse", "child_abuse", "crime", "controversial", "contraband", "hate", "violence", "racism"]
TAGS += ["other_discrimination", "terrorism", "other_harmful"]

some_units = st.integers(2, 5).flatmap(
    lambda people: st.lists(st.lists(st.sampled_from([0, 1, 2, None]), min_size=people, max_size=people), min_size=1)
)
preferences = st.lists(st.lists(st.sampled_from([VIDEO_0, TIE, VIDEO_1, None]), max_size=4), max_size=30)
tag_sets = st.lists(
    st.lists(st.none() | st.frozensets(st.sampled_from("abc")), min_size=2, max_size=4), min_size=1, max_size=25
)


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_known_cases(case):
    found = alpha(case["units"])
    if case["exactly"] is None:
        answers = {value for unit in case["units"] for value in unit}
        alike = len(answers) == 1
        assert found is (NotDefined.ALL_ALIKE if alike else NotDefined.NO_OVERLAP)
    else:
        assert found == pytest.approx(float(Fraction(case["exactly"])), abs=1e-12)


@pytest.mark.long
@given(some_units, st.sampled_from(["nominal", "ordinal"]))
def test_alpha_agrees_with_krippendorff(units, level):
    found = alpha(units, [0, 1, 2], ordinal=level == "ordinal")
    table = np.array([[np.nan if value is None else value for value in unit] for unit in units]).T
    try:
        with np.errstate(all="ignore"):
            expected = krippendorff.alpha(table, level_of_measurement=level, value_domain=[0, 1, 2])
    except ValueError:
        expected = np.nan
    if isinstance(found, NotDefined):
        assert np.isnan(expected)
    else:
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("reference", GWET)
def test_gwets_ac1_agrees_with_irrcac(reference):
    counts = tally(coded(reference["units"], range(reference["values"])), reference["values"])
    assert agreement(PERCENT, counts).value == pytest.approx(reference["percent"], abs=1e-9)
    assert agreement(AC1, counts).value == pytest.approx(reference["ac1"], abs=1e-9)


@pytest.mark.long
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_positive_agreement_of_two_people_is_the_f1_score(units):
    found = agreement(POSITIVE, tally(coded(units, [False, True]), 2)).value
    one, other = zip(*units, strict=True)
    if not (any(one) or any(other)):
        assert found is NotDefined.ALL_ALIKE
    else:
        assert found == pytest.approx(f1_score(one, other))


@pytest.mark.long
@given(preferences, st.integers(0, 2**32))
def test_it_does_not_matter_which_video_is_number_0(units, seed):
    other = {VIDEO_0: VIDEO_1, VIDEO_1: VIDEO_0, TIE: TIE, None: None}
    swapped = np.random.default_rng(seed).random(len(units)) < 0.5
    turned = [[other[v] for v in unit] if turn else unit for unit, turn in zip(units, swapped, strict=True)]
    one, two = preference_agreement(units, ties=True), preference_agreement(turned, ties=True)
    for name in ("percent", "nominal", "ordinal"):
        assert getattr(one, name).value == pytest.approx(getattr(two, name).value, abs=1e-12)


def test_forced_choices_of_two_people_have_alpha_twice_the_agreement_less_1():
    units = [[VIDEO_0, VIDEO_0]] * 700 + [[VIDEO_0, VIDEO_1]] * 300
    found = preference_agreement(units)
    assert found.percent.value == pytest.approx(0.7)
    assert found.nominal.value == pytest.approx(0.4, abs=0.001)
    assert found.ordinal is None
    with pytest.raises(ValueError, match=r"“tie” of unit 0 is none of: video_0, video_1\. Correct it"):
        preference_agreement([[TIE, VIDEO_0]])


def test_ties_are_values_and_skips_are_gaps():
    units = [[VIDEO_0, VIDEO_0], [TIE, VIDEO_1], [VIDEO_1, VIDEO_1], [TIE, TIE], [VIDEO_0, None], []]
    found = preference_agreement(units, ties=True)
    assert (found.percent.value, found.percent.units, found.percent.answers) == (0.75, 4, 8)
    assert found.ordinal.value > found.nominal.value
    everything_alike = preference_agreement([[TIE, TIE]] * 3, ties=True)
    assert everything_alike.nominal.value is NotDefined.ALL_ALIKE
    assert everything_alike.percent.value == 1
    assert preference_agreement([[VIDEO_0]]).percent.value is NotDefined.NO_OVERLAP


def test_ordinal_values_need_their_order():
    with pytest.raises(ValueError, match="Ordinal values need their order"):
        alpha([[1, 2]], ordinal=True)


@pytest.fixture(scope="module")
def rare():
    rows = [json.loads(line) for line in (DATA / "tags.jsonl").read_text().splitlines()]
    return [[row["a"], row["b"]] for row in rows], [row["unit"] for row in rows]


def test_rare_tags_have_counts_and_no_mean_over_tags_that_never_occur(rare):
    tags = {found.tag: found for found in tag_agreement(*rare[:1], TAGS, rare[1])}
    assert tags["violence"].counts == FourCounts(both=2, first=0, second=0, neither=97)
    assert tags["crime"].counts == FourCounts(both=0, first=1, second=1, neither=97)
    assert tags["hate"].counts == FourCounts(both=0, first=1, second=0, neither=98)
    assert tags["racism"].counts == FourCounts(both=0, first=0, second=0, neither=99)
    assert tags["racism"].alpha.value is tags["racism"].positive.value is NotDefined.ALL_ALIKE
    assert tags["racism"].ac1.value == 1
    assert [tags[tag].positive.value for tag in ("violence", "crime", "hate", "terrorism")] == [1, 0, 0, 0]
    assert tags["crime"].percent.value == pytest.approx(97 / 99)
    means = mean_over_tags(list(tags.values()))
    assert (means.tags, means.positive) == (4, 0.25)
    assert mean_over_tags([tags["racism"]]).alpha is NotDefined.ALL_ALIKE


def test_sets_of_rare_tags(rare):
    found = tag_set_agreement(rare[0], TAGS, rare[1])
    assert (found.masi.value, found.masi.units) == (pytest.approx((95 + 1 + 1 / 3) / 99), 99)
    assert (found.masi_tagged.value, found.masi_tagged.units) == (pytest.approx((1 + 1 / 3) / 4), 4)
    assert found.masi_tagged.interval is NotDefined.NOT_ENOUGH
    low, high = found.masi.interval
    assert low < found.masi.value < high


def test_masi():
    assert masi([], []) == 1
    assert masi("a", []) == masi("a", "b") == 0
    assert masi("ab", "ba") == 1
    assert masi("ab", "a") == pytest.approx(1 / 2 * 2 / 3)
    assert masi("ab", "bc") == pytest.approx(1 / 3 * 1 / 3)


def slow_alpha_of_sets(units):
    """Return alpha by its definition, one pair of answers at a time."""
    units = [[answer for answer in unit if answer is not None] for unit in units]
    units = [unit for unit in units if len(unit) > 1]
    answers = [answer for unit in units for answer in unit]

    def distances(unit):
        return sum(1 - masi(one, other) for i, one in enumerate(unit) for j, other in enumerate(unit) if i != j)

    expected = distances(answers)
    observed = sum(distances(unit) / (len(unit) - 1) for unit in units)
    return 1 - (len(answers) - 1) * observed / expected if expected else None


@pytest.mark.long
@given(tag_sets)
def test_alpha_of_sets_agrees_with_its_definition(units):
    found, expected = tag_set_agreement(units, "abc").alpha, slow_alpha_of_sets(units)
    if expected is None:
        assert isinstance(found, NotDefined)
    else:
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.long
@given(tag_sets)
def test_a_tag_alone_agrees_with_its_four_counts(units):
    for found in tag_agreement(units, "abc"):
        counts = found.counts
        pairs = sum(m * (m - 1) // 2 for m in (sum(a is not None for a in unit) for unit in units))
        assert counts.both + counts.first + counts.second + counts.neither == pairs
        tagged = 2 * counts.both + counts.first + counts.second
        if tagged:
            assert found.positive.value == pytest.approx(2 * counts.both / tagged)
            assert found.given > 0
        else:
            assert found.positive.value in {NotDefined.ALL_ALIKE, NotDefined.NO_OVERLAP}


@pytest.mark.parametrize("measure", [tag_agreement, tag_set_agreement])
def test_unknown_tags_are_refused(measure):
    with pytest.raises(ValueError, match=r"Unit 1 has the unknown tag “z”\. Correct it"):
        measure([[[], []], [["a"], ["z"]]], ["a"])


def test_no_units_at_all():
    assert tag_set_agreement([], TAGS).masi.value is NotDefined.NO_OVERLAP
    assert tag_set_agreement([[None, ["crime"]]], TAGS).alpha is NotDefined.NO_OVERLAP
    assert tag_agreement([], ["a"])[0].positive.value is NotDefined.NO_OVERLAP
