"""Pages of lots: every state, and numbers that lead to their rows."""

import re

import pytest
from django.urls import reverse

from annotation.standings import change_standing
from catalog.models import Batch, Pair
from qc import decisions, lots, views_lots
from qc.decisions import Wanted
from qc.models import FrameItem, Lot
from tests import factories
from tests.qc.reviewed import answered, in_review, judge

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(browser_client, researcher):
    return browser_client(researcher)


@pytest.fixture
def reviewer(browser_client, study):
    return browser_client(factories.member(study, "reviewer"))


def page(client, name, study, *about, status=200, **query):
    response = client.get(reverse(f"qc:{name}", args=[study.slug, *about]), query)
    assert response.status_code == status
    return response.content.decode()


def post(client, name, study, *about, **fields):
    return client.post(reverse(f"qc:{name}", args=[study.slug, *about]), fields, follow=True)


def test_a_study_without_lots_says_what_a_lot_is(client, study):
    assert "This study has no lots yet" in page(client, "lots", study)
    assert "No batch can be put into a lot now" in page(client, "new_lot", study)


@pytest.mark.long
def test_batches_are_put_together_started_and_drawn(client, study):
    answered(study, pairs=10)
    study.secondary_share = 0.5
    study.save()
    assert "Batch" in page(client, "new_lot", study)
    text = post(client, "new_lot", study, batches=[1]).content.decode()
    assert "The plan, if the review started now" in text
    assert "its spot check takes 90 %" in text
    assert "Show the curve as a table" in text
    assert "The review has started." in post(client, "start_lot", study, 1).content.decode()
    text = post(client, "draw_lot", study, 1).content.decode()
    assert "has not ended" in text
    text = post(client, "draw_lot", study, 1, without_rest="on").content.decode()
    assert "The sample is not judged yet, so no rate is shown." in text
    assert Lot.objects.get().sample_size == 9


def test_nothing_chosen_is_said_beside_the_form(client, study):
    factories.batch(study)
    response = post(client, "new_lot", study)
    assert response.status_code == 400
    assert "Choose at least one batch." in response.content.decode()


def test_a_draft_lists_what_it_leaves_out_and_can_be_dissolved(client, study, annotator):
    wanting = factories.pair(study, wanted=2)
    held = factories.pair(study, held="looked at")
    factories.answer(annotator, study)
    lots.put_together(study, [1], actor=annotator)
    text = page(client, "lot", study, 1)
    assert wanting.public_id[:12] in text
    assert held.public_id[:12] in text
    assert "The lot was dissolved." in post(client, "dissolve_lot", study, 1).content.decode()
    assert not Lot.objects.exists()


def test_a_batch_that_needs_answers_disables_the_start(client, study, annotator):
    factories.pair(study)
    lots.put_together(study, [1], actor=annotator)
    text = page(client, "lot", study, 1)
    assert "Batch 1 is not complete: answers are missing" in text
    assert re.search(r"<button[^>]* disabled>Start the review", text)


def test_a_draft_says_that_regrouping_has_emptied_its_batch(client, study, annotator):
    pair = factories.pair(study)
    lots.put_together(study, [1], actor=annotator)
    Pair.objects.filter(pk=pair.pk).update(batch=factories.batch(study, number=2))
    assert "Batch 1 has no pairs any more" in page(client, "lot", study, 1)


@pytest.mark.long
def test_each_number_of_a_lot_is_the_length_of_its_list(client, study, researcher):
    for number in (1, 2):
        answered(study, pairs=8, batch=number)
    lot = in_review(study, researcher, 1, 2)
    judge(lot, defects=2, disputed=1, lost=1)
    text = page(client, "lot", study, lot.number)
    links = re.findall(rf'href="(/studies/{study.slug}/lots/{lot.number}/answers/[^"]*)">([\d,]+)', text)
    assert len(links) > 10
    for address, number in links:
        found = client.get(address.replace("&amp;", "&"))
        assert found.status_code == 200
        assert found.context["count"].number == int(number), address
    for part in ("first", "found", "counting", "frame"):
        assert client.get(reverse("qc:lot_answers", args=[study.slug, lot.number]), {"part": part}).status_code == 200


@pytest.mark.parametrize("query", [{"part": "x"}, {"batch": "x"}, {"person": "9" * 30}])
def test_unknown_parts_of_a_lot_do_not_exist(client, study, researcher, query):
    answered(study, pairs=2)
    lot = in_review(study, researcher)
    page(client, "lot_answers", study, lot.number, status=404, **query)


def test_a_lot_is_accepted_and_reopened(client, study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot)
    assert lot.seed not in page(client, "lot", study, lot.number)
    assert "The plan accepts the lot." in page(client, "decide_lot", study, lot.number)
    text = post(client, "decide_lot", study, lot.number, outcome="accepted", reason="Good.").content.decode()
    assert "The lot is accepted." in text
    assert "After the secondary review" in text
    lot.refresh_from_db()
    assert lot.seed in text
    assert "with 10 answers" in page(client, "lots", study)
    assert "Give a reason" in post(client, "reopen_lot", study, lot.number, reason=" ").content.decode()
    text = post(client, "reopen_lot", study, lot.number, reason="A wrong verdict.").content.decode()
    assert "The decision is reopened." in text
    assert Batch.objects.get().state == "in_review"


@pytest.mark.long
def test_a_lot_is_returned_early_for_one_person(client, study, researcher):
    first, second = (factories.member(study, "annotator") for _ in range(2))
    answered(study, first, second, pairs=10)
    lot = in_review(study, researcher)
    judge(lot, judged=4, defects=1)
    assert "The sample already has too many defects, so the plan returns the lot." in page(
        client, "decide_lot", study, lot.number
    )
    fields = {"outcome": "returned", "reason": "Random clicks.", "ask_again": "people"}
    response = post(client, "decide_lot", study, lot.number, **fields)
    assert response.status_code == 400
    assert "Choose the people" in response.content.decode()
    text = post(client, "decide_lot", study, lot.number, people=[first.pk], **fields).content.decode()
    assert "The lot is returned." in text
    assert "was not judged to the end" in text
    assert Pair.objects.filter(open_slots=1).count() == 5


@pytest.mark.long
def test_what_the_plan_refuses_is_said_and_can_be_confirmed(client, study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot, defects=1)
    fields = {"outcome": "accepted", "reason": "The guideline was unclear."}
    response = post(client, "decide_lot", study, lot.number, **fields)
    assert "The plan has another result" in response.content.decode()
    post(client, "decide_lot", study, lot.number, against_plan="on", **fields)
    assert "a person decided differently from the plan" not in page(client, "lots", study)  # no pooled figure yet
    assert Lot.objects.get().state == "accepted"


@pytest.mark.long
def test_the_next_attempt_leads_back_to_the_returned_lot(client, study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot, defects=2)
    decisions.decide(lot, Wanted("returned", "x", ask_again="defects"), actor=researcher)
    assert "returned with lot 1" in page(client, "new_lot", study)
    text = post(client, "new_lot", study, batches=[1]).content.decode()
    assert "attempt 2, after lot 1" in text
    assert "Its next attempt is lot 2." in page(client, "lot", study, 1)


@pytest.mark.long
def test_reviewers_see_no_findings_before_the_decision(reviewer, study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot, defects=1)
    text = page(reviewer, "lot", study, lot.number)
    assert "Its figures are shown after the decision." in text
    assert "part=defects" not in text
    page(reviewer, "lot_answers", study, lot.number, status=403)
    decisions.decide(lot, Wanted("returned", "x", ask_again="all"), actor=researcher)
    text = page(reviewer, "lot", study, lot.number)
    assert "After the secondary review" in text
    assert "part=defects" not in text


def test_an_answer_in_quarantine_is_listed_without_a_link(client, study, researcher):
    answered(study, pairs=2)
    lot = in_review(study, researcher)
    pair = FrameItem.objects.filter(lot=lot).first().assignment.pair
    Pair.objects.filter(pk=pair.pk).update(held="quarantined")
    assert pair.public_id[:12] not in page(client, "lot_answers", study, lot.number)


@pytest.mark.long
def test_a_decided_lot_has_no_form(client, study, researcher):
    answered(study, pairs=10)
    lot = in_review(study, researcher)
    judge(lot)
    decisions.decide(lot, Wanted("accepted", "x"), actor=researcher)
    assert "cannot be decided now" in page(client, "decide_lot", study, lot.number)
    page(client, "lot", study, 99, status=404)


def test_the_answers_for_review_lead_to_just_these_answers(client, study, annotator):
    answered(study, annotator, pairs=4)
    invalid, held, *_ = Pair.objects.order_by("pk")
    change_standing(invalid.assignments.get().standing, actor=None, validity="invalid", reason="contradiction")
    Pair.objects.filter(pk=held.pk).update(held="looked at")
    for name, about, shown in (("new_lot", (), "up to 3"), ("lot", (1,), "2")):
        text = page(client, name, study, *about)
        address, number = re.search(r'href="([^"]*standing=usable)">([^<]+)', text).groups()
        assert number == shown
        assert client.get(address.replace("&amp;", "&")).context["count"].number == 2
        if name == "new_lot":
            post(client, "new_lot", study, batches=[1])


@pytest.mark.long
def test_batches_and_answers_come_page_by_page(client, study, researcher, monkeypatch):
    monkeypatch.setattr(views_lots, "BATCHES_A_PAGE", 1)
    monkeypatch.setattr(views_lots, "ROWS_A_PAGE", 2)
    for number in (1, 2):
        answered(study, pairs=3, batch=number)
    assert "Page 1 of 2" in page(client, "new_lot", study)
    post(client, "new_lot", study, batches=[2])  # it is on the second page
    lot = in_review(study, researcher, 1)
    address = reverse("qc:lot_answers", args=[study.slug, lot.number])
    first = client.get(address).context
    second = client.get(address, {"after": first["page"].next}).context
    back = client.get(address, {"before": second["page"].previous}).context
    keys = [[item.assignment_id for item, *_ in found["rows"]] for found in (first, second, back)]
    assert keys[0] == keys[2]
    assert keys[0] + keys[1] == sorted(lot.items.values_list("assignment", flat=True))
    assert second["count"].number == 3
    assert client.get(address, {"after": "9" * 9}).status_code == 404
