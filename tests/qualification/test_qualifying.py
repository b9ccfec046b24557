"""A person goes through the training and the test, and may then work."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import AuditEvent
from annotation import serving
from annotation.models import Annotation, Assignment, Dose, Seat
from catalog.models import Pair
from consent import agreements
from diptych.refusals import Refused
from qualification import attempts, deciding, judging, sets, standing
from qualification.models import Attempt, Qualification, QualificationExposure, Turn, TurnAnswer
from studies.models import Study
from tests import factories
from tests.qualification import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(study, researcher):
    """Let the study ask for a training of two pairs and a test of five. One more pair waits for work."""
    made = world.asks_for_qualification(study, researcher)
    factories.pair(study)
    return made


def stage(person, study):
    seat = Seat.objects.get(study=study, person=person)
    return standing.standing_of(person, study, seat, timezone.now()).stage


def later(person, **ago):
    """Let the person's last attempt have ended that long ago."""
    Attempt.objects.filter(person=person).latest("pk")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE qualification_attempt SET ended_at = ended_at - %s::interval WHERE person_id = %s",
            [timedelta(**ago), person.pk],
        )
        cursor.execute("RESET session_replication_role")


def test_training_and_test_lead_to_work(study, annotator, asked):
    assert serving.lease(annotator, study).reason == "qualification"
    assert stage(annotator, study) == standing.TRAIN
    world.go_through(annotator, study, "training")
    assert stage(annotator, study) == standing.TEST
    attempt = world.go_through(annotator, study, "test")
    assert (attempt.judged, attempt.right, attempt.passed) == (15, 15, True)
    assert stage(annotator, study) == standing.QUALIFIED
    given = Qualification.objects.get(person=annotator)
    assert (given.how, given.attempt, given.given_by) == ("passed", attempt, None)
    assert Seat.objects.get(study=study, person=annotator).qualified_at == given.given_at
    assert serving.lease(annotator, study).current is not None


@pytest.mark.long
def test_nothing_of_it_is_an_answer_of_the_study(study, annotator, asked):
    slots = set(Pair.objects.values_list("pk", "open_slots"))
    world.qualify(annotator, study)
    assert not Assignment.objects.exists()
    assert not Annotation.objects.exists()
    assert set(Pair.objects.values_list("pk", "open_slots")) == slots


def test_the_test_waits_until_the_training_is_done(study, annotator, asked):
    with pytest.raises(Refused, match="training first"):
        attempts.begin(annotator, study, "test")


@pytest.mark.long
def test_the_same_turn_comes_back_until_it_is_done(study, annotator, asked):
    attempt = attempts.begin(annotator, study, "training")
    assert attempts.begin(annotator, study, "training") == attempt
    first = attempts.next_step(attempt, annotator)
    assert attempts.next_step(attempt, annotator).turn == first.turn
    assert first.left == 2
    world.answer(first.turn, annotator)
    again = attempts.next_step(attempt, annotator)
    assert (again.turn, again.turn.ended_at is not None, again.left) == (first.turn, True, 2)
    attempts.go_on(first.turn, annotator)
    attempts.go_on(first.turn, annotator)
    following = attempts.next_step(attempt, annotator)
    assert (following.turn != first.turn, following.left) == (True, 1)


def test_going_on_needs_an_answer(study, annotator, asked):
    turn = attempts.next_step(attempts.begin(annotator, study, "training"), annotator).turn
    with pytest.raises(Refused, match="Answer this pair first"):
        attempts.go_on(turn, annotator)


def test_an_answer_is_stored_once_and_never_changed(study, annotator, asked):
    turn = attempts.next_step(attempts.begin(annotator, study, "training"), annotator).turn
    sent = uuid4()
    for _ in range(2):
        world.answer(turn, annotator, submission_id=sent)
    for refused in (
        lambda: world.answer(turn, annotator, right=False),
        lambda: attempts.skip(turn, annotator, reason="cannot_judge"),
    ):
        with pytest.raises(Refused, match="first answer stays"):
            refused()
    assert TurnAnswer.objects.count() == 1
    assert AuditEvent.objects.filter(action="qualification.answered").count() == 1


@pytest.mark.long
def test_who_fails_waits_and_tries_again(study, annotator, asked):
    world.go_through(annotator, study, "training")
    attempt = world.go_through(annotator, study, "test", wrong=2)
    assert (attempt.judged, attempt.right, attempt.passed) == (15, 9, False)
    assert stage(annotator, study) == standing.WAIT
    with pytest.raises(Refused, match="later"):
        attempts.begin(annotator, study, "test")
    later(annotator, hours=23)
    assert stage(annotator, study) == standing.WAIT
    later(annotator, hours=1)
    assert world.go_through(annotator, study, "test", wrong=1).passed  # 12 of 15 is 80 %
    assert stage(annotator, study) == standing.QUALIFIED


@pytest.mark.long
def test_who_fails_all_attempts_is_known_and_may_be_allowed_one_more(study, annotator, asked, researcher):
    study.qualification_wait_s = 0
    study.save()
    world.go_through(annotator, study, "training")
    for _ in range(2):
        assert deciding.used_all_attempts(study) == []
        world.go_through(annotator, study, "test", wrong=5)
    assert stage(annotator, study) == standing.FAILED
    assert deciding.used_all_attempts(study) == [annotator]
    with pytest.raises(Refused, match="used all attempts"):
        attempts.begin(annotator, study, "test")
    deciding.allow_attempt(study, annotator, "The sound was broken.", actor=researcher)
    assert deciding.used_all_attempts(study) == []
    assert stage(annotator, study) == standing.TEST
    with pytest.raises(Refused, match="One more attempt helps only"):
        deciding.allow_attempt(study, annotator, "Again.", actor=researcher)
    assert world.go_through(annotator, study, "test").passed


@pytest.mark.long
def test_one_more_attempt_may_begin_at_once(study, annotator, asked, researcher):
    world.go_through(annotator, study, "training")
    world.go_through(annotator, study, "test", wrong=5)
    deciding.allow_attempt(study, annotator, "The sound was broken.", actor=researcher)
    assert stage(annotator, study) == standing.TEST


@pytest.mark.long
def test_pairs_that_a_person_did_not_agree_to_see_are_left_out(study, annotator, asked, researcher):
    violent = [item.pair_id for item in asked[1].items.all()[:1]]
    Pair.objects.filter(pk__in=violent).update(may_show=["violence"], lane=1)
    agreements.agree(annotator, study, categories=["crime"], text="Only this.")
    assert stage(annotator, study) == standing.TOO_FEW
    with pytest.raises(Refused, match="Too few pairs"):
        attempts.begin(annotator, study, "training")
    new = world.published(study, "test", factories.pairs(study, 1), researcher)  # six pairs, one of them violent
    world.go_through(annotator, study, "training")
    attempt = world.go_through(annotator, study, "test")
    assert (attempt.set, attempt.judged, attempt.passed) == (new, 15, True)


@pytest.mark.long
def test_skipped_pairs_are_left_out_and_too_few_are_not_judged(study, annotator, asked):
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    turn = attempts.next_step(attempt, annotator).turn
    attempts.skip(turn, annotator, reason="too_distressing")
    attempts.skip(turn, annotator, reason="too_distressing")
    with pytest.raises(Refused, match="already skipped"):
        world.answer(turn, annotator)
    assert world.go_through(annotator, study, "test").passed is None
    attempt.refresh_from_db()
    assert (attempt.end, attempt.judged) == ("finished", 12)
    assert QualificationExposure.objects.get(sitting=turn.sitting).too_distressing
    assert stage(annotator, study) == standing.WAIT


@pytest.mark.long
def test_a_pair_that_is_reported_after_publication_is_left_out(study, annotator, asked):
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    turn = attempts.next_step(attempt, annotator).turn
    Pair.objects.filter(pk=turn.item.pair_id).update(held="quarantined")
    step = attempts.next_step(attempt, annotator)
    assert (step.turn != turn, step.left) == (True, 4)
    turn.refresh_from_db()
    assert turn.skip_reason == "gone"


@pytest.mark.long
def test_the_daily_limit_counts_and_harmless_pairs_come_first(study, annotator, asked):
    sensitive = [item.pair_id for item in asked[1].items.order_by("place")[:2]]
    Pair.objects.filter(pk__in=sensitive).update(may_show=["violence"], lane=1)
    Study.objects.filter(pk=study.pk).update(daily_dose_s=8)
    study.refresh_from_db()
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    seen = []
    while (step := attempts.next_step(attempt, annotator)).turn is not None:
        seen.append(step.turn.item.pair_id)
        world.answer(step.turn, annotator)
    assert (step.reason, step.left) == ("cap", 1)
    assert step.retry_after_s > 0
    assert len(seen) == 4
    assert Dose.objects.get(person=annotator).seconds == 8  # two clips of 2 s, watched twice


def test_reports_replace_the_estimate(study, annotator, asked):
    Pair.objects.filter(pk__in=asked[0].items.values("pair")).update(may_show=["violence"], lane=1)
    turn = attempts.next_step(attempts.begin(annotator, study, "training"), annotator).turn
    shown = {"showing": "a", "revealed_s": {"video_0": 1.0, "video_1": 0.5}, "hidden": 1}
    world.answer(turn, annotator, care=shown)
    assert Dose.objects.get(person=annotator).seconds == 8  # the person may look again: the rest is still expected
    more = {"showing": "a", "revealed_s": {"video_0": 3.0, "video_1": 0.5}, "hidden": 1}
    attempts.record_exposure(turn, annotator, more)
    attempts.go_on(turn, annotator, care=more)
    row = QualificationExposure.objects.get(sitting=turn.sitting)
    assert (row.revealed_s, row.expected_s, row.hidden) == (3.5, 0, 1)
    assert Dose.objects.get(person=annotator).seconds == 3.5


def test_active_time_counts_as_in_ordinary_work(study, annotator, asked):
    turn = attempts.next_step(attempts.begin(annotator, study, "training"), annotator).turn
    Turn.objects.filter(pk=turn.pk).update(begun_at=timezone.now() - timedelta(minutes=1))
    Seat.objects.filter(person=annotator).update(worked_until=None)
    world.answer(turn, annotator)
    assert TurnAnswer.objects.get().active_ms == 9000
    seat = Seat.objects.get(person=annotator)
    assert (seat.active_ms, seat.since_break_ms) == (9000, 9000)
    assert standing.active_ms(annotator, study) == 9000


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"state": "paused"}, "paused"), ({"state": "closed"}, "closed"), ({"consent_version": 9}, "consent")],
)
def test_what_keeps_people_from_work_keeps_them_from_qualifying(study, annotator, asked, values, reason):
    attempt = attempts.begin(annotator, study, "training")
    Study.objects.filter(pk=study.pk).update(**values)
    attempt = Attempt.objects.get(pk=attempt.pk)
    assert attempts.next_step(attempt, annotator).reason == reason


@pytest.mark.long
def test_two_tabs_that_answer_at_once_store_one_answer(transactional_db):
    study = factories.study()
    researcher, annotator = factories.member(study, "researcher"), factories.member(study, "annotator")
    world.asks_for_qualification(study, researcher)
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    while (step := attempts.next_step(attempt, annotator)).left > 1:
        world.answer(step.turn, annotator)
    together, outcomes = threading.Barrier(2), []

    def submit():
        together.wait()
        try:
            world.answer(step.turn, annotator)
            outcomes.append("stored")
        except Refused as refusal:
            outcomes.append(refusal.code)
        connection.close()

    tabs = [threading.Thread(target=submit) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert sorted(outcomes) == ["already_answered", "stored"]
    assert TurnAnswer.objects.filter(turn=step.turn).count() == 1
    assert Qualification.objects.filter(person=annotator).count() == 1


@pytest.mark.long
def test_a_result_equals_its_recomputation(study, annotator, asked):
    world.go_through(annotator, study, "training")
    attempt = world.go_through(annotator, study, "test", wrong=3)
    result = judging.result_of(attempt)
    assert (result.judged, result.right, result.passed) == (attempt.judged, attempt.right, attempt.passed)


# --- New versions, and decisions of people ---------------------------------------------------------------------


@pytest.mark.long
def test_a_new_test_leaves_qualified_people_alone_unless_it_asks_again(study, annotator, asked, researcher):
    world.qualify(annotator, study)
    world.published(study, "test", [], researcher)
    assert stage(annotator, study) == standing.QUALIFIED
    draft = sets.make_draft(study, "test", actor=researcher)
    with pytest.raises(Refused, match="another number of people"):
        sets.publish(draft, actor=researcher, ask_again=True, people=0)
    third = sets.publish(draft, actor=researcher, ask_again=True, people=sets.asked_again_by(draft))
    assert (third.number, third.asked_again) == (3, 1)
    assert Seat.objects.get(study=study, person=annotator).qualified_at is None
    assert stage(annotator, study) == standing.TEST  # the training is still the one that they did
    assert Qualification.objects.get(person=annotator).end == "asked_again"
    assert world.go_through(annotator, study, "test").number == 1


@pytest.mark.long
def test_asking_again_ends_attempts_at_earlier_versions(study, annotator, asked, researcher):
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    turn = attempts.next_step(attempt, annotator).turn
    world.published(study, "test", [], researcher, ask_again=True)
    with pytest.raises(Refused, match="attempt has ended"):
        world.answer(turn, annotator)
    assert attempts.next_step(attempt, annotator).reason == "ended"
    assert attempts.begin(annotator, study, "test").set.number == 2


@pytest.mark.long
def test_an_attempt_goes_on_in_the_version_in_which_it_began(study, annotator, asked, researcher):
    world.go_through(annotator, study, "training")
    attempt = attempts.begin(annotator, study, "test")
    world.published(study, "test", [], researcher)
    assert attempts.begin(annotator, study, "test") == attempt
    assert world.go_through(annotator, study, "test").passed
    assert stage(annotator, study) == standing.QUALIFIED


def test_a_new_training_replaces_one_that_was_begun(study, annotator, asked, researcher):
    earlier = attempts.begin(annotator, study, "training")
    new = world.published(study, "training", [], researcher)
    assert attempts.begin(annotator, study, "training").set == new
    earlier.refresh_from_db()
    assert earlier.end == "superseded"


def test_waiving_and_taking_back(study, annotator, asked, researcher):
    with pytest.raises(Refused, match="Give a reason"):
        deciding.waive(study, annotator, " ", actor=researcher)
    deciding.waive(study, annotator, "Worked in the last study.", actor=researcher)
    with pytest.raises(Refused, match="already qualified"):
        deciding.waive(study, annotator, "Twice.", actor=researcher)
    leased = serving.lease(annotator, study).current
    assert leased is not None
    deciding.take_back(study, annotator, "It was a mistake.", actor=researcher)
    with pytest.raises(Refused, match="not qualified now"):
        deciding.take_back(study, annotator, "Twice.", actor=researcher)
    leased.refresh_from_db()
    assert leased.state == "released"
    assert serving.lease(annotator, study).reason == "qualification"
    events = AuditEvent.objects.filter(action__startswith="qualification.").order_by("pk")
    assert list(events.values_list("action", flat=True))[-2:] == ["qualification.waived", "qualification.taken_back"]


def test_who_sees_the_expected_answers_cannot_take_the_test(study, asked, researcher):
    both = factories.member(study, "annotator")
    factories.Membership.objects.create(study=study, person=both, role="researcher")
    assert stage(both, study) == standing.SEES_ANSWERS
    with pytest.raises(Refused, match="can see the expected answers"):
        attempts.begin(both, study, "training")
    with pytest.raises(Refused, match="for yourself"):
        deciding.waive(study, both, "I know it.", actor=both)
    deciding.waive(study, both, "Wrote the guideline.", actor=researcher)
    assert stage(both, study) == standing.QUALIFIED
