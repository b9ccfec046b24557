"""Several people, and one person twice, at the same moment: real threads on real PostgreSQL."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q

from annotation import consent, leases, serving, skipping, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat
from catalog.models import Pair
from tests import factories
from tests.web import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

BODY = factories.body()
ANSWERS = Answers.from_body(BODY["helpfulness"], BODY["harmlessness"])


def at_once(*calls):
    """Runs the calls together, each on a connection of its own, and returns what each gave or raised."""
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
    """Pairs whose `open_slots` differs from a recount, or that have more counted answers than wanted."""
    counted = Count("assignments", filter=Q(assignments__standing__counted=True), distinct=True)
    live = Count("assignments", filter=Q(assignments__state="leased"), distinct=True)
    recounted = Pair.objects.filter(study=study).annotate(counted=counted, live=live)
    return recounted.exclude(open_slots=F("wanted") - F("counted") - F("live")) | recounted.filter(
        counted__gt=F("wanted")
    )


@pytest.mark.parametrize("wanted", [1, 2])
def test_many_people_never_over_answer_a_pair_and_answer_every_one(wanted):
    study = factories.study()
    factories.pairs(study, 24, wanted=wanted)
    people = [factories.member(study, "annotator") for _ in range(6)]

    def work(person):
        answered, idle = 0, 0
        desk = serving.lease(person, study)
        while idle < 50:
            if desk.current is None:
                idle += 1
                desk = serving.lease(person, study)
                continue
            desk = submit(desk.current, person, study, lease_next=True).desk
            answered += 1
        return answered

    results = at_once(*[lambda person=person: work(person) for person in people])
    assert sum(results) == 24 * wanted
    assert not wrongly_counted(study).exists()
    assert not Pair.objects.filter(study=study).exclude(open_slots=0).exists()


def test_one_person_leasing_from_two_tabs_holds_two_pairs():
    study = factories.study()
    factories.pairs(study, 8)
    person = factories.member(study, "annotator")
    desks = at_once(*[lambda: serving.lease(person, study)] * 4)
    assert {(desk.current.pk, desk.next.pk) for desk in desks} == {(desks[0].current.pk, desks[0].next.pk)}
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


def test_two_different_answers_to_one_pair_at_once_store_one():
    study = factories.study()
    factories.pair(study)
    person = factories.member(study, "annotator")
    lease = serving.lease(person, study).current
    results = at_once(*[lambda: submit(lease, person, study)] * 3)
    assert sorted(type(result).__name__ for result in results) == ["Refused", "Refused", "Submitted"]


def test_submitting_while_the_sweep_takes_the_lease_back_keeps_the_count():
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


def test_people_who_find_nothing_and_take_expired_leases_back_never_wait_for_each_other():
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
        for person, desk in zip(here, results, strict=True):
            for assignment in (desk.current, desk.next):
                if assignment:
                    serving.release(assignment, person)


def test_a_lease_that_the_sweep_takes_back_is_never_both_current_and_next():
    study = factories.study()
    factories.pairs(study, 2)
    person = factories.member(study, "annotator")
    for _ in range(15):
        serving.lease(person, study)
        Assignment.objects.filter(state="leased").update(
            leased_at=F("leased_at") - timedelta(hours=2), expires_at=F("leased_at") - timedelta(hours=1)
        )
        desk, _, _ = at_once(lambda: serving.lease(person, study), leases.return_expired, leases.return_expired)
        assert desk.current
        assert desk.current.pk != (desk.next and desk.next.pk)
        assert Assignment.objects.get(pk=desk.current.pk).state == "leased"
        assert not wrongly_counted(study).exists()


# --- Met in the middle: somebody else has not committed yet ----------------------------------------------------


class Beside(Thread):
    """A call on a connection of its own, while the test's transaction is open."""

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


def test_whoever_gives_two_pairs_back_locks_them_in_order():
    study = factories.study()
    lower, higher = factories.pair(study), factories.pair(study, priority=5)
    person = factories.member(study, "annotator")
    assert serving.lease(person, study).current.pair_id == higher.pk
    with transaction.atomic():
        Pair.objects.select_for_update().get(pk=lower.pk)
        giving_back = Beside(lambda: consent.withdraw(person, study))
        wait_for(giving_back.waits_for_a_lock, "it did not wait for the pair")
        Pair.objects.select_for_update(nowait=True).get(pk=higher.pk)  # raises if that one is locked already
    giving_back.join()
    assert giving_back.outcome is None
    assert not wrongly_counted(study).exists()


def test_a_skip_that_also_gives_back_the_next_pair_waits_for_no_second_pair():
    study = factories.study()
    factories.pair(study)
    following = factories.pair(study)
    person = factories.member(study, "annotator")
    desk = serving.lease(person, study)
    assert desk.next.pair_id == following.pk
    Pair.objects.filter(pk=following.pk).update(may_show=["crime"])
    Seat.objects.filter(person=person).update(excluded=["crime"])
    with transaction.atomic():
        Pair.objects.select_for_update().get(pk=following.pk)
        beside = Beside(lambda: skipping.skip(desk.current, person, reason="cannot_judge"))
        wait_for(beside.waits_for_a_lock, "it did not wait for the pair")
        Pair.objects.select_for_update(nowait=True).get(pk=desk.current.pair_id)  # raises if that one is locked
    beside.join()
    assert (beside.outcome.current, beside.outcome.next) == (None, None)
    following.refresh_from_db()
    assert following.open_slots == 1


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
