"""The figures of each annotator, and the rows behind them."""

import csv
import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.urls import reverse
from django.utils.timezone import now

from diptych.statistics.rates import share_between
from diptych.statistics.reliability import Judgement, people_figures, reliability
from figures.annotators import figures, tables
from figures.annotators.answers import judgements
from qc.models import FrameItem, Lot, ReviewAnswer
from studies.pseudonyms import pseudonym
from tests import factories
from tests.figures.figuring import PLAIN, asked, given, sampled
from tests.qc.reviewed import spot_checked
from tests.qc.test_verdicts import Checked

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(study):
    return [factories.member(study, "annotator") for _ in range(3)]


def of(study, person):
    return figures.compute(study)["people"][str(person.pk)]


class TestOwn:
    def test_side_bias_counts_choices_without_ties(self, study, people):
        for left, choice in (
            ("video_0", "video_0"),
            ("video_1", "video_1"),
            ("video_0", "video_1"),
            ("video_0", "tie"),
        ):
            given(sampled(study), people[0], assignment={"left": left}, helpfulness=choice)
        low, high = share_between(2, 3)
        assert of(study, people[0])["left"]["helpfulness"] == {
            "count": 2, "of": 3, "share": 2 / 3, "low": low, "high": high,
        }  # fmt: skip

    def test_times_are_those_that_the_page_reported(self, study, people):
        for timings in ({"total_active": 6_000}, {"total_active": 10_000}, {}, {"total_active": "odd"}):
            given(sampled(study), people[0], timings_ms=timings)
        found = of(study, people[0])
        assert found["seconds"] == 8.0
        assert found["times_the_video"] == 4.0  # the clips of the factories take two seconds

    def test_invalid_and_rejected_answers_are_counted(self, study, people):
        given(sampled(study), people[0])
        given(sampled(study), people[0], standing={"validity": "invalid", "reason": "contradiction"})
        rejected = {"counted": False, "uncounted_reason": "rejected", "validity": "invalid", "reason": "overlooked"}
        given(sampled(study), people[0], standing=rejected)
        found = of(study, people[0])
        assert (found["answers"], found["invalid"], found["rejected"]["count"]) == (3, 2, 1)

    def test_weeks_show_drift(self, study, people):
        monday = datetime(2026, 3, 2, tzinfo=UTC)
        for days, tags in ((-1, []), (0, ["hate"]), (6, ["hate"])):
            ended = {"ended_at": monday + timedelta(days=days)}
            given(sampled(study), people[0], assignment=ended, tags_video_1=tags)
        weeks = of(study, people[0])["weeks"]
        assert [(week["week"], week["answers"], week["tagged"]["share"]) for week in weeks] == [
            ("2026-02-23", 1, 0.0),
            ("2026-03-02", 2, 1.0),
        ]


class TestBesideOthers:
    def test_tags_are_compared_on_the_same_pairs(self, study, people):
        pair = sampled(study)
        given(pair, people[0], tags_video_0=["hate", "crime"], tags_video_1=["hate"])
        given(pair, people[1], tags_video_0=["hate"])
        given(pair, people[2], helpfulness="video_1")
        given(sampled(study), people[0], tags_video_0=["porn"])
        assert of(study, people[0])["beside_others"] == {
            "pairs": 1, "tags": 3.0, "tags_of_others": 0.5, "same_helpfulness": 0.5,
        }  # fmt: skip

    def test_who_shares_no_pair_has_no_such_figure(self, study, people):
        given(sampled(study), people[0])
        found = of(study, people[0])
        assert "beside_others" not in found
        assert found["reliability"] == dict.fromkeys(found["reliability"])


class TestReliability:
    def test_it_is_what_the_model_says_about_the_same_answers(self):
        random = np.random.default_rng(4)
        unit, person = np.repeat(np.arange(80), 3), np.tile(np.arange(3), 80)
        right = random.integers(0, 2, 80)
        value = np.where(random.random(240) < np.array([0.9, 0.8, 0.6])[person], right[unit], 1 - right[unit])
        found = people_figures(unit, person, value, 2, both_orders=True)
        triples = zip(unit.tolist(), person.tolist(), value.tolist(), strict=True)
        wanted = reliability([Judgement(*one) for one in triples], (0, 1), both_orders=True)
        assert found == {key: (pytest.approx(wanted.accuracy[key]), 80) for key in range(3)}

    def test_units_with_one_answer_do_not_count(self):
        assert people_figures(np.arange(3), np.arange(3), np.zeros(3, dtype=int), 2) == "no_overlap"
        with pytest.raises(ValueError, match="fewer than two values"):
            people_figures(np.arange(3), np.arange(3), np.zeros(3, dtype=int), 1)

    @pytest.mark.long
    def test_a_tag_needs_fifty_answers_that_give_it(self, study, people):
        for number in range(25):
            pair = sampled(study)
            for person in people[:2]:
                given(pair, person, tags_video_0=["hate"], tags_video_1=["crime"] if number else [])
        found = of(study, people[0])["reliability"]
        assert found["hate"]["answers"] == 50  # 25 pairs of two videos
        assert "crime" not in found

    def test_answers_of_blind_reviewers_count_as_theirs(self, study, people):
        lot = factories.lot_in_review(study, people=people[:1], body={})
        item = FrameItem.objects.get(lot=lot)
        reviewer = factories.person()
        review_answer(item, reviewer)
        answers = figures.first_answers(study)
        together = judgements(study, answers)
        assert sorted(together.person.tolist()) == sorted([people[0].pk, reviewer.pk])
        assert of(study, people[0])["reliability"]["helpfulness"]["answers"] == 1

    def test_aggregation_reads_the_newest(self, study, people):
        assert tables.reliability_of(study) == {}
        pair = sampled(study)
        given(pair, people[0])
        given(pair, people[1])
        asked(study, "annotators")
        found = tables.reliability_of(study)
        assert set(found) == {people[0].pk, people[1].pk}
        assert set(found[people[0].pk]) == set(PLAIN)


def review_answer(item, reviewer, **values):
    """Write what a blind reviewer answered on the pair of a frozen answer."""
    return ReviewAnswer.objects.create(
        **PLAIN
        | {
            "study": item.study,
            "lot": item.lot,
            "pair": item.assignment.pair,
            "reviewer": reviewer,
            "submission_id": factories.uuid.uuid4(),
            "tags_video_0": [],
            "tags_video_1": ["violence"],
            "guideline_version": 1,
        }
        | values
    )


class TestReviews:
    @pytest.fixture
    def checked(self, study, people):
        """A lot of four answers of one person: two equal to the blind review, one different, one not reviewed."""
        lot = factories.lot_in_review(study, 4, people=people[:1], drawn=True)
        items = list(lot.items.order_by("place"))
        for item, ruling, choice in zip(
            items, ("fine", "fine", "defect"), ("video_0", "video_0", "video_1"), strict=False
        ):
            review = spot_checked(item, ruling)
            review_answer(item, review.reviewer, helpfulness=choice)
        return lot

    def test_accuracy_on_blind_reviews_has_an_exact_interval(self, study, people, checked):
        found = of(study, people[0])
        low, high = share_between(2, 3)
        assert found["blind"]["helpfulness"] == {"count": 2, "of": 3, "share": 2 / 3, "low": low, "high": high}
        assert found["blind"]["safe"]["count"] == 3
        assert (found["defects"]["count"], found["defects"]["of"]) == (1, 3)

    def test_first_pass_is_of_decided_lots(self, study, people, checked):
        assert of(study, people[0])["first_pass"]["of"] == 0
        decided = {
            "state": "accepted",
            "decided_at": now(),
            "decided_by": factories.person(),
            "decision_reason": "Fine.",
        }
        Lot.objects.filter(pk=checked.pk).update(**decided)
        first = of(study, people[0])["first_pass"]
        assert (first["count"], first["of"]) == (3, 4)

    def test_look_here_is_in_no_figure(self, study, people, checked):
        checked.items.get(place=1).reviews.update(kind="look")
        assert of(study, people[0])["blind"]["helpfulness"]["of"] == 2

    @pytest.mark.long
    def test_each_number_leads_to_its_rows(self, study, people, checked, browser_client, researcher):
        asked(study, "annotators")
        client, code = browser_client(researcher), pseudonym(study, people[0].pk)
        row = client.get(reverse("figures:annotator", args=[study.slug, code])).context["row"]
        address = reverse("figures:annotator_answers", args=[study.slug, code])

        def rows(**query):
            response = client.get(address, query)
            assert response.status_code == 200
            return response.context["page"].paginator.count

        assert rows(part="blind") == row["blind"]["helpfulness"]["of"] == 3
        assert rows(question="helpfulness") == row["blind"]["helpfulness"]["of"] - row["blind"]["helpfulness"]["count"]
        assert rows(part="judged") == row["defects"]["of"]
        assert rows(part="defects") == row["defects"]["count"]
        assert rows(part="first") == row["first_pass"]["of"] == 0
        assert rows(part="not_passed") == 0
        assert client.get(address, {"part": "odd"}).status_code == 404

    def test_a_defect_counts_once_a_second_person_confirmed_it(self):
        checked = Checked(drawn=True)
        annotator = checked.lot.items.get().assignment.person
        checked.spot()
        before = of(checked.study, annotator)
        assert (before["blind"]["helpfulness"]["count"], before["blind"]["harmlessness"]["count"]) == (0, 1)
        assert (before["defects"]["count"], before["defects"]["of"]) == (0, 1)
        checked.confirm(True)
        assert of(checked.study, annotator)["defects"]["count"] == 1


class TestPages:
    def test_people_stand_in_the_order_of_codes_without_names(self, study, people, browser_client, researcher):
        for person in people:
            given(sampled(study), person)
        asked(study, "annotators")
        response = browser_client(researcher).get(reverse("figures:annotators", args=[study.slug]))
        codes = [row["code"] for row in response.context["rows"]]
        assert codes == sorted(pseudonym(study, person.pk) for person in people)
        assert not any(person.username in response.content.decode() for person in people)
        admin = browser_client(factories.member(study, "admin"))
        assert people[0].username in admin.get(reverse("figures:annotators", args=[study.slug])).content.decode()

    def test_the_file_has_every_figure_of_everybody(self, study, people, browser_client, researcher):
        given(sampled(study), people[0])
        asked(study, "annotators")
        response = browser_client(researcher).get(reverse("figures:annotators_csv", args=[study.slug]))
        lines = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
        assert {line["annotator_id"] for line in lines} == {pseudonym(study, people[0].pk)}
        assert {line["figure"] for line in lines} >= {
            "answers",
            "left",
            "blind",
            "tagged",
            "first_pass",
            "week_answers",
        }
        assert "username" not in lines[0]

    def test_an_unknown_code_is_not_found(self, study, people, browser_client, researcher):
        given(sampled(study), people[0])
        asked(study, "annotators")
        assert (
            browser_client(researcher).get(reverse("figures:annotator", args=[study.slug, "0" * 16])).status_code == 404
        )
