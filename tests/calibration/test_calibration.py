"""Calibration: everybody judges the same pairs blind, and nobody sees the answers of others before."""

import threading
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEvent
from annotation.answers import Answers
from annotation.models import Dose
from calibration import outcomes, preparing, turns
from calibration.models import CalibrationAnswer, CalibrationItem, CalibrationSession, CalibrationSitting
from consent import agreements
from diptych.refusals import BadInput, Refused
from diptych.statistics.figures import NotDefined
from qc import reviewing, verdicts
from qc.judging import Given
from studies.models import DocumentVersion
from tests import factories

pytestmark = pytest.mark.django_db

Origin = CalibrationItem.Origin


@pytest.fixture
def pairs(study):
    return factories.pairs(study, 3)


@pytest.fixture
def session(study, researcher, pairs):
    """Create an open session with three pairs."""
    made = preparing.make(study, "Harm in cartoons", actor=researcher)
    preparing.add(made, pairs=[pair.public_id for pair in pairs], actor=researcher)
    preparing.open_session(made, actor=researcher)
    return made


@pytest.fixture
def kim(study):
    return factories.reviewer(study)


@pytest.fixture
def lee(study):
    return factories.reviewer(study, "researcher")


def answer(person, sitting, helpfulness="video_0", **about):
    body = factories.body()
    body["helpfulness"]["overall"] = helpfulness
    answers = Answers.from_body(body["helpfulness"], body["harmlessness"], unsure=False, comment="")
    about = {"submission_id": uuid4(), "timings_ms": {"total_active": 9000}, "viewing": {}} | about
    turns.answer(sitting, person, answers=answers, **about)


def judge_all(person, session, helpfulness="video_0"):
    while sitting := turns.next_turn(person, session).sitting:
        answer(person, sitting, helpfulness)


# --- Prepare a session ---------------------------------------------------------------------------------------


def test_unclear_and_disputed_verdicts_wait_until_their_pair_is_in_a_session(study, researcher, kim):
    lot = factories.lot_in_review(study, 2)
    for ruling in ("guideline_unclear", "disputed"):
        review = reviewing.lease(kim, lot, "secondary").reviews[0]
        own = {"own": "video_1"} if ruling == "disputed" else {}
        given = Given(review.pk, review.item.current_id, "aesthetics", ruling, comment="Say more.", **own)
        verdicts.submit(review, kim, [given])
    unclear, disputed = (preparing.candidates(study, origin).get() for origin in (Origin.UNCLEAR, Origin.DISPUTED))
    made = preparing.make(study, "Unclear ones", actor=researcher)
    assert preparing.add(made, verdicts=[unclear.pk], actor=researcher) == 1
    assert preparing.add(made, verdicts=[unclear.pk], actor=researcher) == 0
    item = made.items.get()
    assert (item.origin, item.verdict, item.pair) == ("unclear", unclear, unclear.review.pair)
    assert not preparing.candidates(study, Origin.UNCLEAR).exists()
    assert preparing.candidates(study, Origin.DISPUTED).get() == disputed
    preparing.remove(made, item.pk, actor=researcher)
    assert preparing.candidates(study, Origin.UNCLEAR).exists()


def test_a_pair_of_another_study_or_in_quarantine_cannot_be_chosen(study, researcher):
    made = preparing.make(study, "Any", actor=researcher)
    foreign, hidden = factories.pair(factories.study()), factories.pair(study, held="quarantined")
    for wrong in (foreign.public_id, hidden.public_id, "abc", "not an id at all"):
        with pytest.raises(BadInput, match="has no pair"):
            preparing.add(made, pairs=[wrong], actor=researcher)


def test_pairs_stay_after_the_session_was_opened(session, researcher, study):
    assert not preparing.open_session(session, actor=researcher)
    with pytest.raises(Refused, match="was opened"):
        preparing.add(session, pairs=[], actor=researcher)
    with pytest.raises(Refused, match="was opened"):
        preparing.remove(session, session.items.first().pk, actor=researcher)
    empty = preparing.make(study, "Empty", actor=researcher)
    with pytest.raises(Refused, match="no pairs"):
        preparing.open_session(empty, actor=researcher)


# --- Judge -----------------------------------------------------------------------------------------------------


def test_everybody_judges_each_pair_once_and_the_same_turn_comes_back(session, kim):
    first = turns.next_turn(kim, session)
    assert turns.next_turn(kim, session).sitting == first.sitting
    assert first.left == 3
    judge_all(kim, session)
    turn = turns.next_turn(kim, session)
    assert (turn.sitting, turn.reason, turn.left) == (None, "nothing_due", 0)
    assert CalibrationAnswer.objects.count() == 3


def test_an_answer_is_stored_once_and_never_changed(session, kim):
    sitting = turns.next_turn(kim, session).sitting
    sent = uuid4()
    for _ in range(2):
        answer(kim, sitting, submission_id=sent)
    with pytest.raises(Refused, match="first answer stays"):
        answer(kim, sitting, "video_1")
    with pytest.raises(Refused, match="first answer stays"):
        turns.skip(sitting, kim, reason="cannot_judge")
    assert AuditEvent.objects.filter(action="calibration.answered").count() == 1


def test_what_somebody_did_not_agree_to_see_is_not_shown_and_others_come_first(study, session, kim, pairs):
    pairs[0].__class__.objects.filter(pk=pairs[0].pk).update(may_show=["violence"], lane=1)
    agreements.agree(kim, study, categories=["crime"], text="Only this.")
    judge_all(kim, session)
    turn = turns.next_turn(kim, session)
    assert (turn.reason, turn.left) == ("excluded", 1)
    assert not turns.has_judged(kim, session)


def test_the_daily_limit_counts_for_calibration_too(study, session, kim, pairs):
    pairs[0].__class__.objects.filter(pk__in=[pair.pk for pair in pairs]).update(may_show=["violence"], lane=1)
    study.daily_dose_s = 5
    study.save()
    session.refresh_from_db()
    answer(kim, turns.next_turn(kim, session).sitting)
    assert Dose.objects.get(person=kim).seconds == 8  # two clips of 2 s, watched twice
    turn = turns.next_turn(kim, session)
    assert (turn.sitting, turn.reason) == (None, "cap")
    assert turn.retry_after_s > 0


def test_nobody_judges_without_consent_or_after_the_end(study, session, kim, lee, researcher):
    new = factories.member(study, "reviewer")
    assert turns.next_turn(new, session).reason == "consent"
    judge_all(kim, session)
    with pytest.raises(Refused, match="at least two people"):
        preparing.close(session, actor=researcher)
    sitting = turns.next_turn(lee, session).sitting
    answer(lee, sitting)
    late = turns.next_turn(lee, session).sitting
    assert preparing.close(session, actor=researcher)
    assert not preparing.close(session, actor=researcher)
    with pytest.raises(Refused, match="not open"):
        answer(lee, late)
    with pytest.raises(Refused, match="not open"):
        turns.next_turn(lee, session)


def test_results_are_hidden_from_a_person_until_they_have_judged_all(session, kim, lee):
    judge_all(kim, session)
    assert turns.sees_results(kim, session)
    assert not turns.sees_results(lee, session)
    while sitting := turns.next_turn(lee, session).sitting:
        assert not turns.sees_results(lee, session)
        turns.skip(sitting, lee, reason="cannot_judge")
    assert turns.sees_results(lee, session)


# --- Results ---------------------------------------------------------------------------------------------------


def test_answers_stand_side_by_side_and_agreement_counts_them(study, session, kim, lee):
    judge_all(kim, session)
    judge_all(lee, session, "video_1")
    people, compared = outcomes.compared(session)
    assert people == sorted((kim, lee), key=lambda one: one.username)
    assert [one.differing for one in compared] == [1, 1, 1]
    row = next(row for row in compared[0].rows if row.key == "helpfulness")
    assert sorted(row.answers) == ["Left", "Right"]
    assert outcomes.summed(compared) == {"helpfulness": 3}
    found = outcomes.agreement_of(session)
    assert (found.people, found.pairs) == (2, 3)
    assert found.preferences["helpfulness"].percent.value == 0
    assert found.preferences["aesthetics"].percent.value == 1
    assert found.preferences["helpfulness"].percent.interval == NotDefined.NOT_ENOUGH
    assert found.safe.value == 1


@pytest.mark.long
def test_a_session_that_follows_shows_agreement_before_and_after(study, session, kim, lee, researcher):
    for person, choice in ((kim, "video_0"), (lee, "video_1")):
        judge_all(person, session, choice)
    with pytest.raises(Refused, match="Close the earlier session"):
        preparing.make(study, "Again", actor=researcher, follows=session)
    preparing.close(session, actor=researcher)
    after = preparing.make(study, "Again", actor=researcher, follows=session)
    with pytest.raises(Refused, match="already follows"):
        preparing.make(study, "Again", actor=researcher, follows=session)
    preparing.add(after, pairs=[factories.pair(study).public_id], actor=researcher)
    preparing.open_session(after, actor=researcher)
    for person in (kim, lee):
        judge_all(person, after)
    agreements = [outcomes.agreement_of(one) for one in (session, after)]
    label, figures = outcomes.table(agreements)[4]
    assert label == "More helpful"
    assert [percent.value for percent, _alpha in figures] == [0, 1]


@pytest.mark.long
def test_conclusions_and_the_guideline_follow_the_end_of_the_session(study, session, kim, lee, researcher):
    item = session.items.first()
    with pytest.raises(Refused, match="is closed"):
        preparing.conclude(session, item.pk, "Blood in cartoons is violence.", actor=researcher)
    for person in (kim, lee):
        judge_all(person, session)
    preparing.close(session, actor=researcher)
    for _ in range(2):
        preparing.conclude(session, item.pk, " Blood in cartoons is violence. ", actor=researcher)
    item.refresh_from_db()
    assert (item.outcome, item.outcome_by) == ("Blood in cartoons is violence.", researcher)
    assert AuditEvent.objects.filter(action="calibration.concluded").count() == 1
    with pytest.raises(BadInput, match="published after"):
        preparing.link_guideline(session, study.guideline_version, actor=researcher)
    later = study.guideline_version + 1
    DocumentVersion.objects.create(study=study, kind="guideline", version=later)
    preparing.link_guideline(session, later, actor=researcher)
    assert (session.guideline_before, session.guideline_after) == (later - 1, later)


# --- Pages and API -----------------------------------------------------------------------------------------------


def page(client, study, *about, name="calibration", status=200):
    response = client.get(reverse(f"calibration:{name}", args=[study.slug, *about]))
    assert response.status_code == status
    return response.content.decode()


def test_a_session_is_made_filled_opened_and_closed_on_its_pages(study, pairs, researcher, browser_client, kim, lee):
    client = browser_client(researcher)
    assert "There is no session yet" in page(client, study, name="calibrations")
    sent = client.post(reverse("calibration:calibrations", args=[study.slug]), {"topic": "Cartoons <3"}, follow=True)
    assert "Cartoons &lt;3" in sent.content.decode()
    change = reverse("calibration:change_calibration", args=[study.slug, 1])

    def act(act, **fields):
        return client.post(change, {"act": act} | fields, follow=True).content.decode()

    assert "1 pair was added." in act("add", pairs=pairs[0].public_id[:12])
    refused = act("add", pairs="nonsense")
    assert "has no pair" in refused
    assert ">nonsense</textarea>" in refused
    assert "Use the buttons" in act("explode")
    theirs = browser_client(kim)
    page(theirs, study, 1, status=404)  # a draft
    assert "The session is open." in act("open")
    assert "Judge the pairs" in page(theirs, study, 1)
    assert "Pair by pair" not in page(theirs, study, 1)
    session = CalibrationSession.objects.get()
    for person in (kim, lee):
        judge_all(person, session)
    assert "Pair by pair" in page(theirs, study, 1)
    assert "The session is closed." in act("close")
    item = session.items.get()
    assert "The conclusion is saved." in act("conclude", item=item.pk, outcome="Cartoons count.")
    assert "Cartoons count." in page(theirs, study, 1)
    csv = theirs.get(reverse("calibration:calibration_csv", args=[study.slug, 1])).getvalue().decode()
    assert f"{pairs[0].public_id},helpfulness,no,Cartoons count.,Left,Left" in csv


def test_a_file_is_refused_before_the_person_has_judged(study, session, kim, browser_client):
    response = browser_client(kim).get(reverse("calibration:calibration_csv", args=[study.slug, session.number]))
    assert response.status_code == 409


def test_a_program_judges_all_pairs_and_reads_the_results(study, session, kim, api):
    client = api(kim)
    results = reverse("api:calibration", args=[session.pk])
    assert client.get(results).status_code == 409
    body = client.post(reverse("api:calibration_next", args=[session.pk])).json()
    assert body["current"]["judging"] is None
    while body["current"]:
        turn = body["current"]["id"]
        assert client.post(reverse("api:turn_renew", args=[turn]), {}, format="json").status_code == 200
        care = {"care": {"hidden": 1}}
        assert client.post(reverse("api:turn_care", args=[turn]), care, format="json").status_code == 204
        if body["left"] == 1:
            skipped = {"reason": "cannot_judge"}
            body = client.post(reverse("api:turn_skip", args=[turn]), skipped, format="json").json()
        else:
            body = client.post(reverse("api:turn_answer", args=[turn]), factories.body(), format="json").json()
    assert body["reason"] == "nothing_due"
    found = client.get(results).json()
    assert (found["people"], len(found["pairs"])) == (1, 3)
    assert found["agreement"]["helpfulness"]["not_defined"] == "no_overlap"
    assert client.get(reverse("api:calibrations", args=[study.slug])).json()["sessions"][0]["judged"] is True


def test_nobody_can_use_the_turn_of_somebody_else(study, session, kim, lee, api):
    sitting = turns.next_turn(kim, session).sitting
    response = api(lee).post(reverse("api:turn_answer", args=[sitting.pk]), factories.body(), format="json")
    assert response.status_code == 404


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_same_answer_twice_at_once_is_stored_once(study, session, kim):
    sitting = turns.next_turn(kim, session).sitting
    sent, begin, errors = uuid4(), threading.Barrier(2), []

    def run():
        begin.wait()
        try:
            answer(kim, sitting, submission_id=sent)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert CalibrationAnswer.objects.count() == 1
    assert CalibrationSitting.objects.get().ended_at is not None
