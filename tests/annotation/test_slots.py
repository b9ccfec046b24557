"""Each assignment records why it was asked, and nothing is asked more often than it was planned, asked for or lost."""

from collections import Counter

import pytest
from django.db.models import F
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from annotation import asking_again, leases, offering, quarantining, serving
from annotation.acceptance import ASKED_AGAIN
from annotation.models import Assignment, Standing
from catalog.models import Pair
from catalog.pair_changes.effects import new_values
from catalog.slots import FIELDS
from tests import factories
from tests.annotation import recounting
from tests.annotation.crowd import Somebody, Surroundings

pytestmark = pytest.mark.django_db


def ask_for_one_more(pair):
    """Ask for one more answer, as `qc.more_opinions` does."""
    names = ("wanted", "open_slots", "more_open", "more_asked")
    Pair.objects.filter(pk=pair.pk).update(**{name: F(name) + 1 for name in names})


def reason_of(answered):
    return Assignment.objects.get(pk=answered.pk).asked_because


def open_by_reason(pair):
    pair.refresh_from_db()
    return {name: getattr(pair, name) for name in FIELDS}


@pytest.fixture
def study(db):
    return factories.study()


@pytest.fixture
def people(study):
    return [factories.member(study, "annotator") for _ in range(4)]


def test_planned_answers_come_first_then_replacements_then_more_opinions(study, people):
    pair = factories.pair(study, wanted=2)
    first = factories.answer(people[0], study)
    offering.reject(first.standing, reason="defect", actor=None)
    ask_for_one_more(pair)
    assert open_by_reason(pair) == {"open_slots": 3, "replacement_open": 1, "more_open": 1}
    rest = [factories.answer(person, study) for person in people[1:]]
    assert [reason_of(one) for one in (first, *rest)] == ["plan", "plan", "replacement", "more_opinions"]
    assert open_by_reason(pair) == dict.fromkeys(FIELDS, 0)


@pytest.mark.parametrize("ends", ["released", "expired", "skipped", "swept", "quarantined"])
def test_a_lease_that_ends_gives_its_reason_back(study, people, ends):
    pair = factories.pair(study)
    offering.reject(factories.answer(people[0], study).standing, reason="defect", actor=None)
    ask_for_one_more(pair)
    factories.answer(people[1], study)  # the replacement
    leased = serving.lease(people[2], study).current
    assert leased.asked_because == "more_opinions"
    if ends == "skipped":
        leases.skip(leased.pk, "cannot_judge")
    elif ends == "swept":
        Surroundings(study).expire(0)
        leases.return_expired()
    elif ends == "quarantined":
        Pair.objects.filter(pk=pair.pk).update(held="quarantined")
        quarantining.end_leases([pair.pk])
        Pair.objects.filter(pk=pair.pk).update(held="")
    else:
        leases.end(leased.pk, ends)
    assert open_by_reason(pair) == {"open_slots": 1, "replacement_open": 0, "more_open": 1}
    assert reason_of(factories.answer(people[3], study)) == "more_opinions"


def test_a_late_answer_takes_the_reason_of_the_slot_that_is_open(study, people):
    pair = factories.pair(study)
    late = Somebody(study, people[0])
    leased = late.lease().current
    leases.end(leased.pk, "expired")
    offering.reject(factories.answer(people[1], study).standing, reason="defect", actor=None)
    submitted = late.send(Assignment.objects.select_related("study").get(pk=leased.pk), 1)
    assert submitted.standing.counted
    assert (leased.asked_because, reason_of(leased)) == ("plan", "replacement")
    assert open_by_reason(pair) == dict.fromkeys(FIELDS, 0)


def test_a_surplus_answer_keeps_the_reason_for_which_it_was_asked(study, people):
    factories.pair(study)
    late = Somebody(study, people[0])
    leased = late.lease().current
    leases.end(leased.pk, "expired")
    factories.answer(people[1], study)
    submitted = late.send(Assignment.objects.select_related("study").get(pk=leased.pk), 1)
    assert submitted.standing.uncounted_reason == "surplus"
    assert reason_of(leased) == "plan"


def test_an_answer_that_is_leased_again_has_the_reason_of_its_new_slot(study, people):
    pair = factories.pair(study)
    leased = serving.lease(people[0], study).current
    leases.end(leased.pk, "released")
    offering.reject(factories.answer(people[1], study).standing, reason="defect", actor=None)
    again = serving.lease(people[0], study).current
    assert (again.pk, again.asked_because) == (leased.pk, "replacement")
    assert open_by_reason(pair) == dict.fromkeys(FIELDS, 0)


def test_a_returned_answer_is_asked_again_as_a_replacement_and_keeps_its_round_reason(study, people):
    factories.pair(study, wanted=2)
    first = factories.answer(people[0], study)
    offering.offer_again(first, reason="returned", actor=None)
    offered = serving.lease(people[0], study).current
    assert (offered.round, offered.round_reason, offered.asked_because) == (1, "returned", "replacement")
    assert reason_of(factories.answer(people[1], study)) == "plan"


def test_a_restored_answer_takes_the_slot_that_review_opened(study, people):
    pair = factories.pair(study, wanted=2)
    first = factories.answer(people[0], study)
    offering.reject(first.standing, reason="defect", actor=None)
    offering.restore(Standing.objects.get(pk=first.pk), actor=None)
    assert open_by_reason(pair) == {"open_slots": 1, "replacement_open": 0, "more_open": 0}
    assert reason_of(first) == "plan"


def test_the_answers_of_a_returned_lot_are_asked_as_replacements_and_can_count_again(study, people):
    pair = factories.pair(study, wanted=2)
    keys = [factories.answer(person, study).pk for person in people[:2]]
    asking_again.stop_counting(study, keys, actor=people[0])
    assert open_by_reason(pair) == {"open_slots": 2, "replacement_open": 2, "more_open": 0}
    asking_again.count_again(study, keys, actor=people[0])
    assert open_by_reason(pair) == dict.fromkeys(FIELDS, 0)


def test_fewer_wanted_answers_leave_out_planned_ones_first_and_replacements_last(study, people):
    pair = factories.pair(study, wanted=3)
    offering.reject(factories.answer(people[0], study).standing, reason="defect", actor=None)
    ask_for_one_more(pair)
    for wanted, left in ((2, (2, 1, 1)), (1, (1, 1, 0))):
        Pair.objects.filter(pk=pair.pk).update(**new_values("overlap", wanted))
        assert open_by_reason(pair) == dict(zip(FIELDS, left, strict=True))


def test_nobody_can_tell_from_the_pair_that_they_get_why_they_are_asked(study, people, api):
    factories.pair(study, wanted=1)
    offering.reject(factories.answer(people[0], study).standing, reason="defect", actor=None)
    replacement = api(people[1]).post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]
    assert Assignment.objects.get(pk=replacement["id"]).asked_because == "replacement"
    factories.pair(study)
    planned = api(people[2]).post(f"/api/v1/studies/{study.slug}/assignments/").json()["current"]
    assert Assignment.objects.get(pk=planned["id"]).asked_because == "plan"
    assert replacement.keys() == planned.keys()
    assert "replacement" not in str(replacement)


# --- Random histories -----------------------------------------------------------------------------------------

PICKS = st.integers(0, 11)
BY_PEOPLE = ("lease", "lease", "lease", "submit", "submit", "submit_late", "release", "skip", "renew_late")
BY_SURROUNDINGS = ("uncount", "uncount", "offer", "hold", "unhold")
BY_RESEARCH = ("more", "more", "lapse", "lapse", "overlap", "lot_returned", "lot_taken_back", "quarantine")


class Histories(RuleBasedStateMachine):
    """One pair, five people, and everything that takes or returns one of its slots."""

    @initialize(wanted=st.integers(1, 3))
    def begin(self, wanted):
        self.study = factories.study(hold_after_skips=99)
        self.pair = factories.pair(self.study, wanted=wanted)
        self.people = [Somebody(self.study, factories.member(self.study, "annotator")) for _ in range(5)]
        self.surroundings = Surroundings(self.study)
        self.researcher = factories.person()
        self.at_most = Counter(plan=wanted)
        factories.answer(self.people[0].user, self.study)  # so that slots of several reasons are open from the start
        self.research("lot_returned", 0)
        self.research("more", 0)

    @rule(who=st.integers(0, 4), action=st.sampled_from(BY_PEOPLE), pick=PICKS)
    def somebody_does(self, who, action, pick):
        self.people[who].act(action, pick)

    @rule(action=st.sampled_from(BY_SURROUNDINGS), pick=PICKS)
    def something_happens(self, action, pick):
        self.counted_before = self.counted()
        self.surroundings.act(action, pick)
        self.note_lost()

    @rule(action=st.sampled_from(BY_RESEARCH), pick=PICKS)
    def research(self, action, pick):
        self.counted_before = self.counted()
        getattr(self, action)(pick)
        self.note_lost()

    def counted(self):
        return set(Standing.objects.filter(study=self.study, counted=True).values_list("pk", flat=True))

    def note_lost(self):
        """Count the answers that stopped counting: each of them may be replaced once."""
        self.at_most["replacement"] += len(self.counted_before - self.counted())

    def more(self, pick):
        if self.at_most["more_opinions"] < 10:
            ask_for_one_more(self.pair)
            self.at_most["more_opinions"] += 1

    def lapse(self, pick):
        """Let a lease end, and return its slot if the sweep runs before its person renews it."""
        self.surroundings.expire(pick)
        if pick % 4:
            leases.return_expired()

    def overlap(self, pick):
        before = Pair.objects.get(pk=self.pair.pk).wanted
        Pair.objects.filter(pk=self.pair.pk).update(**new_values("overlap", 1 + pick % 4))
        self.at_most["plan"] += max(0, Pair.objects.get(pk=self.pair.pk).wanted - before)

    def lot_returned(self, pick):
        asking_again.stop_counting(self.study, sorted(self.counted_before), actor=self.researcher)

    def lot_taken_back(self, pick):
        rows = Standing.objects.filter(study=self.study, uncounted_reason="lot_returned")
        stopped = list(rows.values_list("pk", flat=True))
        if len(stopped) <= Pair.objects.get(pk=self.pair.pk).open_slots:
            asking_again.count_again(self.study, stopped, actor=self.researcher)

    def quarantine(self, pick):
        Pair.objects.filter(pk=self.pair.pk).update(held="quarantined")
        quarantining.end_leases([self.pair.pk])

    @invariant()
    def nothing_is_asked_more_often_than_it_may(self):
        pair = Pair.objects.get(pk=self.pair.pk)
        asked = Counter(replacement=pair.replacement_open, more_opinions=pair.more_open)
        asked["plan"] = pair.open_slots - pair.replacement_open - pair.more_open
        occupied = Assignment.objects.filter(state="leased") | Assignment.objects.filter(standing__counted=True)
        lost = Assignment.objects.filter(standing__uncounted_reason__in=ASKED_AGAIN)
        asked.update((occupied | lost).filter(pair=pair).values_list("asked_because", flat=True))
        assert asked <= self.at_most, (asked, self.at_most)

    @invariant()
    def counts_are_right(self):
        assert (found := recounting.contradictions(self.study.pk)) == {}, found


def test_in_random_histories_nothing_is_asked_more_often_than_planned_asked_for_or_lost():
    run_state_machine_as_test(
        Histories,
        settings=settings(derandomize=True, database=None, deadline=None, max_examples=4, stateful_step_count=25),
    )


@pytest.mark.long
def test_in_many_random_histories_nothing_is_asked_more_often_than_it_may():
    run_state_machine_as_test(
        Histories, settings=settings(database=None, deadline=None, max_examples=150, stateful_step_count=40)
    )
