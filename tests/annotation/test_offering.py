"""Asking again, from the same person or from someone else: slots, counting and standing change together."""

import uuid
from functools import partial

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from annotation import leases, offering, quarantining, serving, standings
from annotation.models import Assignment, Standing
from answers import my_work
from catalog.models import Batch, Pair
from diptych.refusals import Refused
from safety import quarantine
from safety.models import Quarantine
from studies.models import Study
from tests import factories
from tests.annotation.at_once import no_deadlocks
from tests.annotation.recounting import contradictions
from tests.annotation.test_concurrency import at_once, submit

pytestmark = pytest.mark.django_db

COMMENT = "Look at the end of the right video once more."


@pytest.fixture
def pair(study):
    return factories.pair(study)


@pytest.fixture
def answered(pair, study, annotator):
    return factories.answer(annotator, study)


def offer(answered, actor=None):
    return offering.offer_again(answered, reason="returned", actor=actor, comment=COMMENT)


def standing_of(assignment):
    return Standing.objects.get(pk=assignment.pk)


def how(assignment):
    standing = standing_of(assignment)
    return standing.validity, standing.reason, standing.counted, standing.uncounted_reason


def open_slots(pair):
    return Pair.objects.get(pk=pair.pk).open_slots


class TestTheSamePerson:
    def test_gets_the_pair_as_the_next_round_with_the_reason_and_the_comment(
        self, answered, pair, study, annotator, researcher, api
    ):
        returned = offer(answered, researcher)
        leased = api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/").json()
        assert (leased["current"]["id"], leased["current"]["round"]) == (returned.pk, 1)
        assert leased["current"]["returned"] == {"reason": "returned", "comment": COMMENT}
        event = AuditEvent.objects.get(action="assignment.offered")
        assert (event.actor, event.after["round"], event.after["reason"]) == (researcher, 1, "returned")

    def test_gives_a_new_answer_that_counts_instead_of_the_first(self, answered, pair, study, annotator):
        offer(answered)
        assert how(answered) == ("valid", "", False, "returned")
        assert open_slots(pair) == 1
        again = factories.answer(annotator, study)
        assert (again.round, how(again)) == (1, ("valid", "", True, ""))
        assert contradictions(study.pk) == {}

    def test_is_asked_under_the_versions_in_force_when_they_get_it(self, answered, study, annotator):
        offer(answered)
        Study.objects.filter(pk=study.pk).update(protocol_version=3)
        study.refresh_from_db()
        assert serving.lease(annotator, study).current.protocol_version == 3

    def test_is_asked_once_however_often_it_is_returned(self, answered, study, annotator):
        assert offer(answered).pk == offer(answered).pk
        serving.lease(annotator, study)
        assert offer(answered).round == 1
        assert Assignment.objects.count() == 2
        assert AuditEvent.objects.filter(action="assignment.offered").count() == 1

    def test_is_asked_a_third_time_after_the_second_answer(self, answered, study, annotator):
        offer(answered)
        again = factories.answer(annotator, study)
        assert offer(again).round == 2
        assert contradictions(study.pk) == {}

    def test_is_not_asked_again_for_an_answer_that_they_have_replaced_since(self, answered, study, annotator):
        offer(answered)
        factories.answer(annotator, study)
        with pytest.raises(Refused) as refused:
            offer(answered)
        assert refused.value.code == "asked_since"

    def test_is_not_asked_for_a_pair_that_they_never_answered(self, pair, study, annotator):
        with pytest.raises(Refused) as refused:
            offer(serving.lease(annotator, study).current)
        assert refused.value.code == "not_answered"

    @pytest.mark.parametrize(("model", "state", "code"), [
        (Study, "closed", "study_closed"), (Batch, "accepted", "batch_accepted"),
    ])  # fmt: skip
    def test_is_not_asked_where_they_would_never_get_it(self, answered, model, state, code):
        model.objects.update(state=state)
        with pytest.raises(Refused) as refused:
            offer(answered)
        assert refused.value.code == code
        assert how(answered) == ("valid", "", True, "")

    def test_is_not_asked_if_no_more_answers_are_wanted(self, answered, pair):
        Standing.objects.update(counted=False, uncounted_reason="surplus")
        with pytest.raises(Refused) as refused:
            offer(answered)
        assert refused.value.code == "no_slot"
        assert how(answered) == ("valid", "", False, "surplus")

    def test_an_unknown_reason_is_refused(self, answered):
        with pytest.raises(ValueError, match="bored"):
            offering.offer_again(answered, reason="bored", actor=None)

    def test_reads_on_their_page_that_it_was_returned(self, answered, study, annotator, browser_client):
        study.share_feedback = True
        study.save()
        offer(answered)
        factories.answer(annotator, study)
        second, first = my_work.answers(study, annotator, my_work.recent(study, annotator).rows)
        assert "Returned to you" in str(first.feedback)
        assert (str(second.feedback), second.comment) == ("Nobody else has changed this answer.", COMMENT)
        page = browser_client(annotator).get(reverse("answers:my_work", args=[study.slug])).content.decode()
        assert "A reviewer returned this pair to you" in page
        assert COMMENT in page

    @pytest.mark.parametrize("ruled", ["returned", "rejected"])
    def test_cannot_change_an_answer_that_was_returned(self, answered, annotator, api, ruled):
        if ruled == "returned":
            offer(answered)
        else:
            offering.reject(standing_of(answered), reason="off_guideline", actor=None)
        path = f"/api/v1/assignments/{answered.pk}/"
        body = factories.body(
            reason="reopened", harmlessness={**factories.body()["harmlessness"], "overall": "video_1"}
        )
        for response in (
            api(annotator).get(path + "reopen/"),
            api(annotator).post(path + "revise/", body, format="json"),
        ):
            assert (response.status_code, response.json()["code"]) == (409, "asked_again")


class TestRejecting:
    def test_after_a_rejection_someone_else_is_asked(self, answered, pair, study, annotator, researcher):
        offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        assert how(answered) == ("invalid", "off_guideline", False, "rejected")
        assert open_slots(pair) == 1
        assert serving.lease(annotator, study).current is None
        other = factories.member(study, "annotator")
        assert serving.lease(other, study).current.pair_id == pair.pk
        event = AuditEvent.objects.get(action="annotation.standing")
        assert (event.actor, event.before["counted"], event.after["counted"]) == (researcher, True, False)

    def test_twice_is_harmless(self, answered, pair, researcher):
        for _ in range(2):
            offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        assert open_slots(pair) == 1
        assert AuditEvent.objects.filter(action="annotation.standing").count() == 1

    def test_an_answer_that_never_counted_returns_no_slot(self, answered, pair, researcher):
        Standing.objects.update(counted=False, uncounted_reason="surplus")
        offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        assert open_slots(pair) == 0
        assert how(answered) == ("invalid", "off_guideline", False, "surplus")

    def test_an_answer_that_is_restored_counts_again(self, answered, pair, study, researcher):
        offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        offering.restore(standing_of(answered), actor=researcher)
        assert how(answered) == ("valid", "", True, "")
        assert open_slots(pair) == 0
        assert contradictions(study.pk) == {}

    def test_a_restored_answer_without_a_free_slot_is_valid_and_surplus(self, answered, pair, study, researcher):
        offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        factories.answer(factories.member(study, "annotator"), study)
        offering.restore(standing_of(answered), actor=researcher)
        assert how(answered) == ("valid", "", False, "surplus")
        assert contradictions(study.pk) == {}

    def test_one_that_never_counted_does_not_count_by_being_valid(self, answered, pair, researcher):
        Standing.objects.update(counted=False, uncounted_reason="surplus_batch_closed")
        Pair.objects.update(open_slots=1)
        offering.reject(standing_of(answered), reason="off_guideline", actor=None)
        offering.restore(standing_of(answered), actor=researcher)
        assert how(answered) == ("valid", "", False, "surplus_batch_closed")
        assert open_slots(pair) == 1

    def test_an_answer_that_a_rule_marks_keeps_its_slot(self, answered, pair):
        standings.change_standing(standing_of(answered), actor=None, validity="invalid", reason="contradiction")
        assert how(answered) == ("invalid", "contradiction", True, "")
        assert open_slots(pair) == 0

    def test_it_uses_the_locked_row_and_not_an_earlier_read(self, answered, pair, researcher):
        stale = standing_of(answered)
        offering.reject(standing_of(answered), reason="off_guideline", actor=researcher)
        assert stale.counted
        offering.reject(stale, reason="off_guideline", actor=researcher)
        assert not stale.counted
        assert open_slots(pair) == 1


class TestQuarantine:
    def test_a_returned_pair_is_offered_again_after_the_release(self, answered, study, annotator):
        """The report ends its lease like every other. Without a new offer, it would be lost."""
        offered = offer(answered)
        lease = serving.lease(annotator, study).current
        assert lease.pk == offered.pk
        reporter = factories.person()
        quarantine.report(lease.pair, ["video_0"], by=reporter)
        assert Assignment.objects.get(pk=lease.pk).state == "offered"
        assert serving.lease(annotator, study).current is None
        assert contradictions(study.pk) == {}
        quarantine.release(Quarantine.objects.get(), factories.officer(), reason="Looked at.")
        quarantine.settle_all()
        again = serving.lease(annotator, study).current
        assert (again.pk, again.round, again.comment) == (offered.pk, 1, COMMENT)

    def test_also_where_its_own_person_reported_it(self, answered, study, annotator):
        offered = offer(answered)
        lease = serving.lease(annotator, study).current
        quarantining.report(lease, annotator, videos=["video_0"])
        quarantine.release(Quarantine.objects.get(), factories.officer(), reason="Looked at.")
        quarantine.settle_all()
        assert serving.lease(annotator, study).current.pk == offered.pk


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_reviewers_who_return_the_same_answer_offer_it_once(self):
        for _ in range(5):
            study = factories.study()
            factories.pair(study)
            answered = factories.answer(factories.member(study, "annotator"), study)
            first, second = at_once(partial(offer, answered), partial(offer, answered))
            assert first.pk == second.pk
            assert contradictions(study.pk) == {}

    def test_decisions_while_people_answer_keep_every_count(self):
        with no_deadlocks():
            for _ in range(6):
                study = factories.study()
                factories.pairs(study, 4, wanted=3)
                people = [factories.member(study, "annotator") for _ in range(4)]
                answered = [factories.answer(person, study) for person in people[:2]]
                standing = standing_of(answered[0])
                results = at_once(
                    *[
                        partial(submit, serving.lease(one, study).current, one, study, uuid.uuid4(), True)
                        for one in people
                    ],
                    partial(offering.reject, standing_of(answered[0]), reason="off_guideline", actor=None),
                    partial(offering.restore, standing, actor=None),
                    partial(offer, answered[1]),
                    partial(offering.reject, standing_of(answered[1]), reason="off_guideline", actor=None),
                    leases.return_expired,
                )
                allowed = (Refused,)
                failed = [one for one in results if isinstance(one, Exception) and not isinstance(one, allowed)]
                assert failed == []
                assert contradictions(study.pk) == {}
