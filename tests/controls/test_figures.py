"""Figures of people on controls: exact intervals, alarms only when they are due, and the honest rate."""

from math import comb

import pytest
from django.db import transaction
from django.utils import timezone
from scipy.stats import binomtest

from annotation.models import Seat
from annotation.seats import locked_seat
from controls import lists, withdrawing
from controls.control_kinds import KINDS
from controls.figures import (
    BELOW_HONEST,
    JUDGED_AT,
    RANDOM_CLICKING,
    Counts,
    alarm_of,
    counts_of,
    figures_of,
    honest_of,
)
from tests import factories
from tests.controls.made import control_of, results

HONEST = KINDS["consensus_repeat"].honest


@pytest.fixture
def control(study):
    return control_of(study, factories.pair(study, held="elsewhere"))


def share(n, right):
    return [place < right for place in range(n)]


@pytest.mark.long
@pytest.mark.django_db
class TestFigures:
    def test_they_are_of_one_person_and_kind_with_the_exact_interval(self, study, control):
        careful, careless = factories.member(study, "annotator"), factories.member(study, "annotator")
        results(control, careful, share(60, 50))
        results(control, careless, share(8, 3))
        found = figures_of(study)
        assert set(found) == {careful.pk, careless.pk}
        figures = found[careful.pk]["consensus_repeat"]
        exact = binomtest(50, 60).proportion_ci(method="exact")
        assert (figures.n, figures.right, figures.right_at) == (60, 50, {50: 50})
        assert (figures.low, figures.high) == pytest.approx((exact.low, exact.high), abs=1e-9)
        assert found[careless.pk]["consensus_repeat"].right_at == {}

    def test_a_withdrawn_control_is_in_no_figure_from_then_on(self, study, control, annotator, researcher):
        other = control_of(study, factories.pair(study, held="elsewhere"))
        results(control, annotator, share(30, 0))
        results(other, annotator, share(5, 5))
        assert figures_of(study)[annotator.pk]["consensus_repeat"].n == 35
        withdrawing.withdraw(control, because="It was wrong.", actor=researcher)
        figures = figures_of(study)[annotator.pk]["consensus_repeat"]
        assert (figures.n, figures.right, figures.alarm) == (5, 5, "")

    def test_the_honest_rate_is_estimated_once_ten_people_have_twenty_results(self, study, control):
        for place in range(9):
            results(control, factories.member(study, "annotator"), share(20, 14 + place % 3))
        assert honest_of(counts_of(study))["consensus_repeat"].rate == HONEST
        results(control, factories.member(study, "annotator"), share(19, 0))
        assert honest_of(counts_of(study))["consensus_repeat"].people is None, "19 results are not enough"
        results(control, factories.member(study, "annotator"), share(20, 0))
        assert honest_of(counts_of(study))["consensus_repeat"].people is None, "who clicks at random is left out"
        results(control, factories.member(study, "annotator"), share(20, 15))
        estimated = honest_of(counts_of(study))["consensus_repeat"]
        assert (estimated.people, estimated.rate) == (10, pytest.approx(0.75, abs=0.03))

    @pytest.mark.parametrize("kind", list(KINDS))
    def test_each_kind_is_estimated_from_few_results_of_many_people_too(self, kind):
        few = [Counts(person, kind, 20 if person < 9 else 6, 16 if person < 9 else 4, ()) for person in range(13)]
        found = honest_of(few)
        assert (found[kind].people, found[kind].results) == (13, 204)
        assert found[kind].rate == pytest.approx(160 / 204)
        assert {other: found[other].rate for other in KINDS if other != kind} == {
            other: KINDS[other].honest for other in KINDS if other != kind
        }
        assert honest_of(few[:12])[kind].people is None, "198 results are not enough"

    def test_people_who_are_stopped_are_left_out(self, study, control):
        people = [factories.member(study, "annotator") for _ in range(10)]
        for person in people:
            results(control, person, share(20, 15))
            with transaction.atomic():
                locked_seat(person, study)
        assert honest_rate(study) == (10, 0.75)
        Seat.objects.filter(person=people[0]).update(paused_at=timezone.now())
        assert honest_rate(study) == (None, HONEST)
        Seat.objects.filter(person=people[0]).update(paused_at=None, suspended_at=timezone.now())
        assert honest_rate(study) == (None, HONEST)


def honest_rate(study):
    """Return the people from whom the honest rate of consensus repeats is estimated, and the rate, as a page has it."""
    found = next(one for one in lists.summary(study) if one.kind.code == "consensus_repeat").honest
    return found.people, found.rate


@pytest.mark.long
def test_below_twenty_nothing_raises_an_alarm():
    assert {alarm_of(n, 0, {}, HONEST) for n in range(20)} == {""}


@pytest.mark.long
@pytest.mark.parametrize("n", [20, 35, 49])
def test_with_twenty_to_fortynine_the_alarm_is_two_exact_tests(n):
    """Too bad for an honest person (one in a thousand), and not too good for a coin (one in twenty)."""
    for right in range(n + 1):
        too_bad = sum(comb(n, k) * HONEST**k * (1 - HONEST) ** (n - k) for k in range(right + 1)) < 0.001
        like_a_coin = sum(comb(n, k) for k in range(right, n + 1)) / 2**n >= 0.05
        assert alarm_of(n, right, {}, HONEST) == (RANDOM_CLICKING if too_bad and like_a_coin else ""), right


@pytest.mark.long
def test_from_fifty_on_people_are_judged_at_three_numbers_only():
    assert alarm_of(50, 25, {50: 25}, HONEST) == BELOW_HONEST
    assert alarm_of(99, 99 - 25, {50: 25}, HONEST) == BELOW_HONEST, "until 100, the first 50 decide"
    assert alarm_of(100, 80, {50: 25, 100: 80}, HONEST) == ""
    assert alarm_of(150, 80, {50: 25, 100: 80}, HONEST) == "", "later results decide at 200"


def ever_raised(rate, first, last, alarm):
    """Return the probability that somebody with this rate raises the alarm at any number of results, exactly."""
    alive, raised = {0: 1.0}, 0.0
    for n in range(1, last + 1):
        following = {}
        for right, mass in alive.items():
            following[right] = following.get(right, 0.0) + mass * (1 - rate)
            following[right + 1] = following.get(right + 1, 0.0) + mass * rate
        if n >= first:
            hit = {right for right in following if alarm(n, right)}
            raised += sum(following.pop(right) for right in hit)
        alive = following
    return raised


@pytest.mark.long
def test_honest_people_seldom_look_like_random_clickers_and_clickers_mostly_do():
    """The figures of docs/quality.md."""

    def random(n, right):
        return alarm_of(n, right, {}, HONEST) == RANDOM_CLICKING

    def below(n, right):
        return n in JUDGED_AT and alarm_of(n, right, {n: right}, HONEST) == BELOW_HONEST

    assert ever_raised(HONEST, 20, 49, random) == pytest.approx(0.0029, abs=0.0001)
    assert ever_raised(0.5, 20, 49, random) == pytest.approx(0.981, abs=0.001)
    assert ever_raised(HONEST, 50, 200, below) == pytest.approx(0.038, abs=0.001)
    assert ever_raised(0.7, 50, 200, below) == pytest.approx(0.991, abs=0.001)
