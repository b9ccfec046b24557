"""A reviewer's revision stays current, whatever its annotator does next. Standing and the annotator's page say so."""

import json
import uuid
from dataclasses import replace

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.urls import reverse

from accounts.models import AuditEvent
from annotation import corrections, offering, revisions
from annotation.answers import Answers
from annotation.models import Annotation, Seat, Standing
from catalog.models import Batch
from diptych.refusals import Refused
from tests import factories
from tests.annotation.test_concurrency import at_once

pytestmark = pytest.mark.django_db

REOPENED = factories.body(harmlessness={"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_1"})


@pytest.fixture
def answered(study, annotator):
    factories.pairs(study, 2)
    return factories.answer(annotator, study)


@pytest.fixture
def reviewer(study):
    return factories.member(study, "reviewer")


def correct(assignment, reviewer, *, comment="There is blood.", submission_id=None, **columns):
    stands = Answers.from_annotation(Standing.objects.select_related("current").get(pk=assignment.pk).current)
    columns = columns or {"tags_video_1": ("crime", "violence")}
    return corrections.correct(
        assignment,
        reviewer,
        submission_id=submission_id or uuid.uuid4(),
        answers=replace(stands, **columns),
        comment=comment,
    )


def revise(assignment, reason="reopened", submission_id=None):
    return revisions.revise(
        assignment,
        assignment.person,
        submission_id=submission_id or uuid.uuid4(),
        answers=Answers.from_body(REOPENED["helpfulness"], REOPENED["harmlessness"]),
        timings_ms={},
        viewing={},
        reason=reason,
    )


def test_it_is_the_next_revision_and_the_standing_has_its_author_kind_and_reason(answered, reviewer):
    corrected = correct(answered, reviewer)
    revision, standing = corrected.annotation, Standing.objects.select_related("current").get()
    assert (revision.revision, revision.author, revision.reason) == (2, reviewer, "correction")
    assert (standing.current, standing.author_kind) == (revision, "corrector")
    assert (standing.current.reason, standing.current.comment) == ("correction", "There is blood.")
    assert revision.presentation == Annotation.objects.get(revision=1).presentation
    event = AuditEvent.objects.get(action="annotation.revised")
    assert (event.actor, event.after["reason"]) == (reviewer, "correction")


def test_it_adds_no_time_to_the_annotator_and_protects_later_people(answered, reviewer):
    active_ms = Seat.objects.get().active_ms
    Standing.objects.update(tags_unnoted=False)
    correct(answered, reviewer)
    assert Seat.objects.get().active_ms == active_ms
    assert Standing.objects.get().tags_unnoted


@pytest.mark.parametrize("reason", ["reopened", "second_look"])
def test_the_annotator_cannot_change_it_back(answered, reviewer, study, reason):
    study.second_look = True
    study.save()
    correct(answered, reviewer)
    with pytest.raises(Refused) as refused:
        revise(answered, reason)
    assert refused.value.code == "corrected"
    assert Standing.objects.get().current.author == reviewer


def test_a_change_that_was_sent_before_and_is_repeated_is_still_there(answered, reviewer):
    submission_id = uuid.uuid4()
    revise(answered, submission_id=submission_id)
    correct(answered, reviewer, tags_video_0=("crime",))
    assert not revise(answered, submission_id=submission_id).created
    assert Standing.objects.get().author_kind == "corrector"


@pytest.mark.parametrize(("written", "error"), [
    ({"author_kind": "annotator"}, ProgrammingError),  # the trigger
    ({}, IntegrityError),  # the foreign key: `author_kind` differs from that of the current revision
])  # fmt: skip
def test_the_database_refuses_it_past_all_checks(answered, reviewer, written, error):
    correct(answered, reviewer)
    first = Annotation.objects.get(revision=1)
    with pytest.raises(error), transaction.atomic():
        Standing.objects.update(current=first, **written)
    assert Standing.objects.get().current.author == reviewer


def test_a_reviewer_may_correct_a_correction(answered, reviewer, study):
    correct(answered, reviewer)
    other = factories.member(study, "reviewer")
    assert correct(answered, other, tags_video_1=("hate",)).annotation.revision == 3
    assert Standing.objects.get().current.author == other


def test_sent_twice_it_is_stored_once(answered, reviewer):
    submission_id = uuid.uuid4()
    outcomes = [correct(answered, reviewer, submission_id=submission_id) for _ in range(2)]
    assert [outcome.created for outcome in outcomes] == [True, False]
    assert Annotation.objects.count() == 2


def test_unchanged_answers_write_nothing(answered, reviewer):
    assert not correct(answered, reviewer, tags_video_1=("violence",)).created
    assert Standing.objects.get().author_kind == "annotator"


@pytest.mark.parametrize("question", corrections.PREFERENCES)
def test_a_preference_is_never_corrected(answered, reviewer, question):
    stands = Answers.from_annotation(Annotation.objects.get())
    other = "video_1" if getattr(stands, question) == "video_0" else "video_0"
    with pytest.raises(Refused) as refused:
        correct(answered, reviewer, **{question: other})
    assert refused.value.code == "preference"
    assert Annotation.objects.count() == 1


def test_nobody_corrects_their_own_answer(answered, annotator):
    with pytest.raises(Refused) as refused:
        correct(answered, annotator)
    assert refused.value.code == "own_answer"


@pytest.mark.parametrize("state", Batch.State.values)
def test_it_is_accepted_in_every_state_of_a_batch_but_accepted(answered, reviewer, state):
    Batch.objects.update(state=state)
    if state == "accepted":
        with pytest.raises(Refused, match="accepted"):
            correct(answered, reviewer)
    else:
        assert correct(answered, reviewer).created


def test_a_correction_that_mends_a_contradiction_makes_the_answer_valid(study, annotator, reviewer):
    factories.pair(study)
    contradictory = {"video_0": {"tags": ["crime"]}, "video_1": {"tags": []}, "overall": "video_0"}
    answered = factories.answer(annotator, study, harmlessness=contradictory)
    assert Standing.objects.get().validity == "invalid"
    correct(answered, reviewer, tags_video_0=(), tags_video_1=("crime",))
    assert Standing.objects.get().validity == "valid"


def test_the_api_says_that_it_was_corrected_and_shows_no_video(answered, reviewer, api, annotator):
    correct(answered, reviewer)
    response = api(annotator).get(f"/api/v1/assignments/{answered.pk}/reopen/")
    assert (response.status_code, response.json()["code"]) == (409, "corrected")
    assert "media" not in json.dumps(response.json())


def test_the_persons_own_page_says_so(answered, reviewer, study, annotator, browser_client):
    def page():
        return browser_client(annotator).get(reverse("answers:my_work", args=[study.slug])).content.decode()

    assert "corrected by a reviewer" not in page()
    correct(answered, reviewer)
    text = page()
    assert "corrected by a reviewer" in text
    assert "There is blood." in text
    assert "Corrected answer" in text
    assert "reopen=" not in text
    assert reviewer.username not in text


def test_a_pair_returned_after_a_correction_is_asked_again(answered, reviewer):
    correct(answered, reviewer)
    offer = offering.offer_again(answered, reason="returned", actor=reviewer)
    assert offer.state == "offered"


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_correction_at_once_leave_the_reviewers_revision_standing():
    for _ in range(6):
        study = factories.study()
        factories.pair(study)
        person, reviewer = factories.member(study, "annotator"), factories.member(study, "reviewer")
        answered = factories.answer(person, study)
        changed, corrected = at_once(
            *[lambda one=answered: revise(one), lambda one=answered, who=reviewer: correct(one, who)]
        )
        standing = Standing.objects.select_related("current").get(pk=answered.pk)
        if isinstance(corrected, Refused):  # it was made before the change, which moved a preference
            assert corrected.code == "preference"
            assert standing.author_kind == "annotator"
        else:
            assert standing.current.author == reviewer
            assert isinstance(changed, Refused) or changed.annotation.revision < standing.current.revision
