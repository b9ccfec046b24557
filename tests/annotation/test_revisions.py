"""An answer is changed but never replaced: after a second look, or reopened within the study's time limit."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import revisions, serving, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Seat, Standing
from catalog.models import Batch, Pair
from consent import agreements
from diptych.refusals import Refused
from findings.contradictions import first_answers
from studies.models import Study
from tests import factories
from tests.web import wait_for

pytestmark = pytest.mark.django_db

CONTRADICTORY = {"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_0"}
CONSISTENT = {"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_1"}
#: With the first seed, no consistent answer is drawn for a second look; with the other, every one is.
NEVER, ALWAYS = 0.0, 1.0


@pytest.fixture
def answered(study, annotator):
    factories.pairs(study, 2)
    return factories.answer(annotator, study)


@pytest.fixture
def client(api, annotator):
    return api(annotator)


def revise(assignment, *, reason="reopened", submission_id=None, timings_ms=None, **values):
    body = factories.body(**values)
    return revisions.revise(
        assignment,
        assignment.person,
        submission_id=submission_id or uuid.uuid4(),
        answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
        timings_ms=timings_ms or {},
        viewing={"cues": {}},
        reason=reason,
    )


def set_share(monkeypatch, share):
    """Set the share of consistent answers that get a second look."""
    monkeypatch.setattr("annotation.draws.SECOND_LOOK_SHARE", share)


def moved_back(assignment, **ago):
    Assignment.objects.filter(pk=assignment.pk).update(ended_at=timezone.now() - timedelta(**ago))
    assignment.refresh_from_db()


class TestReopened:
    def test_a_changed_answer_is_the_next_revision_and_the_first_stays(self, answered):
        first = Annotation.objects.get()
        revised = revise(answered, harmlessness=CONSISTENT)
        assert (revised.annotation.revision, revised.annotation.reason) == (2, "reopened")
        assert Standing.objects.get().current == revised.annotation
        first.refresh_from_db()
        assert (first.revision, first.tags_video_1) == (1, ["violence"])

    def test_it_records_the_presentation_and_writes_an_audit_row(self, answered, annotator):
        revised = revise(answered, harmlessness=CONSISTENT)
        assert revised.annotation.presentation == Annotation.objects.get(revision=1).presentation
        event = AuditEvent.objects.get(action="annotation.revised")
        assert (event.actor, event.after["revision"]) == (annotator, 2)

    def test_the_same_answers_again_write_nothing(self, answered):
        revised = revise(answered)
        assert not revised.created
        assert Annotation.objects.count() == 1

    def test_sent_twice_it_is_stored_once(self, answered):
        submission_id = uuid.uuid4()
        first = revise(answered, submission_id=submission_id, harmlessness=CONSISTENT)
        second = revise(answered, submission_id=submission_id, harmlessness=CONSISTENT)
        assert (first.created, second.created) == (True, False)
        assert first.annotation == second.annotation
        assert AuditEvent.objects.filter(action="annotation.revised").count() == 1

    def test_other_answers_under_a_used_id_are_refused(self, answered):
        submission_id = uuid.uuid4()
        revise(answered, submission_id=submission_id, harmlessness=CONSISTENT)
        with pytest.raises(Refused) as conflict:
            revise(answered, submission_id=submission_id, harmlessness=CONTRADICTORY)
        assert conflict.value.code == "submission_id_used"

    def test_after_the_time_limit_it_is_refused(self, answered, study):
        moved_back(answered, seconds=study.reopen_s + 1)
        with pytest.raises(Refused) as conflict:
            revise(answered, harmlessness=CONSISTENT)
        assert conflict.value.code == "too_late"

    @pytest.mark.parametrize("state", ["annotated", "returned"])
    def test_in_a_batch_that_is_not_being_checked_it_is_accepted(self, answered, state):
        Batch.objects.update(state=state)
        assert revise(answered, harmlessness=CONSISTENT).created

    @pytest.mark.parametrize("state", ["in_review", "accepted"])
    def test_in_a_batch_that_is_being_checked_it_is_refused(self, answered, state):
        Batch.objects.update(state=state)
        with pytest.raises(Refused) as conflict:
            revise(answered, harmlessness=CONSISTENT)
        assert conflict.value.code == "batch_closed"
        assert Annotation.objects.count() == 1

    def test_for_a_held_pair_it_is_refused(self, answered):
        Pair.objects.update(held="quarantined")
        with pytest.raises(Refused) as conflict:
            revise(answered, harmlessness=CONSISTENT)
        assert conflict.value.code == "held"

    def test_for_a_harm_that_the_person_has_since_left_out_it_is_refused(self, answered):
        Pair.objects.update(may_show=["crime"])
        Seat.objects.update(excluded=["crime"])
        with pytest.raises(Refused) as conflict:
            revise(answered, harmlessness=CONSISTENT)
        assert conflict.value.code == "excluded"

    def test_in_a_closed_study_it_is_refused(self, answered, study):
        study.state = "closed"
        study.save()
        with pytest.raises(Refused) as conflict:
            revise(answered, harmlessness=CONSISTENT)
        assert conflict.value.code == "study_closed"

    def test_before_the_first_answer_it_is_refused(self, answered, annotator, study, api):
        leased = api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/").json()
        open_one = Assignment.objects.get(pk=leased["current"]["id"])
        with pytest.raises(Refused) as conflict:
            revise(open_one)
        assert conflict.value.code == "not_answered"

    def test_its_active_time_is_credited_once_and_within_the_clock(self, answered):
        before = Seat.objects.get().active_ms
        Seat.objects.update(worked_until=timezone.now() - timedelta(seconds=60))
        revised = revise(answered, harmlessness=CONSISTENT, timings_ms={"total_active": 10**9})
        assert 0 <= revised.annotation.active_ms <= 61_000
        assert Seat.objects.get().active_ms == before + revised.annotation.active_ms


class TestStandingFollows:
    def test_a_corrected_contradiction_is_valid_and_its_first_answer_still_counts_as_noise(self, study, annotator):
        factories.pair(study)
        assignment = factories.answer(annotator, study, harmlessness=CONTRADICTORY)
        assert Standing.objects.get().validity == "invalid"
        revise(assignment, harmlessness=CONSISTENT)
        standing = Standing.objects.get()
        assert (standing.validity, standing.reason) == ("valid", "")
        assert (first_answers(study).all, first_answers(study).contradictory) == (1, 1)

    def test_an_answer_that_becomes_contradictory_is_invalid_and_its_first_answer_is_not_noise(self, answered, study):
        revise(answered, harmlessness=CONTRADICTORY)
        standing = Standing.objects.get()
        assert (standing.validity, standing.reason) == ("invalid", "contradiction")
        assert first_answers(study).contradictory == 0

    def test_decisions_of_reviewers_are_unchanged(self, answered):
        Standing.objects.update(validity="invalid", reason="defect")
        revise(answered, harmlessness=CONSISTENT)
        assert Standing.objects.get().reason == "defect"

    def test_a_changed_surplus_answer_stays_surplus(self, answered):
        Standing.objects.update(validity="invalid", reason="contradiction", counted=False, uncounted_reason="surplus")
        revise(answered, harmlessness=CONSISTENT)
        standing = Standing.objects.get()
        assert (standing.validity, standing.reason) == ("valid", "")
        assert (standing.counted, standing.uncounted_reason) == (False, "surplus")

    def test_a_changed_surplus_answer_has_its_reason_again(self, study, annotator):
        factories.pair(study)
        lease = serving.lease(annotator, study).current
        Batch.objects.update(state="in_review")
        body = factories.body(harmlessness=CONTRADICTORY)
        submission.submit(
            lease,
            annotator,
            submission_id=uuid.uuid4(),
            answers=Answers.from_body(body["helpfulness"], body["harmlessness"]),
            timings_ms={},
            viewing={},
        )
        assert Standing.objects.get().reason == "contradiction"
        Batch.objects.update(state="returned")
        revise(Assignment.objects.select_related("study").get(pk=lease.pk), harmlessness=CONSISTENT)
        standing = Standing.objects.get()
        assert (standing.validity, standing.reason) == ("valid", "")
        assert (standing.counted, standing.uncounted_reason) == (False, "surplus_batch_closed")

    def test_tags_that_a_revision_adds_protect_later_people(self, answered):
        Standing.objects.update(tags_unnoted=False)
        revise(answered, harmlessness=CONSISTENT)
        assert Standing.objects.get().tags_unnoted


class TestSecondLook:
    @pytest.fixture
    def study(self, db):
        return factories.study(second_look=True, reopen_s=0)

    @pytest.fixture
    def contradictory(self, study, annotator):
        factories.pair(study)
        return factories.answer(annotator, study, harmlessness=CONTRADICTORY)

    def test_it_is_due_on_every_contradictory_first_answer(self, contradictory, study, monkeypatch):
        set_share(monkeypatch, NEVER)
        assert revisions.second_look_due(study, Annotation.objects.get())

    def test_it_is_due_on_a_twentieth_of_the_others_always_the_same_ones(self, study, annotator):
        drawn = [revisions.draws.second_look(study, annotator.pk, number) for number in range(4000)]
        assert 0.035 < sum(drawn) / len(drawn) < 0.065
        assert drawn == [revisions.draws.second_look(study, annotator.pk, number) for number in range(4000)]

    def test_without_the_setting_it_is_never_due(self, contradictory, study):
        study.second_look = False
        assert not revisions.second_look_due(study, Annotation.objects.get())

    def test_a_changed_answer_has_its_reason(self, contradictory):
        revised = revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        assert (revised.annotation.revision, revised.annotation.reason) == (2, "second_look")
        assert AuditEvent.objects.get(action="annotation.second_look").after == {"changed": True}

    def test_an_unchanged_answer_records_only_the_second_look(self, contradictory):
        for _ in range(2):
            assert not revise(contradictory, reason="second_look", harmlessness=CONTRADICTORY).created
        assert Annotation.objects.count() == 1
        assert AuditEvent.objects.get(action="annotation.second_look").after == {"changed": False}

    def test_an_answer_that_was_not_drawn_gets_no_second_look(self, study, annotator, monkeypatch):
        set_share(monkeypatch, NEVER)
        factories.pair(study)
        consistent = factories.answer(annotator, study)
        with pytest.raises(Refused) as conflict:
            revise(consistent, reason="second_look", harmlessness=CONSISTENT)
        assert conflict.value.code == "no_second_look"

    def test_it_is_accepted_once(self, contradictory):
        revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        with pytest.raises(Refused) as conflict:
            revise(contradictory, reason="second_look", harmlessness=CONTRADICTORY)
        assert conflict.value.code == "no_second_look"

    def test_after_withdrawing_it_is_refused(self, contradictory, study, annotator):
        agreements.withdraw(annotator, study)
        with pytest.raises(Refused) as conflict:
            revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        assert conflict.value.code == "consent"

    def test_it_is_over_when_the_study_is(self, contradictory, study):
        Study.objects.update(state="closed")
        with pytest.raises(Refused) as conflict:
            revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        assert conflict.value.code == "study_closed"

    def test_a_held_pair_gets_no_second_look(self, contradictory):
        Pair.objects.update(held="To be looked at.")
        with pytest.raises(Refused) as conflict:
            revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        assert conflict.value.code == "held"

    def test_it_ends_when_a_lease_would(self, contradictory, study, monkeypatch):
        later = timezone.now() + timedelta(seconds=study.lease_s + 1)
        monkeypatch.setattr("annotation.revisions.timezone.now", lambda: later)
        with pytest.raises(Refused) as conflict:
            revise(contradictory, reason="second_look", harmlessness=CONSISTENT)
        assert conflict.value.code == "too_late"

    @pytest.mark.parametrize(("harmlessness", "share", "due"), [
        (CONTRADICTORY, NEVER, True),
        (CONSISTENT, ALWAYS, True),
        (CONSISTENT, NEVER, False),
    ])  # fmt: skip
    def test_the_response_to_a_submission_is_the_same_for_both(
        self, study, annotator, api, monkeypatch, harmlessness, share, due
    ):
        set_share(monkeypatch, share)
        factories.pairs(study, 2)
        leased = api(annotator).post(f"/api/v1/studies/{study.slug}/assignments/").json()
        path, body = f"/api/v1/assignments/{leased['current']['id']}/submit/", factories.body(harmlessness=harmlessness)
        for _ in range(2):  # and so when it is repeated
            assert api(annotator).post(path, body, format="json").json()["second_look"] is due


class TestEndpoints:
    def test_reopening_returns_the_pair_with_its_current_answers(self, client, answered):
        revise(answered, harmlessness=CONSISTENT)
        reopened = client.get(f"/api/v1/assignments/{answered.pk}/reopen/").json()
        assert reopened["video_0"]["playback_url"].startswith("/media/")
        assert reopened["answers"]["harmlessness"]["video_0"]["tags"] == ["crime"]
        assert reopened["answers"]["helpfulness"]["overall"] == "video_0"
        assert reopened["viewing"] == {"cues": {}}

    def test_an_answer_that_cannot_be_changed_is_not_reopened_and_shows_no_video(self, client, answered):
        Batch.objects.update(state="in_review")
        response = client.get(f"/api/v1/assignments/{answered.pk}/reopen/")
        assert (response.status_code, response.json()["code"]) == (409, "batch_closed")
        assert "media" not in json.dumps(response.json())

    def test_revising_answers_201_then_200(self, client, answered):
        path, body = (
            f"/api/v1/assignments/{answered.pk}/revise/",
            factories.body(reason="reopened", harmlessness=CONSISTENT),
        )
        responses = [client.post(path, body, format="json") for _ in range(2)]
        assert [response.status_code for response in responses] == [201, 200]
        assert responses[0].json()["annotation"] == responses[1].json()["annotation"]
        assert responses[0].json()["annotation"]["revision"] == 2

    def test_an_unknown_reason_is_refused_with_its_field(self, client, answered):
        response = client.post(
            f"/api/v1/assignments/{answered.pk}/revise/", factories.body(reason="why not"), format="json"
        )
        assert response.status_code == 400
        assert "reason" in response.json()["fields"]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Real threads on real PostgreSQL."""

    def test_two_changes_at_once_are_two_revisions_one_after_the_other(self, answered):
        other = {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_1"}

        def change(harmlessness):
            try:
                return revise(answered, harmlessness=harmlessness).annotation.revision
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            numbers = sorted(pool.map(change, [CONSISTENT, other]))
        assert numbers == [2, 3]
        assert Standing.objects.get().current.revision == 3

    def test_no_review_begins_in_the_middle_of_a_change(self, answered):
        def begin_review():
            try:
                Batch.objects.update(state="in_review")
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                revise(answered, harmlessness=CONSISTENT)
                beginning = pool.submit(begin_review)
                wait_for(somebody_waits_for_a_batch, "nobody waited for the batch")
                assert not beginning.done()
            beginning.result(timeout=10)
        assert Batch.objects.get().state == "in_review"
        with pytest.raises(Refused):
            revise(answered, harmlessness=CONTRADICTORY)


def somebody_waits_for_a_batch():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]
