"""Simulated reviewers take a study through its quality control, and the planted truth says how well they did."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from annotation.models import Assignment
from qc.models import Lot, Review, Verdict
from qc.models.reviews import Kind
from simulation import driver, material, review_claims, reviewing
from simulation.people import crowd
from simulation.reviewers import Reviewer
from simulation.truth import plant
from tests.annotation.recounting import contradictions

pytestmark = pytest.mark.django_db


def reviewed(*, pairs, a_lot, rounds=2, seed=1, **skill):
    simulated = material.make_study(
        "reviewed", seed, people=8, reviewers=3, researchers=4, overlap=3, secondary_share=0.5
    )
    work = driver.begin(simulated, plant(pairs, seed), crowd(8, seed), seed, a_lot)
    people = [Reviewer(number, **skill) for number in range(7)]
    found = reviewing.begin(simulated, work, people[:3], people[3:])
    found.do(rounds=rounds)
    return found


PERFECT = {"finds": 1.0, "false_alarms": 0.0, "accuracy": 0.99, "confirms": 1.0, "passes_on": 0.0}


@pytest.mark.long
def test_a_lot_goes_from_its_start_to_a_decision():
    found = reviewed(pairs=4, a_lot=4, rounds=1, **PERFECT)
    (lot,) = Lot.objects.all()
    assert lot.is_decided
    assert lot.secondary_share == 0.5
    claims = review_claims.review_claims(found)
    assert claims["lots"] == 1
    assert claims["by_lot"][0]["number"] == 1
    assert contradictions(lot.study_id) == {}


@pytest.mark.long
def test_perfect_reviewers_find_what_was_planted_and_every_interval_contains_it():
    found = reviewed(pairs=48, a_lot=16, **PERFECT)
    claims = review_claims.review_claims(found)
    assert claims["lots"] >= 4
    assert claims["undecided"] == 0
    assert claims["attempts"] == 2
    defects = claims["defects"]
    assert defects["planted"] > 10
    assert defects["confirmed"]["of_planted"] >= 0.9
    assert defects["confirmed"]["wrong"] == 0
    assert all(of["share"] == 1 for of in claims["coverage"].values())
    assert all(of["holds"] for of in claims["accepted"].values())
    bad = [lot for lot in claims["by_lot"] if lot["kind"] == "bad"]
    assert bad
    assert contradictions(found.work.study.pk) == {}


@pytest.mark.long
def test_every_role_is_somebody_else_and_what_was_rejected_comes_back():
    found = reviewed(pairs=40, a_lot=20, passes_on=0.4, finds=0.8, false_alarms=0.05)
    study = found.work.study
    kinds = set(Review.objects.filter(study=study, state="submitted").values_list("kind", flat=True))
    assert kinds == {Kind.SECONDARY, Kind.SPOT, Kind.CONFIRM, Kind.ADJUDICATE, Kind.SECOND_BLIND}
    for item in Review.objects.filter(study=study).values_list("item", flat=True).distinct():
        people = list(Review.objects.filter(item=item, state="submitted").values_list("reviewer", flat=True))
        assert len(people) == len(set(people))
    counted = Verdict.objects.filter(study=study, counts=True, row="helpfulness")
    assert counted
    for verdict in counted.filter(item__lot__number=1):
        pair = verdict.item.assignment.pair_id
        assert Assignment.objects.filter(pair=pair, state="submitted").count() > 3
    claims = review_claims.review_claims(found)
    assert claims["defects"]["confirmed"]["of_planted"] < 1


@pytest.mark.long
def test_the_command_reports_reviews_and_broken_assumptions(tmp_path, capsys):
    file = tmp_path / "claims.json"
    call_command("simulate_study", people=6, pairs=10, seed=3, quick=True, json=file, stdout=StringIO())
    told = json.loads(file.read_text())["claims"]
    assert told["review"]["lots"] >= 1
    assert set(told["review"]["coverage"]) == {"before", "after", "released"}
    assert told["breaks"]["copying"]["fall"]["coverage"] > 0.1
    printed = capsys.readouterr().out
    assert "intervals that contain the planted defects" in printed
    assert "copying: " in printed


# --- Without a database -------------------------------------------------------------------------------------------


@pytest.mark.long
def test_coverage_holds_while_the_promise_is_compatible_with_it():
    assert review_claims.coverage([True] * 9 + [False])["holds"]
    assert not review_claims.coverage([True] * 15 + [False] * 5)["holds"]
    assert review_claims.coverage([])["share"] is None


@pytest.mark.long
def test_how_improbable_a_number_is_follows_from_the_chances():
    assert review_claims.as_far(2, [0.5, 0.5]) == pytest.approx(0.5)
    assert review_claims.as_far(0, [0.9, 0.9, 0.9]) == pytest.approx(0.001)
    assert review_claims.as_far(3, [0.9, 0.9, 0.9]) == pytest.approx(1)
    assert review_claims.as_far(0, []) == 1
