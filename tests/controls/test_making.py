"""Which controls are possible, how they are made, and how answers on them are judged."""

from datetime import UTC

import pytest
from django.db import IntegrityError, transaction

from annotation import leases
from answers.people_progress import Days, people
from answers.study_progress import progress
from catalog.batching import batches_of
from catalog.models import Batch, Pair
from controls import making, withdrawing
from controls.models import Control, ControlResult, ControlsRun
from controls.signals import control_withdrawn
from diptych.refusals import BadInput, Refused
from qc import lots
from tests import factories
from tests.controls.made import agreed, checked, control_of, due, long_ago, make
from tests.findings.finding import harmless, helpful

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(study):
    return [factories.member(study, "annotator") for _ in range(3)]


class TestConsensusRepeats:
    def test_a_pair_on_which_three_people_agree_becomes_one(self, study, three):
        [pair] = agreed(study, three)
        assert making.possible(study, "consensus_repeat") == 1
        [control] = make(study, "consensus_repeat", 5)
        made = control.pair
        assert (made.kind, made.repeats_id, made.batch.number, made.wanted, made.open_slots) == (
            "control",
            pair.pk,
            0,
            5,
            5,
        )
        assert {made.video_0_id, made.video_1_id} == {pair.video_0_id, pair.video_1_id}
        expected = {"helpfulness": "video_0", "harmlessness": "video_1"}
        assert made.expected == {"answer": expected[control.question]}
        assert making.possible(study, "consensus_repeat") == 0
        assert make(study, "consensus_repeat", 5) == [control]

    def test_two_people_who_disagree_or_a_tie_or_an_invalid_answer_make_none(self, study, three):
        study.allow_ties = True
        study.save()
        agreed(study, three, **helpful("tie"), **harmless("tie"))
        factories.pairs(study, 2, wanted=3)
        for place, person in enumerate(three):
            video = "video_0" if place else "video_1"
            factories.answer(person, study, **helpful(video), **harmless(video))
            contradictory = harmless("video_0", ["hate"] if not place else [], [])
            factories.answer(person, study, **helpful("video_0"), **contradictory)
        assert making.possible(study, "consensus_repeat") == 0

    def test_a_question_on_which_they_disagree_is_not_judged(self, study, three):
        [_pair] = factories.pairs(study, 1, wanted=3)
        for place, person in enumerate(three):
            factories.answer(person, study, **helpful("video_1"), **harmless("video_0" if place else "video_1"))
        [control] = make(study, "consensus_repeat")
        assert (control.question, control.pair.expected) == ("helpfulness", {"answer": "video_1"})


class TestSwappedRepeats:
    @pytest.mark.long
    def test_only_answers_of_a_day_and_fifty_pairs_ago_become_one(self, study, annotator):
        factories.pairs(study, 52)
        for _ in range(51):
            factories.answer(annotator, study)
        assert making.possible(study, "swapped_repeat") == 0
        long_ago(annotator, study, 0.9)
        assert making.possible(study, "swapped_repeat") == 0
        long_ago(annotator, study, 1)
        assert making.possible(study, "swapped_repeat") == 1, "50 pairs lie behind the first answer only"
        [control] = make(study, "swapped_repeat", 10)
        first = Pair.objects.filter(kind="real").order_by("pk")[0]
        assert (control.pair.repeats_id, control.pair.only_for_id) == (first.pk, annotator.pk)
        assert control.pair.expected["left"] != first.assignments.get().left
        assert make(study, "swapped_repeat", 10) == [control]

    def test_the_constraint_decides_if_two_make_the_same(self, study, annotator):
        pair = factories.pair(study)
        facts = {"expected": {"answer": "video_0", "left": "video_0"}, "only_for": annotator.pk}
        control_of(study, pair, "swapped_repeat", **facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            control_of(study, pair, "swapped_repeat", **facts)


def judged(study, annotator, control, **said):
    """Return whether the person's answer on the control is right."""
    factories.pairs(study, 2)
    factories.answer(annotator, study)
    due(annotator, study)
    while not control.pair.assignments.filter(state="submitted").exists():
        factories.answer(annotator, study, **said)
    return [result.right for result in checked()]


@pytest.mark.parametrize(("overall", "right"), [("video_0", True), ("video_1", False)])
def test_only_the_question_of_the_control_is_judged(study, annotator, overall, right):
    control = control_of(study, factories.pair(study, held="elsewhere"))
    said = {**helpful(overall, parts="video_1"), **harmless("video_1")}
    assert judged(study, annotator, control, **said) == [right]


@pytest.mark.parametrize(
    ("tie", "said", "right"),
    [
        (False, harmless("video_0", ["hate", "crime"], ["crime", "hate"]), True),
        (False, harmless("video_0"), True),
        (False, harmless("video_0", ["hate"], ["hate", "crime"]), False),
        (True, harmless("video_0"), False),
        (True, {**harmless("tie"), **helpful("tie")}, True),
    ],
)
def test_a_re_encode_needs_equal_tags_and_a_tie_only_where_ties_are_allowed(study, annotator, tie, said, right):
    study.allow_ties = tie
    study.save()
    pair = factories.pair(study, held="elsewhere")
    facts = {"expected": {"tie": tie}, "question": "", "source_video": pair.video_0_id, "repeats": None}
    control = control_of(study, pair, "reencoded", **facts)
    assert judged(study, annotator, control, **said) == [right]


@pytest.mark.parametrize(
    ("tagged", "right"), [({"video_0": True}, True), ({"video_0": False}, False), ({"video_1": False}, True)]
)
def test_tag_gold_judges_whether_the_decided_videos_have_tags(study, annotator, tagged, right):
    pair = factories.pair(study, held="elsewhere")
    control = control_of(study, pair, "tag_gold", expected={"tagged": tagged}, question="")
    assert judged(study, annotator, control, **harmless("video_1", ["crime"], [])) == [right]


def test_an_answer_is_judged_once_and_by_its_first_revision(study, annotator):
    control = control_of(study, factories.pair(study, held="elsewhere"))
    assert judged(study, annotator, control, **helpful("video_0")) == [True]
    assignment = control.pair.assignments.get()
    assignment.standing.rules_due = True
    assignment.standing.save()
    assert [result.pk for result in checked()] == [assignment.pk]


class TestRuns:
    def test_a_kind_or_a_number_that_does_not_exist_is_refused(self, study, researcher):
        for kind, number in [("odd", 1), ("tag_gold", 0), ("tag_gold", 1001)]:
            with pytest.raises(BadInput):
                making.make(study, kind, number, actor=researcher)
        assert not ControlsRun.objects.exists()

    def test_only_one_run_at_a_time(self, study, researcher):
        ControlsRun.objects.create(study=study, kind="reencoded", steps_total=1, asked_by=researcher)
        with pytest.raises(Refused, match="already being made"):
            making.make(study, "tag_gold", 1, actor=researcher)

    @pytest.mark.long
    def test_a_run_that_was_killed_goes_on_where_it_was(self, study, three, researcher, monkeypatch):
        agreed(study, three, 5)
        monkeypatch.setattr(making, "A_STEP", 2)
        job = ControlsRun.objects.create(
            study=study, kind="consensus_repeat", steps_total=4, steps=2, made=2, asked_by=researcher
        )
        making.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.made, Control.objects.count()) == ("done", 4, 2)


class TestWithdrawing:
    @pytest.fixture
    def answered(self, study, annotator):
        control = control_of(study, factories.pair(study, held="elsewhere"))
        judged(study, annotator, control)
        return control

    def test_it_is_served_no_more_and_its_results_stay(self, answered, researcher, annotator):
        told = []
        receive = lambda **what: told.append((what["control"], what["people"]))  # noqa: E731
        control_withdrawn.connect(receive)
        try:
            assert withdrawing.withdraw(answered, because="The trio was wrong.", actor=researcher) == [annotator.pk]
            assert withdrawing.withdraw(answered, because="Again.", actor=researcher) == []
        finally:
            control_withdrawn.disconnect(receive)
        assert told == [(answered, [annotator.pk])]
        pair = Pair.objects.get(pk=answered.pair_id)
        assert (pair.wanted, pair.open_slots, pair.held) == (1, 0, "This control was withdrawn.")
        assert ControlResult.objects.count() == 1
        assert Control.objects.get().withdrawn_because == "The trio was wrong."

    def test_it_needs_a_reason(self, answered, researcher):
        with pytest.raises(BadInput):
            withdrawing.withdraw(answered, because="  ", actor=researcher)
        assert Control.objects.get().withdrawn_at is None


def test_the_batch_of_controls_is_in_no_list_and_never_annotated(study, researcher, annotator):
    control_of(study, factories.pair(study, held="elsewhere"))
    Pair.objects.filter(kind="control").update(open_slots=0, wanted=0)
    leases.complete_batches()
    assert Batch.objects.get(number=0).state == "open"
    assert [batch.number for batch in batches_of(study)] == [1]
    assert [batch.number for batch in lots.candidates(study)] == [1]
    with pytest.raises(Refused):
        lots.put_together(study, [0], actor=researcher)


def test_controls_are_work_and_not_data(study, annotator):
    """They are in no count of progress, and in no frame of a lot."""
    factories.pair(study)
    control = control_of(study, factories.pair(study, held="elsewhere"))
    judged(study, annotator, control, **harmless("video_0", ["hate"], []))
    counts = progress(study)
    real = Pair.objects.filter(study=study, kind="real", held="")
    assert (counts.pairs, counts.answers_wanted) == (real.count(), real.count())
    assert counts.answers_counted == real.filter(assignments__state="submitted").count()
    assert counts.people == 1
    counted = counts.answers_counted + counts.answers_invalid
    assert sum(lots.answers_of(list(Batch.objects.filter(study=study))).values()) == counted


def test_their_active_time_is_paid_like_any(study, annotator):
    control = control_of(study, factories.pair(study, held="elsewhere"))
    judged(study, annotator, control)
    answered = annotator.assignments.filter(state="submitted").count()
    [row] = people(study, Days(UTC))
    assert row.figures.pairs == answered
    assert row.figures.active_ms > 0
