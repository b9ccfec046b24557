"""Several people, and one person twice, at the same moment: real threads on real PostgreSQL."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q

from annotation import leases, serving, skipping, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat
from catalog.models import Pair
from consent import agreements
from tests import factories
from tests.web import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

BODY = factories.body()
ANSWERS = Answers.from_body(BODY["helpfulness"], BODY["harmlessness"])


def at_once(*calls):
    """Run the calls at the same time, each on its own connection, and return their results or errors."""
    barrier = Barrier(len(calls))

    def run(call):
        try:
            barrier.wait()
            return call()
        except Exception as error:  # what was raised is what the test looks at
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def submit(assignment, person, study, submission_id=None, lease_next=False):
    return submission.submit(
        assignment,
        person,
        submission_id=submission_id or uuid.uuid4(),
        answers=ANSWERS,
        timings_ms={},
        viewing={},
        lease_next=lease_next,
    )


def wrongly_counted(study):
    """Return pairs whose `open_slots` differs from a recount, or with more counted answers than wanted."""
    counted = Count("assignments", filter=Q(assignments__standing__counted=True), distinct=True)
    live = Count("assignments", filter=Q(assignments__state="leased"), distinct=True)
    recounted = Pair.objects.filter(study=study).annotate(counted=counted, live=live)
    return recounted.exclude(open_slots=F("wanted") - F("counted") - F("live")) | recounted.filter(
        counted__gt=F("wanted")
    )


@pytest.mark.long
@pytest.mark.parametrize("wanted", [1, pytest.param(2, marks=pytest.mark.long)])
def test_many_people_never_over_answer_a_pair_and_answer_every_one(wanted):
    study = factories.study()
    factories.pairs(study, 24, wanted=wanted)
    people = [factories.member(study, "annotator") for _ in range(6)]

    def work(person):
        answered, idle = 0, 0
        leased = serving.lease(person, study)
        while idle < 50:
            if leased.current is None:
                idle += 1
                leased = serving.lease(person, study)
                continue
            leased = submit(leased.current, person, study, lease_next=True).leased
            answered += 1
        return answered

    results = at_once(*[lambda person=person: work(person) for person in people])
    assert sum(results) == 24 * wanted
    assert not wrongly_counted(study).exists()
    assert not Pair.objects.filter(study=study).exclude(open_slots=0).exists()


@pytest.mark.long
def test_one_person_leasing_from_two_tabs_has_two_pairs():
    study = factories.study()
    factories.pairs(study, 8)
    person = factories.member(study, "annotator")
    all_leased = at_once(*[lambda: serving.lease(person, study)] * 4)
    assert {(leased.current.pk, leased.next.pk) for leased in all_leased} == {
        (all_leased[0].current.pk, all_leased[0].next.pk)
    }
    assert Assignment.objects.filter(state="leased").count() == 2
    assert not wrongly_counted(study).exists()


def test_the_same_submission_sent_twice_at_once_is_stored_once():
    study = factories.study()
    factories.pair(study)
    person = factories.member(study, "annotator")
    lease, submission_id = serving.lease(person, study).current, uuid.uuid4()
    results = at_once(*[lambda: submit(lease, person, study, submission_id)] * 4)
    assert sorted(result.created for result in results) == [False, False, False, True]
    assert Annotation.objects.count() == 1


@pytest.mark.long
def test_two_people_using_one_submission_id_at_once_store_one_answer():
    study = factories.study()
    factories.pairs(study, 4)
    people = [factories.member(study, "annotator") for _ in range(2)]
    leases = [serving.lease(person, study).current for person in people]
    submission_id = uuid.uuid4()
    results = at_once(
        lambda: submit(leases[0], people[0], study, submission_id),
        lambda: submit(leases[1], people[1], study, submission_id),
    )
    assert sorted(type(result).__name__ for result in results) == ["Refused", "Submitted"]
    assert Annotation.objects.count() == 1


@pytest.mark.long
def test_two_different_answers_to_one_pair_at_once_store_one():
    study = factories.study()
    factories.pair(study)
    person = factories.member(study, "annotator")
    lease = serving.lease(person, study).current
    results = at_once(*[lambda: submit(lease, person, study)] * 3)
    assert sorted(type(result).__name__ for result in results) == ["Refused", "Refused", "Submitted"]


@pytest.mark.long
def test_submitting_while_the_sweep_ends_the_lease_keeps_the_count():
    study = factories.study()
    pairs = factories.pairs(study, 10)
    people = [factories.member(study, "annotator") for _ in pairs]
    leased = [serving.lease(person, study).current for person in people[:5]]
    Assignment.objects.update(
        leased_at=F("leased_at") - timedelta(hours=2),
        expires_at=F("leased_at") - timedelta(hours=1),
    )
    at_once(
        *[
            lambda lease=lease, person=person: submit(lease, person, study)
            for lease, person in zip(leased, people, strict=False)
        ],
        leases.return_expired,
        leases.return_expired,
    )
    assert Annotation.objects.count() == 5
    assert not wrongly_counted(study).exists()


@pytest.mark.long
def test_people_who_sweep_expired_leases_never_wait_for_each_other():
    study = factories.study()
    factories.pairs(study, 8, wanted=2)
    gone = [factories.member(study, "annotator") for _ in range(8)]
    here = [factories.member(study, "annotator") for _ in range(6)]

    def everybody_away():
        for person in gone:
            serving.lease(person, study)
        Assignment.objects.filter(state="leased").update(
            leased_at=F("leased_at") - timedelta(hours=2), expires_at=F("leased_at") - timedelta(hours=1)
        )

    for _ in range(5):
        everybody_away()
        results = at_once(*[lambda person=person: serving.lease(person, study) for person in here])
        assert [result for result in results if isinstance(result, Exception)] == []
        assert not wrongly_counted(study).exists()
        for person, leased in zip(here, results, strict=True):
            for assignment in (leased.current, leased.next):
                if assignment:
                    serving.release(assignment, person)


@pytest.mark.long
def test_a_lease_that_the_sweep_ends_is_never_both_current_and_next():
    study = factories.study()
    factories.pairs(study, 2)
    person = factories.member(study, "annotator")
    for _ in range(15):
        serving.lease(person, study)
        Assignment.objects.filter(state="leased").update(
            leased_at=F("leased_at") - timedelta(hours=2), expires_at=F("leased_at") - timedelta(hours=1)
        )
        leased, _, _ = at_once(lambda: serving.lease(person, study), leases.return_expired, leases.return_expired)
        assert leased.current
        assert leased.current.pk != (leased.next and leased.next.pk)
        assert Assignment.objects.get(pk=leased.current.pk).state == "leased"
        assert not wrongly_counted(study).exists()


# --- While another transaction is open ------------------------------------------------------------------------


class Beside(Thread):
    """A call on its own connection, while the test's transaction is open."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.outcome = call, None
        self.start()

    def run(self):
        try:
            self.outcome = self.call()
        except Exception as error:  # what was raised is what the test looks at
            self.outcome = error
        finally:
            connection.close()

    def waits_for_a_lock(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return cursor.fetchone()[0]


@pytest.mark.long
def test_an_answer_that_waits_for_the_sweep_takes_the_slot_that_the_sweep_returned():
    study = factories.study()
    pair = factories.pair(study)
    person = factories.member(study, "annotator")
    lease = serving.lease(person, study).current
    with transaction.atomic():
        assert leases.end(lease.pk, Assignment.State.EXPIRED)
        answering = Beside(lambda: submit(lease, person, study))
        wait_for(answering.waits_for_a_lock, "the answer did not wait for the lease")
    answering.join()
    assert answering.outcome.standing.counted
    pair.refresh_from_db()
    assert pair.open_slots == 0


@pytest.mark.long
def test_releasing_two_pairs_locks_them_in_order():
    study = factories.study()
    lower, higher = factories.pair(study), factories.pair(study, priority=5)
    person = factories.member(study, "annotator")
    assert serving.lease(person, study).current.pair_id == higher.pk
    with transaction.atomic():
        Pair.objects.select_for_update().get(pk=lower.pk)
        giving_back = Beside(lambda: agreements.withdraw(person, study))
        wait_for(giving_back.waits_for_a_lock, "it did not wait for the pair")
        Pair.objects.select_for_update(nowait=True).get(pk=higher.pk)  # raises if that pair is locked already
    giving_back.join()
    assert giving_back.outcome is None
    assert not wrongly_counted(study).exists()


@pytest.mark.long
def test_a_skip_that_also_releases_the_next_pair_waits_for_no_second_pair():
    study = factories.study()
    factories.pair(study)
    following = factories.pair(study)
    person = factories.member(study, "annotator")
    leased = serving.lease(person, study)
    assert leased.next.pair_id == following.pk
    Pair.objects.filter(pk=following.pk).update(may_show=["crime"])
    Seat.objects.filter(person=person).update(excluded=["crime"])
    with transaction.atomic():
        Pair.objects.select_for_update().get(pk=following.pk)
        beside = Beside(lambda: skipping.skip(leased.current, person, reason="cannot_judge"))
        wait_for(beside.waits_for_a_lock, "it did not wait for the pair")
        Pair.objects.select_for_update(nowait=True).get(pk=leased.current.pair_id)  # raises if that pair is locked
    beside.join()
    assert (beside.outcome.current, beside.outcome.next) == (None, None)
    following.refresh_from_db()
    assert following.open_slots == 1


@pytest.mark.long
def test_two_skips_at_once_count_each_other_though_one_lease_had_ended():
    study = factories.study(hold_after_skips=2)
    pair = factories.pair(study, wanted=2)
    one, other = factories.member(study, "annotator"), factories.member(study, "annotator")
    live, ended = serving.lease(one, study).current, serving.lease(other, study).current
    leases.end(ended.pk, Assignment.State.EXPIRED)
    with transaction.atomic():
        skipping.skip(live, one, reason="cannot_judge")
        beside = Beside(lambda: skipping.skip(ended, other, reason="cannot_judge"))
        wait_for(beside.waits_for_a_lock, "it did not wait for the pair")
    beside.join()
    pair.refresh_from_db()
    assert pair.held
