"""What each rule finds, and what it leaves alone."""

import itertools
import uuid

import pytest

from annotation.answers import Answers
from annotation.models import Annotation, Assignment, Standing
from findings import checking, rule_codes, statements, switches
from findings.models import Finding
from findings.rules import RULES
from tests import factories
from tests.findings.finding import CONTRADICTORY, answer_by_side, found, harmless, helpful, other

pytestmark = pytest.mark.django_db

#: A submission in which no rule finds anything.
PLAIN = helpful("video_0") | harmless("video_0", ["hate"], ["hate"])


@pytest.fixture
def all_on(study):
    """Switch every rule of the study on."""
    rules = switches.rules_of(study)
    rules.on = list(rule_codes.CODES)
    rules.save()


def test_every_rule_has_words_and_a_statement(all_on):
    assert set(statements.OF_ONE_ANSWER) | {"one_side", "preference_cycle"} == set(RULES)
    assert all(str(rule.label) and str(rule.about) for rule in RULES.values())


def test_a_plain_answer_has_no_finding(study, annotator):
    factories.pairs(study, 1)
    factories.answer(annotator, study, **PLAIN)
    assert found() == []


class TestContradiction:
    @pytest.mark.long
    def test_the_rule_finds_what_the_protocol_calls_contradictory(self, study, annotator):
        choices = itertools.product(([], ["hate"]), ([], ["crime"]), ("video_0", "video_1", "tie"))
        expected = []
        for tags_0, tags_1, overall in choices:
            factories.pair(study)
            answered = factories.answer(annotator, study, **helpful("video_0"), **harmless(overall, tags_0, tags_1))
            if Answers.from_annotation(answered.standing.current).contradictory:
                expected.append(("contradiction", answered.pk))
        assert len(expected) == 2
        assert found(rule="contradiction") == sorted(expected)

    def test_the_evidence_names_the_tags_and_the_choice(self, study, annotator):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **CONTRADICTORY)
        found()
        finding = Finding.objects.get()
        assert finding.evidence == {"safer": "video_0", "tags": ["hate"]}
        assert (finding.severity, finding.version, finding.person) == ("serious", 1, annotator)


class TestTime:
    """The clips of the factories take two seconds."""

    @pytest.mark.parametrize(
        ("timings", "viewing", "is_fast"),
        [
            ({"total_active": 1_900}, {}, True),
            ({"total_active": 2_000}, {}, False),
            ({}, {}, False),
            ({"total_active": 1_100}, {"presentation": {"speeds": {"2": 1.1}}}, False),
            ({"total_active": 900}, {"presentation": {"speeds": {"2": 0.9, "odd": 1}}}, True),
            ({"total_active": 900}, {"video_0": {"played_s": 2.5}}, False),
            ({"total_active": 900}, {"video_0": {"played_s": "x"}, "video_1": 3, "presentation": []}, True),
            ({"total_active": 900}, {"video_0": {"played_s": 1e300}}, False),
        ],
    )
    def test_answers_faster_than_the_videos(self, study, annotator, timings, viewing, is_fast):
        factories.pairs(study, 1)
        factories.answer(annotator, study, **PLAIN, timings_ms=timings, viewing=viewing)
        assert bool(found(rule="faster_than_videos")) is is_fast

    def test_two_identical_files_can_be_judged_quickly(self, study, annotator):
        prompt = factories.prompt(study)
        twice = factories.asset()
        factories.pair(
            study,
            prompt=prompt,
            video_0=factories.video(prompt, asset=twice),
            video_1=factories.video(prompt, asset=twice),
        )
        factories.answer(annotator, study, **PLAIN, timings_ms={"total_active": 100})
        assert found(rule="faster_than_videos") == []

    @pytest.mark.parametrize(
        ("timings", "tags", "is_quick"),
        [
            ({"harmlessness_stage1": 900, "total_active": 9_000}, [], True),
            ({"harmlessness_stage2": 500, "total_active": 9_000}, [], True),
            ({"harmlessness_stage1": 1_000, "total_active": 9_000}, [], False),
            ({"total_active": 9_000}, [], False),
            ({"harmlessness_stage1": 100, "total_active": 9_000}, ["hate"], False),
        ],
    )
    def test_time_to_none(self, study, annotator, timings, tags, is_quick):
        factories.pairs(study, 1)
        sent = helpful("video_0") | harmless("video_0", tags, tags)
        factories.answer(annotator, study, **sent, timings_ms=timings)
        assert bool(found(rule="quick_none")) is is_quick


@pytest.mark.long
class TestOneSide:
    def test_fifteen_in_a_row_are_found_and_fourteen_are_not(self, study, annotator):
        factories.pairs(study, 16)
        given = [answer_by_side(annotator, study, left=True).pk for _ in range(14)]
        assert found() == []
        given.append(answer_by_side(annotator, study, left=True).pk)
        assert found() == [("one_side", pk) for pk in given]
        places = Finding.objects.order_by("assignment__ended_at").values_list("evidence", flat=True)
        assert list(places) == [{"side": "left", "place": place} for place in range(1, 16)]
        given.append(answer_by_side(annotator, study, left=True).pk)
        assert found() == [("one_side", pk) for pk in given]

    def test_a_run_goes_on_from_an_earlier_check(self, study, annotator):
        factories.pairs(study, 22)
        for _ in range(3):
            answer_by_side(annotator, study, left=False)
        found()
        given = []
        for number in range(18):
            given.append(answer_by_side(annotator, study, left=True).pk)
            if number % 4 == 0:
                found()
        assert found() == [("one_side", pk) for pk in given]
        answer_by_side(annotator, study, left=False)
        assert len(found()) == 18

    def test_a_check_of_all_answers_agrees_with_checks_of_new_ones(self, study, annotator):
        factories.pairs(study, 22)
        for number in range(22):
            answer_by_side(annotator, study, left=number not in (2, 20))
            if number % 7 == 0:
                found()
        new = found(rule="one_side")
        assert len(new) == 17
        Finding.objects.all().delete()
        checking.check_sides(switches.rules_of(study), annotator.pk)
        assert found(rule="one_side") == new

    def test_identical_files_neither_break_a_run_nor_belong_to_it(self, study, annotator):
        factories.pairs(study, 15)
        for number in range(15):
            answer_by_side(annotator, study, left=True)
            if number == 7:
                prompt, twice = factories.prompt(study), factories.asset()
                videos = [factories.video(prompt, asset=twice) for _ in range(2)]
                factories.pair(study, prompt=prompt, video_0=videos[0], video_1=videos[1], priority=9)
        answer_by_side(annotator, study, left=False)
        assert len(found(rule="one_side")) in (14, 15)


class TestSwappedRepeat:
    @pytest.fixture
    def repeated(self, study, annotator):
        """Return a function that answers a pair, and then a control of the same two videos in the other order."""

        def answer_twice(first: str, again: str, *, exchanged: bool = True):
            pair = factories.pair(study)
            factories.answer(annotator, study, **helpful(first), **harmless("video_0", ["hate"], ["hate"]))
            one = Assignment.objects.get(pair=pair)
            control = factories.pair(
                study,
                prompt=pair.prompt,
                video_0=pair.video_1,
                video_1=pair.video_0,
                kind="control",
                expected={},
                wanted=1,
            )
            left = one.left if exchanged else other(one.left)
            repeat = factories.assignment(study, annotator, control, left=left)
            Assignment.objects.filter(pk=repeat.pk).update(state="submitted")
            columns = {
                field.attname: getattr(one.standing.current, field.attname)
                for field in Annotation._meta.concrete_fields
                if field.attname not in ("id", "submission_id", "assignment_id", "helpfulness", "harmlessness")
            }
            written = Annotation.objects.create(
                **columns,
                submission_id=uuid.uuid4(),
                assignment_id=repeat.pk,
                helpfulness=again,
                harmlessness="video_1",
            )
            Standing.objects.create(assignment=repeat, study=study, current=written)
            return repeat

        return answer_twice

    def test_the_other_video_is_found(self, repeated):
        repeat = repeated("video_0", "video_0")
        assert found(rule="swapped_repeat") == [("swapped_repeat", repeat.pk)]
        assert Finding.objects.get(rule="swapped_repeat").evidence["questions"] == ["helpfulness"]

    def test_the_same_video_is_not(self, repeated):
        repeated("video_0", "video_1")
        assert found(rule="swapped_repeat") == []

    def test_a_repeat_on_the_same_sides_is_not_judged(self, repeated):
        repeated("video_0", "video_0", exchanged=False)
        assert found(rule="swapped_repeat") == []


class TestNotes:
    def test_all_parts_one_way_and_the_overall_answer_the_other(self, study, annotator):
        factories.pairs(study, 2)
        against = factories.answer(annotator, study, **PLAIN | helpful("video_1", parts="video_0"))
        factories.answer(annotator, study, **PLAIN | helpful("tie", parts="video_0"))
        assert found() == [("overall_against_parts", against.pk)]

    def test_preferences_in_a_circle(self, study, annotator):
        prompt = factories.prompt(study)
        a, b, c = (factories.video(prompt) for _ in range(3))
        for first, second in ((a, b), (b, c), (c, a)):
            factories.pair(study, prompt=prompt, video_0=first, video_1=second)
        given = [factories.answer(annotator, study, **PLAIN).pk for _ in range(3)]
        assert found() == [("preference_cycle", pk) for pk in given]
        evidence = Finding.objects.first().evidence
        assert evidence["questions"] == ["harmlessness", "helpfulness"]
        assert len(evidence["pairs"]) == 2

    def test_preferences_in_an_order_are_no_circle(self, study, annotator):
        prompt = factories.prompt(study)
        a, b, c = (factories.video(prompt) for _ in range(3))
        for first, second in ((a, b), (b, c), (a, c)):
            factories.pair(study, prompt=prompt, video_0=first, video_1=second)
        for _ in range(3):
            factories.answer(annotator, study, **PLAIN)
        assert found() == []

    def test_a_circle_needs_one_person(self, study):
        prompt = factories.prompt(study)
        a, b, c = (factories.video(prompt) for _ in range(3))
        for first, second in ((a, b), (b, c), (c, a)):
            factories.pair(study, prompt=prompt, video_0=first, video_1=second)
            factories.answer(factories.member(study, "annotator"), study, **PLAIN)
        assert found() == []

    @pytest.mark.parametrize(
        ("labels", "tags", "differ"),
        [([], ["hate"], True), (["hate"], [], True), (["crime"], ["hate"], True), (["hate"], ["hate"], False),
         ([], [], False), (None, ["hate"], False)],
    )  # fmt: skip
    def test_tags_against_the_labels_of_the_prompt(self, study, annotator, all_on, labels, tags, differ):
        by = {"labelled_by": "a model"} if labels is not None else {}
        factories.pair(study, prompt=factories.prompt(study, labels=labels, **by))
        factories.answer(annotator, study, **helpful("video_0"), **harmless("video_0", tags, tags))
        assert bool(found(rule="tags_against_labels")) is differ

    @pytest.mark.parametrize("place", [{"split": "test"}, {"set": "eval"}])
    def test_test_and_evaluation_prompts_are_exempt_from_rules_that_use_a_model(self, study, annotator, all_on, place):
        factories.pair(study, prompt=factories.prompt(study, labels=[], labelled_by="a model", **place))
        factories.answer(annotator, study, **PLAIN)
        assert found(rule="tags_against_labels") == []

    def test_that_rule_is_off_unless_a_study_switches_it_on(self, study, annotator):
        factories.pair(study, prompt=factories.prompt(study, labels=[], labelled_by="a model"))
        factories.answer(annotator, study, **PLAIN)
        assert found() == []
