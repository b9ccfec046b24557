"""The page of reviewers' agreement and its files, and the CSV file of a lot's answers."""

import csv
import io

import pytest
from django.urls import reverse

from qc import decisions, reviewer_agreement
from qc.decisions import Wanted
from qc.models import Review, ReviewAnswer, SecondBlind
from tests import factories
from tests.qc import reviewed

pytestmark = pytest.mark.django_db

PREFERENCES = {
    **dict.fromkeys(("instruction_following", "correctness", "informativeness", "aesthetics"), "video_0"),
    "helpfulness": "video_0",
    "harmlessness": "video_0",
}


@pytest.fixture
def study():
    return factories.study()


@pytest.fixture
def head(study):
    return factories.member(study, "researcher")


def compared(lot, **second):
    """Return a pair of the lot with two blind answers, the second one with these values."""
    item = lot.items.exclude(pk__in=SecondBlind.objects.values("item")).earliest("pk")
    facts = {"study": lot.study, "lot": lot, "pair": item.assignment.pair, "guideline_version": 1}
    answers = [
        ReviewAnswer.objects.create(
            **facts
            | {"reviewer": factories.person(), "submission_id": factories.body()["submission_id"]}
            | PREFERENCES
            | {"tags_video_0": [], "tags_video_1": []}
            | values
        )
        for values in ({}, second)
    ]
    made = {"study": lot.study, "lot": lot, "pair": item.assignment.pair, "item": item}
    return SecondBlind.objects.create(**made, first=answers[0], second=answers[1])


def rows_of(response):
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


class TestAgreement:
    def test_not_enough_is_said_with_numbers_and_the_rows_are_there(self, study, head, browser_client):
        lot = factories.lot_in_review(study, 2)
        compared(lot, helpfulness="video_1")
        compared(lot, tags_video_1=["hate"])
        client = browser_client(head)
        address = reverse("qc:reviewers", args=[study.slug])
        page = client.get(address).content.decode()
        assert "Not enough yet: 2 of 100 pairs." in page
        assert "More helpful" in page
        only = client.get(address, {"differs": "safe"}).content.decode()
        assert "Safe or unsafe · All tags of a video" in only
        assert "1</span></h2>" in only
        assert client.get(address, {"differs": "beauty"}).status_code == 404
        rows = rows_of(client.get(reverse("qc:reviewers_csv", args=[study.slug])))
        assert [(row["lot"], row["stands_for"], row["differs_on"]) for row in rows] == [
            (str(lot.number), "10", "helpfulness"),
            (str(lot.number), "10", "safe tags"),
        ]
        assert len(rows_of(client.get(reverse("qc:reviewers_csv", args=[study.slug]), {"differs": "tags"}))) == 1

    def test_the_figures_are_shown_when_there_are_enough(self, study, head, browser_client, api, monkeypatch):
        lot = factories.lot_in_review(study, 2)
        compared(lot, helpfulness="video_1")
        compared(lot)
        assert api(head).get(f"/api/v1/studies/{study.slug}/reviewers/").json() == {
            "done": 2,
            "waiting": 0,
            "defects": 0,
            "fewest": 100,
            "rows": [],
        }
        monkeypatch.setattr(reviewer_agreement, "FEWEST", 2)  # a hundred pairs take too long to make
        page = browser_client(head).get(reverse("qc:reviewers", args=[study.slug])).content.decode()
        assert '<a href="?differs=helpfulness#pairs">50' in page
        assert "too few prompts" in page
        said = api(head).get(f"/api/v1/studies/{study.slug}/reviewers/").json()
        assert {"compared": "helpfulness", "share": 0.5, "interval": None} in said["rows"]

    def test_what_differs_is_the_same_in_the_list_and_in_the_filter(self, study):
        lot = factories.lot_in_review(study, 4)
        compared(lot)
        compared(lot, tags_video_0=["hate"], aesthetics="video_1")
        one = compared(lot, tags_video_0=["hate", "crime"])
        compared(lot, harmlessness="tie")
        for row in reviewer_agreement.ROW_NAMES:
            listed = {pair.pk for pair in reviewer_agreement.compared(study, differing=row)}
            all_pairs = reviewer_agreement.compared(study)
            assert listed == {pair.pk for pair in all_pairs if row in reviewer_agreement.differences(pair)}
        assert reviewer_agreement.differences(one) == ["safe", "tags"]


class TestAnswersOfALot:
    @pytest.mark.long
    def test_verdicts_are_in_the_file_after_the_decision_only(self, study, head, browser_client):
        reviewed.answered(study)
        lot = reviewed.in_review(study, head)
        reviewed.judge(lot, defects=1)
        client, address = browser_client(head), reverse("qc:lot_answers_csv", args=[study.slug, lot.number])
        before = rows_of(client.get(address))
        assert len(before) == 10
        assert {(row["place"], row["in_sample"], row["spot_check"], row["verdicts"]) for row in before} == {("",) * 4}
        decisions.decide(lot, Wanted("returned", "Mend it.", ask_again="defects"), actor=head)
        after = rows_of(client.get(address, {"part": "defects"}))
        assert [(row["spot_check"], row["standing"]) for row in after] == [("defective", "does_not_count")]
        assert after[0]["verdicts"] == "spot: helpfulness defect (overlooked), defect"
        assert sorted(int(row["place"]) for row in rows_of(client.get(address))) == list(range(1, 11))
        assert client.get(address, {"part": "nothing"}).status_code == 404

    def test_a_look_has_its_reason_in_the_list(self, study, head, browser_client):
        lot = factories.lot_in_review(study)
        reasons = {"look_reasons": ["contradiction", "disagreement"]}
        factories.review(lot.items.get(), reviewer=factories.person(), kind="look", state="submitted", **reasons)
        client = browser_client(head)
        page = client.get(reverse("qc:lot_answers", args=[study.slug, lot.number]), {"part": "looked"})
        assert "Contradiction · The answers to this pair differ on several questions" in page.content.decode()
        assert Review.objects.get().kind == "look"
