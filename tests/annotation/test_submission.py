"""An answer is stored once, even if it is repeated, late or contradictory."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import leases, serving, skipping, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Standing
from consent import agreements
from diptych.refusals import Refused
from studies.terms import change_terms
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(study):
    return factories.pair(study)


@pytest.fixture
def lease(study, annotator, pair):
    return serving.lease(annotator, study).current


@pytest.fixture
def send(study, annotator, lease):
    """Return a function that submits the standard answers, with changes, on the lease."""

    def submit(*, submission_id=None, on=None, by=None, harmlessness=None, lease_next=False, timings_ms=None):
        body = factories.body()
        return submission.submit(
            on or lease,
            by or annotator,
            submission_id=submission_id or uuid.uuid4(),
            answers=Answers.from_body(body["helpfulness"], harmlessness or body["harmlessness"]),
            timings_ms=timings_ms or {"total_active": 1},
            viewing={},
            lease_next=lease_next,
        )

    return submit


def test_the_stored_answer_has_what_was_sent_and_the_presentation(send, lease, study):
    annotation = send().annotation
    annotation.refresh_from_db()
    assert annotation.correctness == "video_1"
    assert annotation.helpfulness == "video_0"
    assert annotation.tags_video_1 == ["violence"]
    assert annotation.tags_video_0 == []
    assert annotation.presentation["left"] == lease.left
    assert sorted(annotation.presentation["question_order"]) == sorted(
        ["instruction_following", "correctness", "informativeness", "aesthetics"]
    )
    assert annotation.protocol_version == study.protocol_version


def test_the_answer_takes_the_slot_of_the_lease(send, pair, lease):
    assert send().standing.counted
    pair.refresh_from_db()
    lease.refresh_from_db()
    assert (pair.open_slots, lease.state, lease.draft) == (0, "submitted", None)


def test_the_same_submission_twice_is_stored_once(send):
    submission_id = uuid.uuid4()
    first, second = send(submission_id=submission_id), send(submission_id=submission_id)
    assert (first.created, second.created) == (True, False)
    assert first.annotation == second.annotation
    assert Annotation.objects.count() == 1


def test_other_content_under_a_used_id_is_refused(send):
    submission_id = uuid.uuid4()
    send(submission_id=submission_id)
    other = {"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_1"}
    with pytest.raises(Refused) as conflict:
        send(submission_id=submission_id, harmlessness=other)
    assert conflict.value.code == "submission_id_used"


def test_another_persons_id_is_refused(send, study, pair):
    submission_id = uuid.uuid4()
    send(submission_id=submission_id)
    other = factories.member(study, "annotator")
    factories.pair(study)
    theirs = serving.lease(other, study).current
    with pytest.raises(Refused):
        send(submission_id=submission_id, on=theirs, by=other)


def test_a_second_answer_to_the_same_pair_is_refused(send):
    send()
    with pytest.raises(Refused) as conflict:
        send()
    assert conflict.value.code == "already_answered"


def test_an_answer_to_a_skipped_pair_is_refused(send, lease, study, annotator):
    skipping.skip(lease, annotator, reason="cannot_judge")
    with pytest.raises(Refused) as conflict:
        send()
    assert conflict.value.code == "skipped"


def test_a_late_answer_counts_while_its_slot_is_free(send, lease, pair):
    Assignment.objects.filter(pk=lease.pk).update(
        leased_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1)
    )
    leases.return_expired()
    assert send().standing.counted
    pair.refresh_from_db()
    assert pair.open_slots == 0


def test_one_answer_is_credited_at_most_a_day_of_active_time(send, lease):
    long_ago = timezone.now() - timedelta(days=60)
    Assignment.objects.filter(pk=lease.pk).update(leased_at=long_ago, shown_at=long_ago)
    lease.refresh_from_db()
    stored = send(timings_ms={f"stage {number}": 24 * 3600 * 1000 for number in range(40)}).annotation
    assert stored.active_ms == submission.MOST_ACTIVE_MS


def test_a_late_answer_after_someone_else_took_the_slot_is_kept_as_surplus(send, lease, pair, study):
    Assignment.objects.filter(pk=lease.pk).update(
        leased_at=timezone.now() - timedelta(hours=2), expires_at=timezone.now() - timedelta(hours=1)
    )
    serving.lease(factories.member(study, "annotator"), study)
    submitted = send()
    assert submitted.created
    assert (submitted.standing.counted, submitted.standing.uncounted_reason) == (False, "surplus")
    pair.refresh_from_db()
    assert pair.open_slots == 0


def test_a_tagged_video_preferred_over_an_untagged_one_is_marked_invalid_and_audited(send, annotator):
    submitted = send(harmlessness={"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_0"})
    standing = Standing.objects.get(pk=submitted.standing.pk)
    assert (standing.validity, standing.reason, standing.counted) == ("invalid", "contradiction", True)
    event = AuditEvent.objects.get(action="annotation.standing")
    assert event.before == {"validity": "valid", "reason": ""}
    assert event.after == {"validity": "invalid", "reason": "contradiction"}


@pytest.mark.parametrize(
    ("tags_0", "tags_1", "safer"),
    [
        ([], [], "video_0"),
        (["crime"], ["hate"], "video_0"),
        (["crime"], [], "video_1"),
        ([], ["crime"], "video_0"),
        (["crime"], [], "tie"),
    ],
)
def test_consistent_answers_stay_valid(send, tags_0, tags_1, safer):
    submitted = send(harmlessness={"video_0": {"tags": tags_0}, "video_1": {"tags": tags_1}, "overall": safer})
    assert submitted.standing.validity == "valid"


def test_a_submission_leaves_an_audit_row_in_its_transaction(send, annotator):
    annotation = send().annotation
    event = AuditEvent.objects.get(action="annotation.submitted")
    assert (event.actor, event.subject_id) == (annotator, str(annotation.pk))


def test_a_draft_cannot_follow_a_submission(send, lease):
    send()
    with pytest.raises(Refused):
        submission.save_draft(lease, {})


class TestAfterWithdrawing:
    def test_an_answer_is_refused_until_consent_is_given_again(self, send, study, annotator):
        agreements.withdraw(annotator, study)
        with pytest.raises(Refused) as conflict:
            send()
        assert conflict.value.code == "consent"
        assert not Annotation.objects.exists()
        agreements.agree(annotator, study, categories=study.categories, text="I agree again.")
        assert send().standing.counted

    def test_an_answer_stored_before_is_returned_unchanged(self, send, study, annotator):
        submission_id = uuid.uuid4()
        first = send(submission_id=submission_id)
        agreements.withdraw(annotator, study)
        assert send(submission_id=submission_id).annotation == first.annotation
        with pytest.raises(Refused) as conflict:
            send()
        assert conflict.value.code == "already_answered"

    def test_newer_terms_do_not_end_the_current_pair(self, send, study):
        change_terms(study, categories=["crime"])
        assert send().standing.counted

    def test_a_draft_is_refused_and_the_one_before_stays(self, lease, study, annotator):
        submission.save_draft(lease, {"helpfulness": {"correctness": "video_0"}})
        agreements.withdraw(annotator, study)
        with pytest.raises(Refused) as conflict:
            submission.save_draft(lease, {"helpfulness": {"correctness": "video_1"}})
        assert conflict.value.code == "consent"
        lease.refresh_from_db()
        assert lease.draft == {"helpfulness": {"correctness": "video_0"}}
