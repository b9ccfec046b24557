"""The pure model: planted truth, people who are as planted, and reviewers who find what they should."""

from dataclasses import replace

import numpy as np
import pytest

from simulation import prompts, truth
from simulation.draws import normal, uniform
from simulation.people import BREAKS, Person, answer, broken, crowd
from simulation.reviewers import Reviewer, blind, defects, verdicts
from simulation.truth import HELPFULNESS, QUESTIONS, plant
from simulation.work import work_through


@pytest.fixture(scope="module")
def world():
    return plant(20_000, 1)


def answers(world, person, *, left=None, served=None, seed=1):
    pairs = np.arange(len(world))
    return answer(
        world, person, seed, pairs, pairs % 2 if left is None else left, pairs * 0 if served is None else served
    )


def share_right(world, sheet, question=HELPFULNESS):
    return (sheet.choices[:, question] == world.better[:, question]).mean()


@pytest.mark.long
def test_draws_depend_on_seed_stream_row_and_purpose_only():
    rows = np.arange(100_000)
    drawn = uniform(1, 2, rows, 3)
    assert (uniform(1, 2, rows[::-1], 3) == drawn[::-1]).all()
    assert uniform(1, 2, rows[7:8], 3) == drawn[7]
    for other in (uniform(2, 2, rows, 3), uniform(1, 3, rows, 3), uniform(1, 2, rows, 4), uniform(1, 2, rows + 1, 3)):
        assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.01
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(10_000, rel=0.05)
    assert normal(1, 2, rows, 3).std() == pytest.approx(1, abs=0.01)


@pytest.mark.long
def test_prompts_differ_and_are_mild_stand_ins():
    texts = {prompts.text_of(number) for number in range(20_000)}
    assert len(texts) == 20_000
    assert len({prompts.text_of(5, harm) for harm in range(12)}) == 12
    assert len({prompts.numbers_of(number)[:3] for number in range(5_000)}) == 512
    with pytest.raises(ValueError, match="numbers go from 0"):
        prompts.text_of(prompts.HOW_MANY)


@pytest.mark.long
def test_the_truth_has_the_published_shares(world):
    assert world.critical.mean() == pytest.approx(truth.CRITICAL_SHARE, abs=0.02)
    assert 1 - world.harmful.mean() == pytest.approx(truth.SAFE_SHARE, abs=0.02)
    assert world.tension == pytest.approx(truth.TENSION, abs=0.02)
    chosen = 2 * world.better - 1
    related = np.corrcoef(chosen.T)[HELPFULNESS][:4]
    assert related.argmax() == 0
    assert related[0] == pytest.approx(0.85, abs=0.05)


@pytest.mark.long
def test_a_video_that_is_tagged_by_itself_is_the_less_safe_one(world):
    harmful = world.harmful
    one = harmful.sum(axis=1) == 1
    assert one.sum() > 1000
    assert (world.better[one, truth.HARMLESSNESS] == harmful[one, 0]).all()
    assert not world.tags[~world.critical].any()


@pytest.mark.long
def test_a_part_of_a_world_is_as_in_the_whole(world):
    part = plant(50, 1, first=100)
    for name in ("prompt", "label", "asked", "clip", "quality", "tags", "bright"):
        assert (getattr(part, name) == getattr(world, name)[100:150]).all()


@pytest.mark.long
def test_shared_clips_are_held_out_with_their_prompts_and_occur_under_many():
    small = plant(4_000, 1, clips=120)
    held_out, rest = set(small.clip[small.held_out].ravel()), set(small.clip[~small.held_out].ravel())
    assert not held_out & rest
    assert (small.clip[:, 0] != small.clip[:, 1]).all()
    assert small.held_out.mean() == pytest.approx(0.25, abs=0.03)
    assert np.unique(small.clip, return_counts=True)[1].mean() > 20
    combinations = {tuple(row) for row in small.asked[small.held_out].tolist()}
    assert not combinations & {tuple(row) for row in small.asked[~small.held_out].tolist()}
    assert len(combinations) >= 50


@pytest.mark.long
@pytest.mark.parametrize("bias", [-0.2, 0.0, 0.2])
@pytest.mark.parametrize("careless", [0.0, 0.1])
def test_people_are_right_as_often_as_planted_whatever_their_bias(world, bias, careless):
    sheet = answers(world, Person(3, accuracy=0.75, side_bias=bias, careless=careless))
    for question in range(5):
        assert share_right(world, sheet, question) == pytest.approx(0.75, abs=0.015)
    left = (sheet.choices[:, :5] == (np.arange(len(world)) % 2)[:, None]).mean()
    assert left == pytest.approx(0.5 + (1 - careless) * bias / 2, abs=0.01)


@pytest.mark.long
def test_severe_people_give_more_tags_and_quick_people_take_less_time(world):
    strict, mild = (answers(world, Person(1, severity=severity)) for severity in (1.0, -1.0))
    assert strict.tags[world.tags].mean() > 0.93 > 0.7 > mild.tags[world.tags].mean()
    assert strict.tags.sum() > mild.tags.sum()
    assert np.median(answers(world, Person(1, seconds=20)).seconds) == pytest.approx(20, rel=0.05)


@pytest.mark.long
def test_someone_who_cannot_be_that_accurate_is_refused():
    with pytest.raises(ValueError, match="Choose an accuracy nearer to"):
        Person(0, accuracy=0.95, side_bias=0.3)


@pytest.mark.long
def test_a_crowd_is_spread_evenly():
    people = crowd(30, 1)
    assert sorted(person.accuracy for person in people) == pytest.approx(np.linspace(0.66, 0.89, 30))
    assert len({person.severity for person in people}) == 30


@pytest.mark.long
def test_each_broken_assumption_shows_in_the_answers(world):
    person = Person(1, accuracy=0.8)
    hard = np.abs(world.difference[:, HELPFULNESS]) < np.median(np.abs(world.difference[:, HELPFULNESS]))

    sheet = answers(world, replace(person, difficulty=True))
    right = sheet.choices[:, HELPFULNESS] == world.better[:, HELPFULNESS]
    assert right.mean() == pytest.approx(0.8, abs=0.02)
    assert right[~hard].mean() > right[hard].mean() + 0.1

    sheet = answers(world, replace(person, pull=0.25))
    assert (sheet.choices[:, HELPFULNESS] == world.brighter).mean() == pytest.approx(0.625, abs=0.02)

    sheet = answers(world, replace(person, half_life=5_000), served=np.arange(len(world)))
    right = sheet.choices[:, HELPFULNESS] == world.better[:, HELPFULNESS]
    assert right[:1000].mean() > 0.75
    assert right[-5000:].mean() < 0.58

    sheet = answers(world, replace(person, clicks=True, accuracy=0.5))
    assert share_right(world, sheet) == pytest.approx(0.5, abs=0.02)
    assert np.median(sheet.seconds) == pytest.approx(person.seconds, rel=0.1)


@pytest.mark.long
def test_people_who_copy_agree_more_than_their_skill_allows():
    small = plant(3_000, 1)
    people = broken(crowd(12, 1), ["copying"], 1)
    ring = {person.number for person in people if person.copies}
    table = work_through(small, people, 1, 3)
    chosen = table.sheet.choices[:, HELPFULNESS].reshape(-1, 3)
    members = table.person.reshape(-1, 3)
    inside = np.isin(members[:, 0], list(ring)) & np.isin(members[:, 1], list(ring))
    outside = ~np.isin(members[:, 0], list(ring)) & ~np.isin(members[:, 1], list(ring))
    same = chosen[:, 0] == chosen[:, 1]
    assert same[inside].mean() > same[outside].mean() + 0.15


@pytest.mark.long
def test_an_unknown_break_is_refused():
    with pytest.raises(ValueError, match="Choose from: difficulty"):
        broken(crowd(3, 1), ["weather"], 1)


@pytest.mark.long
def test_everybody_answers_equally_many_pairs_on_balanced_sides():
    table = work_through(plant(1_000, 1), crowd(10, 1), 1, 3)
    assert set(np.bincount(table.person)) <= set(range(298, 303))
    for number in range(10):
        assert table.of(number).left.mean() == pytest.approx(0.5, abs=0.06)
    sides = table.left.reshape(-1, 3).sum(axis=1)
    assert set(sides.tolist()) <= {1, 2}
    meets = {tuple(sorted(pair)) for row in table.person.reshape(-1, 3).tolist() for pair in (row[:2], row[1:])}
    assert len(meets) == 45  # everybody works beside everybody


@pytest.mark.long
def test_more_overlap_than_people_is_refused():
    with pytest.raises(ValueError, match="Add people, or ask for less overlap"):
        work_through(plant(5, 1), crowd(2, 1), 1, 3)


@pytest.mark.long
def test_reviewers_find_and_invent_defects_as_planted(world):
    table = work_through(plant(4_000, 1), crowd(10, 1), 1, 3)
    small = plant(4_000, 1)
    real = defects(small, table.pair, table.sheet)
    told = verdicts(small, Reviewer(0, finds=0.85, false_alarms=0.03), 1, table)
    assert told[real].mean() == pytest.approx(0.85, abs=0.02)
    assert told[~real].mean() == pytest.approx(0.03, abs=0.01)
    other = verdicts(small, Reviewer(1, finds=0.85, false_alarms=0.03), 1, table)
    assert (told[real] & other[real]).mean() == pytest.approx(0.85**2, abs=0.02)
    own = blind(small, Reviewer(0, accuracy=0.93), 1, np.arange(4_000), np.arange(4_000) % 2)
    assert share_right(small, own) == pytest.approx(0.93, abs=0.015)
    with pytest.raises(ValueError, match="Give a share from 0 to 1"):
        Reviewer(0, finds=1.2)


@pytest.mark.long
def test_every_break_has_a_sentence():
    assert set(BREAKS) == {"difficulty", "brightness", "fatigue", "copying", "random_clicks"}
    assert len(QUESTIONS) == 6
