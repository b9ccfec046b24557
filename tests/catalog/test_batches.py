"""The states of a batch: every transition from every state, automatic transitions, and concurrent ones."""

import uuid
from functools import partial

import pytest
from django.db import transaction

from accounts.models import AuditEvent
from annotation import leases, offering, revisions, serving
from annotation.answers import Answers
from annotation.models import Standing
from catalog import batches
from catalog.library import holding
from catalog.models import Batch, Pair
from catalog.pair_changes import orders
from catalog.pair_changes.effects import ALL, OVERLAP
from diptych.refusals import Refused
from safety import quarantine
from tests import factories
from tests.annotation.at_once import no_deadlocks
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import Beside, at_once, submit
from tests.catalog.changing import choice
from tests.importing import manifests
from tests.web import wait_for

pytestmark = pytest.mark.django_db

STATES = Batch.State.values
#: What a person can do, in which state, and the state after it.
STEPS = {
    "start_review": ("annotated", "in_review", "batch.review_started"),
    "accept": ("in_review", "accepted", "batch.accepted"),
    "return_batch": ("in_review", "returned", "batch.returned"),
    "open_again": ("returned", "open", "batch.opened_again"),
}
STAMPS = {
    "open": "opened_at",
    "annotated": "annotated_at",
    "in_review": "review_started_at",
    "accepted": "accepted_at",
    "returned": "returned_at",
}


def do(step, batch, actor):
    reason = {"reason": "Looked at 44 of 100."} if step in ("accept", "return_batch") else {}
    return getattr(batches, step)(batch, actor=actor, **reason)


def answer_all(study, *people):
    """Let each person answer all pairs that are served to them."""
    for person in people or [factories.member(study, "annotator")]:
        while serving.lease(person, study).current:
            factories.answer(person, study)


def batch_of(study):
    return Batch.objects.get(study=study, number=1)


class TestByPeople:
    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("step", STEPS)
    def test_each_step_from_each_state(self, study, researcher, step, state):
        before, after, action = STEPS[step]
        batch = factories.batch(study, state=state)
        stamps = {name: getattr(batch, name) for name in STAMPS.values()}
        Batch.objects.update(state=state)  # `batch` may be stale: the row decides
        if state == before:
            assert do(step, batch, researcher) is True
            assert batch_of(study).state == batch.state == after
            assert getattr(batch_of(study), STAMPS[after]) is not None
            stamps.pop(STAMPS[after])
            event = AuditEvent.objects.get(action=action)
            assert (event.actor, event.study_slug, event.subject_id) == (researcher, study.slug, str(batch.pk))
            assert (event.before["state"], event.after["state"]) == (before, after)
        elif state == after:
            assert do(step, batch, researcher) is False
        else:
            with pytest.raises(Refused, match="Batch 1 is"):
                do(step, batch, researcher)
        assert batch_of(study).state == (after if state == before else state)
        assert {name: getattr(batch_of(study), name) for name in stamps} == stamps
        if state != before:
            assert not AuditEvent.objects.filter(action__startswith="batch.").exists()

    def test_a_decision_says_why(self, study, researcher):
        batch = factories.batch(study, state="in_review")
        do("accept", batch, researcher)
        assert AuditEvent.objects.get(action="batch.accepted").after["reason"] == "Looked at 44 of 100."

    def test_a_whole_round_stamps_each_state_in_its_order(self, study, researcher):
        batch = factories.batch(study, state="annotated")
        for step in ("start_review", "return_batch", "open_again"):
            do(step, batch, researcher)
        batch.refresh_from_db()
        assert batch.review_started_at < batch.returned_at < batch.opened_at
        assert batch.accepted_at is None


class TestByItself:
    @pytest.mark.parametrize("state", STATES)
    def test_only_an_open_batch_becomes_annotated(self, study, annotator, state):
        factories.pair(study)
        factories.answer(annotator, study)
        Batch.objects.update(state=state)
        assert batches.mark_annotated(batch_of(study).pk, leased=leases.LEASED) == (state == "open")
        assert batch_of(study).state == ("annotated" if state == "open" else state)
        assert (batch_of(study).annotated_at is not None) == (state == "open")
        assert AuditEvent.objects.filter(action="batch.annotated").count() == (state == "open")

    @pytest.mark.parametrize("state", STATES)
    def test_only_an_annotated_batch_is_opened_by_asking_for_more(self, study, state):
        pair = factories.pair(study)
        Batch.objects.update(state=state)
        opened_at = batch_of(study).opened_at
        assert batches.ask_for_more(Pair.objects.filter(pk=pair.pk)) == (state == "annotated")
        assert batch_of(study).state == ("open" if state == "annotated" else state)
        assert (batch_of(study).opened_at > opened_at) == (state == "annotated")

    def test_the_last_answer_moves_the_batch_after_its_commit(self, study, django_capture_on_commit_callbacks):
        factories.pairs(study, 3)
        other = factories.pair(study, batch=factories.batch(study, number=2), priority=-1)
        person = factories.member(study, "annotator")
        for _ in range(3):
            assert batch_of(study).state == "open"
            with django_capture_on_commit_callbacks(execute=True):
                factories.answer(person, study)
        assert batch_of(study).state == "annotated"
        assert other.batch.state == "open"

    def test_an_answer_that_is_not_the_last_asks_nothing_more(self, study, django_capture_on_commit_callbacks):
        """Serving costs no more: the person has the next pair of the batch open, or a slot is left."""
        factories.pairs(study, 4, wanted=2)
        person, other = (factories.member(study, "annotator") for _ in range(2))
        with django_capture_on_commit_callbacks() as waiting:
            factories.answer(person, study)
            for _ in range(3):
                factories.answer(other, study)
        assert waiting == []

    def test_somebody_who_still_answers_is_waited_for(self, study):
        factories.pair(study, wanted=2)
        first, second = (factories.member(study, "annotator") for _ in range(2))
        lease = serving.lease(second, study).current
        factories.answer(first, study)
        assert leases.complete_batches() == 0
        submit(lease, second, study)
        assert leases.complete_batches() == 1

    def test_a_held_pair_is_not_waited_for(self, study):
        factories.pair(study)
        factories.pair(study, held="to be looked at")
        assert leases.complete_batches() == 0
        answer_all(study)
        assert leases.complete_batches() == 1

    @pytest.mark.parametrize("held", ["", "to be looked at"])
    def test_a_batch_without_any_answer_stays_open(self, study, held):
        factories.batch(study)
        if held:
            factories.pair(study, held=held)
        assert leases.complete_batches() == 0

    def test_changes_of_answers_go_on_until_the_review_starts(self, study, annotator, researcher):
        factories.pair(study)
        answered = factories.answer(annotator, study)
        leases.complete_batches()
        assert revise(answered, "video_0").created
        batch = batch_of(study)
        batches.start_review(batch, actor=researcher)
        with pytest.raises(Refused) as refused:
            revise(answered, "video_1")
        assert refused.value.code == "batch_closed"


def revise(assignment, correctness):
    body = factories.body()
    return revisions.revise(
        assignment,
        assignment.person,
        submission_id=uuid.uuid4(),
        answers=Answers.from_body(body["helpfulness"] | {"correctness": correctness}, body["harmlessness"]),
        timings_ms={},
        viewing={},
        reason="reopened",
    )


class TestAskingForMore:
    @pytest.fixture
    def annotated(self, study, annotator):
        factories.pairs(study, 2)
        answer_all(study, annotator)
        assert leases.complete_batches() == 1
        return batch_of(study)

    def test_an_answer_that_counts_no_more(self, annotated, study, researcher):
        offering.reject(Standing.objects.first(), reason="off_guideline", actor=researcher)
        assert batch_of(study).state == "open"
        event = AuditEvent.objects.get(action="batch.opened_again")
        assert (event.actor, event.before["state"]) == (researcher, "annotated")

    def test_an_answer_that_is_returned_to_its_person(self, annotated, study, researcher):
        offering.offer_again(Standing.objects.first().assignment, reason="returned", actor=researcher)
        assert batch_of(study).state == "open"

    def test_more_answers_wanted(self, annotated, study, researcher):
        orders.change_pairs(study, OVERLAP, 2, choice(which=ALL, sample=ALL), seen=0, actor=researcher)
        assert batch_of(study).state == "open"
        assert AuditEvent.objects.get(action="batch.opened_again").actor == researcher

    def test_a_pair_that_is_held_no_more(self, annotated, study, researcher):
        pair = factories.pair(study, held="to be looked at")
        assert batch_of(study).state == "annotated"
        holding.release(study, [pair.public_id], by=researcher)
        assert batch_of(study).state == "open"

    def test_a_pair_that_comes_out_of_quarantine(self, annotated, study, annotator):
        pair = factories.pair(study)
        [case] = quarantine.report(pair, ["video_0"], by=annotator)
        quarantine.release(case, factories.officer(), reason="Looked at.")
        assert batch_of(study).state == "annotated"
        quarantine.settle_all()
        assert batch_of(study).state == "open"

    def test_nothing_moves_what_is_in_review(self, annotated, study, researcher):
        batches.start_review(annotated, actor=researcher)
        offering.reject(Standing.objects.first(), reason="off_guideline", actor=researcher)
        assert batch_of(study).state == "in_review"

    def test_pairs_that_are_imported_into_it(self, tmp_path):
        lines = manifests.prompts_with_videos(2, 2)
        manifests.imported(manifests.write(tmp_path, lines))
        Batch.objects.update(state="annotated")
        manifests.imported(manifests.write(tmp_path, manifests.prompts_with_videos(3, 2)))
        assert Pair.objects.count() == 3
        assert Batch.objects.get().state == "open"

    def test_pairs_that_are_imported_beside_a_batch_in_review_get_another(self, tmp_path):
        manifests.imported(manifests.write(tmp_path, manifests.prompts_with_videos(2, 2)))
        Batch.objects.update(state="in_review")
        manifests.imported(manifests.write(tmp_path, manifests.prompts_with_videos(3, 2)))
        assert list(Batch.objects.order_by("number").values_list("state", flat=True)) == ["in_review", "open"]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.long
    def test_of_the_last_two_answers_one_finds_the_batch_complete(self):
        for _ in range(8):
            study, held = last_two()
            results = at_once(*[partial(submit, lease, who, study) for lease, who in held])
            assert [result for result in results if isinstance(result, Exception)] == []
            assert batch_of(study).state == "annotated"
            assert AuditEvent.objects.filter(action="batch.annotated", study_slug=study.slug).count() == 1

    def test_an_answer_that_is_being_written_keeps_the_batch_open_until_its_commit(self):
        study, [(first, one), (second, other)] = last_two()
        with transaction.atomic():
            submit(second, other, study)
            beside = Beside(lambda: submit(first, one, study))
            beside.join(20)
            assert beside.outcome.standing.counted
            assert batch_of(study).state == "open"
        assert batch_of(study).state == "annotated"

    def test_asking_for_more_at_the_moment_of_the_last_answer_leaves_the_batch_open(self):
        study, [(first, one), (second, other)] = last_two()
        submit(first, one, study)
        with transaction.atomic():
            offering.reject(Standing.objects.get(pk=first.pk), reason="off_guideline", actor=None)
            completing = Beside(lambda: submit(second, other, study))
            wait_for(completing.waits_for_a_lock, "it did not wait for the one who asks for more")
        completing.join()
        assert batch_of(study).state == "open"
        assert contradictions(study.pk) == {}

    def test_a_review_that_starts_waits_for_a_change_that_is_being_written(self):
        study, reviewer = factories.study(), factories.person()
        factories.pair(study)
        answered = factories.answer(factories.member(study, "annotator"), study)
        assert batch_of(study).state == "annotated"
        with transaction.atomic():
            assert revise(answered, "video_0").created
            starting = Beside(lambda: batches.start_review(batch_of(study), actor=reviewer))
            wait_for(starting.waits_for_a_lock, "it did not wait for the change")
        starting.join()
        assert starting.outcome is True
        with pytest.raises(Refused):
            revise(answered, "video_1")

    def test_of_two_who_decide_one_does(self):
        for _ in range(5):
            study = factories.study()
            batch = factories.batch(study, state="in_review")
            person = factories.person()
            steps = ("accept", "return_batch")
            results = at_once(*[partial(do, step, Batch.objects.get(pk=batch.pk), person) for step in steps])
            assert sorted(type(result).__name__ for result in results) == ["Refused", "bool"]
            assert AuditEvent.objects.filter(study_slug=study.slug, action__startswith="batch.").count() == 1

    @pytest.mark.long
    def test_answers_rejections_and_a_review_at_once_never_wait_for_each_other(self):
        with no_deadlocks():
            for _ in range(6):
                study = factories.study()
                factories.pairs(study, 6, wanted=2)
                people = [factories.member(study, "annotator") for _ in range(4)]
                answered = [factories.answer(person, study) for person in people]
                in_hand = [(serving.lease(person, study).current, person) for person in people]
                rejected = [Standing.objects.get(pk=one.pk) for one in answered[:2]]
                results = at_once(
                    *[partial(submit, lease, who, study, lease_next=True) for lease, who in in_hand],
                    *[partial(offering.reject, one, reason="off_guideline", actor=None) for one in rejected],
                    partial(offering.offer_again, answered[2], reason="returned", actor=None),
                    partial(Batch.objects.filter(study=study, state="open").update, state="in_review"),
                    leases.complete_batches,
                )
                assert [result for result in results if isinstance(result, Exception)] == []
                assert contradictions(study.pk) == {}


def last_two():
    """Return a study, and two people who have the last two pairs of its batch open."""
    study = factories.study()
    factories.pairs(study, 2)
    held = []
    for _ in range(2):
        person = factories.member(study, "annotator")
        desk = serving.lease(person, study)
        if desk.next:
            serving.release(desk.next, person)
        held.append((desk.current, person))
    return study, held
