"""Which answers agreement is measured on, and what its figures say."""

from datetime import UTC, datetime, timedelta

import pytest

from annotation.models import Assignment
from answers.words import QUESTIONS
from diptych.statistics.agreement import preference_agreement, tag_agreement
from diptych.statistics.tag_sets import tag_set_agreement
from figures.agreement import figures, planned, sample
from qc.models import LotBatch
from studies.harms import HARM_KEYS
from tests import factories
from tests.figures.figuring import given, sampled

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(study):
    return [factories.member(study, "annotator") for _ in range(3)]


def compared(study):
    """Return the helpfulness codes of each pair, in the order of pairs."""
    units = sample.Units.of(sample.answers_of(study))
    return units.side_by_side(units.answers.choices[:, 4]).tolist()


class TestWhichAnswers:
    def test_one_order_of_questions(self):
        assert tuple(QUESTIONS) == planned.QUESTIONS

    def test_revision_one_of_round_zero_on_the_random_sample(self, study, people):
        pair, other = sampled(study), factories.pair(study)
        given(pair, people[0])
        given(pair, people[1], helpfulness="video_1")
        given(other, people[0])
        given(pair, people[0], assignment={"round": 1, "round_reason": "returned"}, helpfulness="video_1")
        assert compared(study) == [[0, 2]]

    def test_invalid_and_rejected_answers_are_in_and_surplus_is_not(self, study, people):
        pair = sampled(study)
        given(pair, people[0], standing={"validity": "invalid", "reason": "contradiction"})
        given(pair, people[1], standing={"counted": False, "uncounted_reason": "rejected"})
        given(pair, people[2], standing={"counted": False, "uncounted_reason": "surplus"})
        answers = sample.answers_of(study)
        assert answers.person.tolist() == [people[0].pk, people[1].pk]
        assert answers.valid.tolist() == [False, True]

    def test_controls_and_quarantined_pairs_are_out(self, study, people):
        for pair in (sampled(study, kind="control", expected={}), sampled(study, held="quarantined")):
            given(pair, people[0])
        assert len(sample.answers_of(study)) == 0
        assert len(sample.pairs_of(study).key) == 0

    def test_a_later_revision_does_not_change_what_was_compared(self, study, people):
        pair = sampled(study)
        first = given(pair, people[0], tags_video_0=["hate"])
        first.standing.current.pk = None
        later = first.standing.current
        later.submission_id, later.revision, later.reason = "0" * 31 + "1", 2, "reopened"
        later.helpfulness, later.tags_video_0 = "video_1", []
        later.save()
        answers = sample.answers_of(study)
        assert answers.choices[0, 4] == 0
        assert answers.tags.tolist() == [[1 << HARM_KEYS.index("hate"), 0]]


class TestFigures:
    @pytest.fixture
    def varied(self, study, people):
        """Answers to 60 pairs, a cluster each, and the same as units for the statistics."""
        preferences, tags = [], []
        for number in range(60):
            pair = sampled(study)
            choices = ["video_0", "video_1" if number % 3 == 0 else "video_0"]
            sets = [["hate"] if number % 4 == 0 else [], ["hate", "crime"] if number % 6 == 0 else []]
            for person, choice, given_tags in zip(people, choices, sets, strict=False):
                given(pair, person, helpfulness=choice, tags_video_0=given_tags)
            preferences.append(choices)
            tags.append(sets)
        return preferences, tags

    @pytest.mark.long
    def test_they_are_what_the_statistics_say_about_the_same_answers(self, study, varied):
        preferences, tags = varied
        clusters = list(range(60))
        found = figures.compute(study)["all"]
        wanted = preference_agreement(preferences, clusters)
        assert found["questions"]["helpfulness"] == {
            "percent": figures.figure_json(wanted.percent),
            "alpha": figures.figure_json(wanted.nominal),
            "ordinal": None,
        }
        assert found["questions"]["helpfulness"]["percent"]["value"] == pytest.approx(40 / 60, abs=1e-6)
        empty = [[[], []]] * 60
        by_video = tag_agreement([*tags, *empty], HARM_KEYS, [*clusters, *clusters])
        for one, line in zip(by_video, found["tags"], strict=True):
            assert line["tag"] == one.tag
            assert [line["counts"][name] for name in ("both", "first", "second", "neither")] == [
                one.counts.both, one.counts.first, one.counts.second, one.counts.neither,
            ]  # fmt: skip
            for name in ("percent", "alpha", "ac1", "positive"):
                assert line[name] == figures.figure_json(getattr(one, name)), (one.tag, name)
        sets = tag_set_agreement([*tags, *empty], HARM_KEYS, [*clusters, *clusters])
        assert found["tag_sets"]["masi"] == figures.figure_json(sets.masi)
        assert found["tag_sets"]["masi_tagged"] == figures.figure_json(sets.masi_tagged)
        assert found["tag_sets"]["alpha"] == pytest.approx(sets.alpha, abs=1e-6)

    @pytest.mark.long
    def test_a_tag_that_nobody_gave_is_not_defined(self, study, varied):
        unused = next(one for one in figures.compute(study)["all"]["tags"] if one["tag"] == "porn")
        assert unused["alpha"]["value"] == "all_alike"
        assert unused["counts"] == {"both": 0, "first": 0, "second": 0, "neither": 120}

    @pytest.mark.long
    def test_under_fifty_clusters_there_is_no_interval(self, study, people):
        prompt = factories.prompt(study, cluster="one")
        for _ in range(60):
            pair = sampled(study, prompt=prompt)
            given(pair, people[0])
            given(pair, people[1])
        found = figures.compute(study)["all"]
        assert (found["pairs"], found["clusters"]) == (60, 1)
        assert found["questions"]["helpfulness"]["percent"]["interval"] == "not_enough"

    def test_without_answers_nothing_can_be_compared(self, study):
        found = figures.compute(study)
        assert found["all"]["questions"]["harmlessness"]["alpha"]["value"] == "no_overlap"
        assert found["all"]["tag_sets"]["alpha"] == "no_overlap"
        assert all(not groups for groups in found["groups"].values())

    def test_ties_get_an_ordinal_alpha(self, study, people):
        study.allow_ties = True
        for choices in (("tie", "video_1"), ("video_0", "video_0"), ("tie", "tie")):
            pair = sampled(study)
            for person, choice in zip(people, choices, strict=False):
                given(pair, person, helpfulness=choice)
        found = figures.compute(study)["all"]["questions"]["helpfulness"]
        units = [["tie", "video_1"], ["video_0", "video_0"], ["tie", "tie"]]
        assert found["ordinal"]["value"] == pytest.approx(
            preference_agreement(units, ties=True).ordinal.value, abs=1e-6
        )

    def test_valid_answers_stand_beside_all(self, study, people):
        for number in range(3):
            pair = sampled(study)
            given(pair, people[0])
            wrong = {"validity": "invalid", "reason": "contradiction"} if number == 0 else {}
            given(pair, people[1], helpfulness="video_1" if number == 0 else "video_0", standing=wrong)
        found = figures.compute(study)
        percent = {used: found[used]["questions"]["helpfulness"]["percent"]["value"] for used in ("all", "valid")}
        assert percent == {"all": pytest.approx(2 / 3, abs=1e-6), "valid": 1.0}
        assert (found["all"]["pairs"], found["valid"]["pairs"]) == (3, 2)


class TestGroups:
    def test_each_pair_is_in_one_group_of_each_kind(self, study, people):
        monday = datetime(2026, 3, 2, tzinfo=UTC)
        neutral = sampled(study, prompt=factories.prompt(study, language="de"))
        critical = sampled(
            study,
            prompt=factories.prompt(study, prompt_type="safety_critical"),
            batch=factories.batch(study, number=2),
        )
        lot = factories.lot(study, factories.batch(study, number=2))
        for person in people[:2]:
            given(neutral, person, assignment={"ended_at": monday - timedelta(seconds=1)})
        given(critical, people[0], assignment={"ended_at": monday - timedelta(days=1)})
        given(critical, people[1], assignment={"ended_at": monday}, helpfulness="video_1")
        groups = figures.compute(study)["groups"]
        names = {kind: [(one["name"], one["pairs"]) for one in found] for kind, found in groups.items()}
        assert names == {
            "lot": [(lot.number, 1), (0, 1)],
            "language": [("de", 1), ("en", 1)],
            "prompt_type": [("safety_critical", 1), ("safety_neutral", 1)],
            "protocol_version": [(study.protocol_version, 2)],
            "week": [("2026-02-23", 1), ("2026-03-02", 1)],
        }
        by_week = [one["questions"]["helpfulness"]["percent"]["value"] for one in groups["week"]]
        assert by_week == [1.0, 0.0]

    def test_only_answers_of_one_protocol_version_are_compared(self, study, people):
        pair = sampled(study)
        for person, version in zip(people, (1, 2, 2), strict=True):
            given(pair, person, assignment={"protocol_version": version}, helpfulness=f"video_{version - 1}")
        groups = {one["name"]: one for one in figures.compute(study)["groups"]["protocol_version"]}
        assert groups[1]["questions"]["helpfulness"]["percent"]["value"] == "no_overlap"
        assert groups[2]["questions"]["helpfulness"]["percent"]["value"] == 1.0

    def test_a_batch_belongs_to_its_latest_lot(self, study):
        batch = factories.batch(study)
        earlier = factories.lot(study, batch, state="in_review")
        LotBatch.objects.filter(lot=earlier).update(undecided=False)
        later = factories.lot(study, batch)
        assert sample.lots_of(study) == {batch.pk: later.number}


def test_the_condition_follows_why_an_answer_was_asked():
    """Where assignments say why they were asked for, only planned ones are compared."""
    says_why = any(field.name == "asked_because" for field in Assignment._meta.get_fields())
    assert ("asked_because" in planned.PLANNED) == says_why
