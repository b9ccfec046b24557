"""A study is closed, a review begins or consent is withdrawn at the moment at which a person sends their work: the
database puts one before the other."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from annotation import leases, revisions, serving, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat, Standing
from annotation.protocol import REOPENED
from catalog.models import Batch
from consent import agreements
from studies.models import Study
from studies.state_changes import change_state
from tests import factories
from tests.annotation.at_once import no_deadlocks
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import Beside, at_once, submit
from tests.web import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

OTHERWISE = factories.body(harmlessness={"video_0": {"tags": []}, "video_1": {"tags": ["crime"]}, "overall": "video_0"})


@pytest.fixture
def study():
    return factories.study()


@pytest.fixture
def person(study):
    return factories.member(study, "annotator")


@pytest.fixture
def researcher(study):
    return factories.member(study, "researcher")


@pytest.fixture
def live(study, person):
    factories.pair(study)
    return serving.lease(person, study).current


@pytest.fixture
def ended(live, person):
    leases.end(live.pk, Assignment.State.EXPIRED)
    return live


@pytest.fixture
def answered(study, person):
    factories.pair(study)
    return factories.answer(person, study)


def late(assignment):
    """Return the assignment after its lease has expired, before a sweep."""
    past = timezone.now() - timedelta(hours=1)
    Assignment.objects.filter(pk=assignment.pk).update(leased_at=past, expires_at=past + timedelta(minutes=1))
    return assignment


def revise(assignment, person):
    return revisions.revise(
        assignment,
        person,
        submission_id=uuid.uuid4(),
        answers=Answers.from_body(OTHERWISE["helpfulness"], OTHERWISE["harmlessness"]),
        timings_ms={},
        viewing={},
        reason=REOPENED,
    )


def annotated():
    """Put the batch into the state in which a review can begin. Someone may still have a pair that was left out."""
    Batch.objects.update(state="annotated")


def begin_review():
    Batch.objects.update(state="in_review")


def waiting(call):
    """Yield the call on its own connection, once it waits for a lock of this transaction."""
    beside = Beside(call)
    wait_for(beside.waits_for_a_lock, "it did not wait")
    return beside


@pytest.mark.long
class TestClosing:
    @pytest.fixture
    def close(self, study, researcher):
        return lambda: change_state(Study.objects.get(pk=study.pk), "close", actor=researcher)

    def test_an_answer_after_the_lease_that_waits_for_the_closing_is_not_counted(self, ended, person, study, close):
        with transaction.atomic():
            close()
            answering = waiting(lambda: submit(ended, person, study))
        answering.join()
        standing = answering.outcome.standing
        assert (standing.counted, standing.uncounted_reason) == (False, "surplus_study_closed")
        assert contradictions(study.pk) == {}

    def test_an_expired_lease_returns_its_slot(self, live, person, study, close):
        late(live)
        with transaction.atomic():
            close()
            answering = waiting(lambda: submit(live, person, study))
        answering.join()
        assert not answering.outcome.standing.counted
        live.pair.refresh_from_db()
        assert live.pair.open_slots == 1

    def test_closing_waits_for_an_answer_after_the_lease_that_is_being_counted(self, ended, person, study, close):
        with transaction.atomic():
            assert submit(ended, person, study).standing.counted
            closing = waiting(close)
        closing.join()
        assert closing.outcome is True
        assert Standing.objects.get().counted

    def test_an_answer_on_a_live_lease_waits_for_no_closing_and_is_counted(self, live, person, study, close):
        with transaction.atomic():
            close()
            answering = Beside(lambda: submit(live, person, study))
            answering.join(20)
            assert answering.outcome.standing.counted

    def test_a_change_that_waits_for_the_closing_is_refused(self, answered, person, close):
        with transaction.atomic():
            close()
            changing = waiting(lambda: revise(answered, person))
        changing.join()
        assert changing.outcome.code == "study_closed"
        assert Annotation.objects.count() == 1

    def test_a_renewal_that_waits_for_the_closing_is_refused(self, ended, person, study, close):
        with transaction.atomic():
            close()
            renewing = waiting(lambda: serving.renew(ended, person))
        renewing.join()
        assert renewing.outcome.code == "study_closed"
        assert contradictions(study.pk) == {}

    def test_a_request_that_began_before_the_closing_leases_nothing_after_it(self, study, person, close):
        factories.pairs(study, 3)
        began = Study.objects.get(pk=study.pk)
        close()
        leased = serving.lease(person, began)
        assert (leased.current, leased.reason) == (None, "closed")
        assert not Assignment.objects.exists()

    def test_nor_is_the_next_pair_shown(self, study, person, close):
        factories.pairs(study, 3)
        current = serving.lease(person, study).current
        began = Assignment.objects.select_related("study").get(pk=current.pk)
        close()
        submitted = submit(began, person, study, lease_next=True)
        assert submitted.standing.counted
        assert (submitted.leased.current, submitted.leased.reason) == (None, "closed")


@pytest.mark.long
class TestReview:
    @pytest.mark.parametrize("lease", ["live", "ended"])
    def test_an_answer_that_waits_for_a_review_to_begin_is_not_counted(self, request, person, study, lease):
        assignment = request.getfixturevalue(lease)
        annotated()
        with transaction.atomic():
            begin_review()
            answering = waiting(lambda: submit(assignment, person, study))
        answering.join()
        standing = answering.outcome.standing
        assert (standing.counted, standing.uncounted_reason) == (False, "surplus_batch_closed")
        assert contradictions(study.pk) == {}

    @pytest.mark.parametrize("lease", ["live", "ended"])
    def test_a_review_waits_for_an_answer_that_is_being_counted(self, request, person, study, lease):
        assignment = request.getfixturevalue(lease)
        annotated()
        with transaction.atomic():
            assert submit(assignment, person, study).standing.counted
            beginning = waiting(begin_review)
        beginning.join()
        assert Batch.objects.get().state == "in_review"
        assert Standing.objects.get().counted

    def test_an_answer_on_a_live_lease_keeps_its_batch_open_without_a_lock(self, live, person, study):
        with transaction.atomic():
            assert submit(live, person, study).standing.counted
            completing = Beside(leases.complete_batches)
            completing.join(20)
            assert completing.outcome == 0
            assert Batch.objects.get().state == "open"
        assert Batch.objects.get().state == "annotated"

    def test_an_answer_to_a_held_pair_waits_for_a_review_to_begin(self, live, person, study):
        type(live.pair).objects.update(held="by_hand")
        with transaction.atomic():
            begin_review()
            answering = waiting(lambda: submit(live, person, study))
        answering.join()
        assert answering.outcome.standing.uncounted_reason == "surplus_batch_closed"

    def test_a_change_that_waits_for_a_review_to_begin_is_refused(self, answered, person):
        with transaction.atomic():
            begin_review()
            changing = waiting(lambda: revise(answered, person))
        changing.join()
        assert changing.outcome.code == "batch_closed"


@pytest.mark.long
class TestWithdrawing:
    def acts(self, study, person, live, answered):
        return {
            "submit": lambda: submit(live, person, study),
            "draft": lambda: submission.save_draft(live, {"helpfulness": {}}),
            "renew": lambda: serving.renew(live, person),
            "revise": lambda: revise(answered, person),
        }

    @pytest.mark.parametrize("act", ["submit", "draft", "renew", "revise"])
    def test_requests_that_wait_for_the_withdrawal_are_refused_and_nothing_is_stored(
        self, study, person, answered, live, act
    ):
        with transaction.atomic():
            agreements.withdraw(person, study)
            doing = waiting(self.acts(study, person, live, answered)[act])
        doing.join()
        assert doing.outcome.code == "consent"
        assert Annotation.objects.count() == 1
        assert Assignment.objects.get(pk=live.pk).draft is None
        assert not Assignment.objects.filter(state="leased").exists()

    def test_withdrawing_waits_for_an_answer_that_is_being_stored(self, study, person, live):
        with transaction.atomic():
            submit(live, person, study)
            withdrawing = waiting(lambda: agreements.withdraw(person, study))
        withdrawing.join()
        assert Seat.objects.get(person=person).consented_version == 0
        assert Annotation.objects.count() == 1


@pytest.mark.long
def test_everything_at_once_counts_right_without_deadlocks(study):
    """People answer, on time and late, while the study is closed and a review of its batch begins."""
    with no_deadlocks():
        for _ in range(6):
            factories.pairs(study, 8, wanted=2)
            people = [factories.member(study, "annotator") for _ in range(6)]
            in_hand = [(person, serving.lease(person, study).current) for person in people]
            for _, lease in in_hand[::2]:
                late(lease)
            results = at_once(
                *[lambda who=who, lease=lease: submit(lease, who, study, lease_next=True) for who, lease in in_hand],
                lambda: Study.objects.filter(pk=study.pk).update(state="closed"),
                begin_review,
                leases.return_expired,
            )
            assert [result for result in results if isinstance(result, Exception)] == []
            assert contradictions(study.pk) == {}
            Study.objects.filter(pk=study.pk).update(state="running")
            Batch.objects.update(state="open")
