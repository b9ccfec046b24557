"""The pages of qualification: for annotators, and for those who run the study."""

import csv
import io
from datetime import UTC, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Seat
from answers import people_progress
from catalog.models import Pair
from consent import agreements
from diptych.refusals import Refused
from qualification import attempts, choosing, deciding, sets
from qualification.models import ExpectedAnswer, PairSet, Qualification, SetItem, Turn
from studies.creation import create_study
from studies.models import Study
from tests import factories
from tests.qualification import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(study, researcher):
    return world.asks_for_qualification(study, researcher)


@pytest.fixture
def page(browser_client, researcher, study):
    """Return a function that gets a page of those who run the study, as text."""

    def get(name, *args, status=200, **query):
        response = browser_client(researcher).get(reverse(f"qualification:{name}", args=[study.slug, *args]), query)
        assert response.status_code == status
        return response.content.decode()

    return get


@pytest.fixture
def act(browser_client, researcher, study):
    """Return a function that presses a button of a version, and returns the page that follows."""

    def post(of, **values):
        address = reverse("qualification:change_set", args=[study.slug, of.kind, of.number])
        return browser_client(researcher).post(address, values, follow=True).content.decode()

    return post


def rows_of(response):
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


# --- Annotators -------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_the_workspace_leads_to_the_qualification(browser_client, study, annotator, asked):
    client = browser_client(annotator)
    response = client.get(reverse("annotation:workspace", args=[study.slug]))
    own = reverse("qualification:own", args=[study.slug])
    assert (response.status_code, response.url) == (302, own)
    text = client.get(own).content.decode()
    assert "First the training, then a test" in text
    assert "You answer 2 pairs" in text
    assert "It takes about 15 minutes" in text
    assert (
        "You must qualify before you get pairs: first a training"
        in client.get(reverse("home"), {"all": 1}).content.decode()
    )
    world.qualify(annotator, study)
    assert client.get(reverse("annotation:workspace", args=[study.slug])).status_code == 200
    assert "Start working" in client.get(own).content.decode()


def test_a_study_that_asks_for_nothing_leads_to_the_workspace_with_no_query_more(
    browser_client, study, annotator, django_assert_num_queries
):
    client = browser_client(annotator)
    address = reverse("annotation:workspace", args=[study.slug])
    client.get(address)
    with django_assert_num_queries(7):
        assert client.get(address).status_code == 200


def test_beginning_opens_the_workspace_of_the_training(browser_client, study, annotator, asked):
    client = browser_client(annotator)
    work = reverse("qualification:work", args=[study.slug, "training"])
    assert client.get(work).url == reverse("qualification:own", args=[study.slug])  # it is not begun by a link
    assert client.post(reverse("qualification:begin", args=[study.slug, "training"])).url == work
    text = client.get(work).content.decode()
    assert 'data-kind="training"' in text
    assert "After each answer you see what was expected" in text
    assert client.get(reverse("qualification:work", args=[study.slug, "odd"])).status_code == 404


def test_what_keeps_a_person_from_beginning_is_said(browser_client, study, annotator, asked):
    response = browser_client(annotator).post(reverse("qualification:begin", args=[study.slug, "test"]), follow=True)
    assert "Finish the training first" in response.content.decode()


@pytest.mark.long
def test_the_result_names_questions_and_no_pair(browser_client, study, annotator, asked):
    world.go_through(annotator, study, "training")
    world.go_through(annotator, study, "test", wrong=2)
    text = browser_client(annotator).get(reverse("qualification:own", args=[study.slug])).content.decode()
    assert "As expected: 9 of 15 answers, 60 %. The pass mark is 80 %." in text
    assert "3 of 5" in text
    assert "You can try again later" in text
    for item in SetItem.objects.select_related("pair"):
        assert item.pair.public_id[:12] not in text


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda person, study: agreements.agree(person, study, categories=[], text="No."), "Too few pairs are left"),
        (lambda person, study: Study.objects.update(qualification_required=False), "asks for no qualification"),
        (lambda person, study: person.memberships.create(study=study, role="researcher"), "can see the expected"),
    ],
)
def test_every_other_state_has_its_words(browser_client, study, annotator, asked, prepare, words):
    Pair.objects.filter(qualification_items__set=asked[1]).update(may_show=["violence"], lane=1)
    prepare(annotator, study)
    assert words in browser_client(annotator).get(reverse("qualification:own", args=[study.slug])).content.decode()


@pytest.mark.long
def test_after_all_attempts_the_page_says_whom_to_ask(browser_client, study, annotator, asked, researcher):
    Study.objects.update(qualification_wait_s=0)
    study.refresh_from_db()
    world.go_through(annotator, study, "training")
    for _ in range(2):
        world.go_through(annotator, study, "test", wrong=5)
    text = browser_client(annotator).get(reverse("qualification:own", args=[study.slug])).content.decode()
    assert "You have used all attempts" in text
    assert "extension 100" in text
    people = browser_client(researcher).get(reverse("studies:people", args=[study.slug])).content.decode()
    assert "1 person has used all attempts at the test" in people
    assert reverse("qualification:person", args=[study.slug, annotator.pk]) in people


def test_the_time_is_paid_and_in_no_pace(browser_client, study, annotator, asked, researcher):
    attempt = attempts.begin(annotator, study, "training")
    turn = attempts.next_step(attempt, annotator).turn
    Turn.objects.filter(pk=turn.pk).update(begun_at=timezone.now() - timedelta(minutes=5))
    Seat.objects.filter(person=annotator).update(worked_until=None)
    world.answer(turn, annotator, timings_ms={"total_active": 120_000})
    days = people_progress.Days(UTC)
    row = next(one for one in people_progress.people(study, days) if one.person_id == annotator.pk)
    assert (row.figures.paid_ms, row.figures.active_ms, row.figures.pairs_an_hour) == (120_000, 0, None)
    assert people_progress.by_day(study, days, person_id=annotator.pk)[0].figures.other_ms == 120_000
    text = browser_client(researcher).get(reverse("answers:people_progress", args=[study.slug])).content.decode()
    assert "2 minutes of it: qualifying" in text


# --- Those who run the study ------------------------------------------------------------------------------------


def test_without_versions_the_page_explains_the_steps(page):
    assert "How to begin" in page("overview")


@pytest.mark.long
def test_a_version_is_made_changed_and_published(page, act, browser_client, researcher, study):
    pairs = factories.pairs(study, 6)
    client = browser_client(researcher)
    made = client.post(reverse("qualification:overview", args=[study.slug]), {"kind": "test"})
    draft = PairSet.objects.get()
    assert made.url == reverse("qualification:set", args=[study.slug, "test", 1])
    assert "Add at least 5 pairs." in page("set", "test", 1)
    assert "4 pairs were added" in act(draft, act="add", pairs="\n".join(pair.public_id for pair in pairs[:4]))
    listed = reverse("catalog:pairs", args=[study.slug]) + "?batch=1"
    assert "2 pairs were added" in act(draft, act="add_list", list=listed, number="100")
    refused = act(draft, act="add", pairs="0123456789abcdef")
    assert "has no pair" in refused
    assert ">0123456789abcdef</textarea>" in refused
    refused = act(draft, act="add_list", list="?batch=many", number="1")
    assert "cannot be used" in refused
    assert 'value="?batch=many"' in refused
    act(draft, act="remove", item=world.item(draft, 2).pk)
    assert list(SetItem.objects.order_by("place").values_list("place", flat=True)) == [1, 2, 3, 4, 5]
    last = world.item(draft, 5)
    act(draft, act="earlier", item=last.pk)
    last.refresh_from_db()
    assert last.place == 4
    for item in SetItem.objects.all():
        address = reverse("qualification:item", args=[study.slug, "test", 1, item.pk])
        assert "Judge this question" in client.get(address).content.decode()
        sent = {"judged_helpfulness": "on", "accepted_helpfulness": ["video_0"], "explanation_helpfulness": ""}
        sent |= {"judged_tags_video_1": "on", "accepted_tags_video_1": ["violence"], "optional_tags_video_1": ["crime"]}
        assert client.post(address, sent).status_code == 302
    assert set(ExpectedAnswer.objects.values_list("row", flat=True)) == {"helpfulness", "tags_video_1"}
    assert "Published." in act(draft, act="publish")
    assert "in force" in page("overview")
    assert "stays as it is" in act(draft, act="remove", item=last.pk)
    assert client.get(reverse("qualification:item", args=[study.slug, "test", 1, last.pk])).status_code == 302


def test_wrong_expectations_are_refused_with_words(browser_client, researcher, study):
    draft = world.draft(study, "training", factories.pairs(study, 1), researcher)
    client = browser_client(researcher)
    address = reverse("qualification:item", args=[study.slug, "training", 1, world.item(draft).pk])
    response = client.post(address, {"judged_helpfulness": "on", "accepted_helpfulness": ["video_0", "video_1"]})
    assert (response.status_code, b"every answer to it is as expected" in response.content) == (400, True)


@pytest.mark.long
def test_asking_again_says_how_many_people_that_concerns(page, act, study, annotator, asked, researcher):
    world.qualify(annotator, study)
    draft = sets.make_draft(study, "test", actor=researcher)
    assert "1 person who is qualified now" in page("set", "test", 2)
    assert "another number of people" in act(draft, act="publish", ask_again="on", people="7")
    act(draft, act="publish", ask_again="on", people="1")
    assert Qualification.objects.get().end == "asked_again"


def test_what_other_apps_settled_is_offered(page, act, study, researcher, monkeypatch):
    pair = factories.pair(study)
    offer = choosing.Offered("gold", "Tag gold", [pair], {pair.pk: [sets.Expected("tags_video_0", ())]})
    monkeypatch.setattr(choosing, "offers", [lambda _study: offer])
    draft = sets.make_draft(study, "training", actor=researcher)
    assert "Tag gold" in page("set", "training", 1)
    act(draft, act="add_offered", offered=[str(pair.pk)])
    assert ExpectedAnswer.objects.get().row == "tags_video_0"


def test_a_reported_pair_is_named_on_the_page(page, asked):
    Pair.objects.filter(pk=world.item(asked[1]).pair_id).update(held="quarantined")
    assert "Test version 1: 1 pair cannot be shown any more" in page("overview")
    assert "cannot be shown: nobody is asked it" in page("set", "test", 1)


@pytest.mark.long
def test_results_by_person_and_by_question_lead_to_the_answers(
    page, browser_client, researcher, study, annotator, asked
):
    world.go_through(annotator, study, "training")
    attempt = world.go_through(annotator, study, "test", wrong=2)
    assert "waits for the next attempt" in page("people")
    assert "60 %" in page("people", state="wait")
    assert "Nobody is in this state." in page("people", state="qualified")
    assert "3 of 5" not in page("questions")
    assert "0 of 1" in page("questions", set="test")
    behind = page("answers", attempt=attempt.pk)
    assert behind.count("✗ different") == 6
    client = browser_client(researcher)
    people = rows_of(client.get(reverse("qualification:people_csv", args=[study.slug])))
    assert [(one["username"], one["state"], one["last_share"]) for one in people] == [
        (annotator.username, "wait", "0.6")
    ]
    questions = rows_of(client.get(reverse("qualification:questions_csv", args=[study.slug]), {"set": "test"}))
    assert sum(int(one["right"]) for one in questions) == 9
    answers = rows_of(client.get(reverse("qualification:answers_csv", args=[study.slug]), {"attempt": attempt.pk}))
    assert (len(answers), sum(int(one["right"]) for one in answers)) == (15, 9)


@pytest.mark.long
def test_decisions_about_a_person(page, browser_client, researcher, study, annotator, asked):
    client = browser_client(researcher)
    address = reverse("qualification:decide", args=[study.slug, annotator.pk])

    def decide(act, reason="It is right."):
        return client.post(address, {"act": act, "reason": reason}, follow=True).content.decode()

    assert "has not begun yet" in page("person", annotator.pk)
    assert "Give a reason" in decide("waive", " ")
    assert "waived the test: It is right." in decide("waive")
    assert "took it back: A mistake." in decide("take_back", "A mistake.")
    assert "Use the buttons" in decide("odd")
    world.go_through(annotator, study, "training")
    world.go_through(annotator, study, "test", wrong=5)
    assert "allowed one more attempt" in decide("allow_attempt")
    page("person", factories.person().pk, status=404)


# --- Settings ---------------------------------------------------------------------------------------------------


def test_the_switch_needs_a_published_test(browser_client, api, researcher, study):
    address = reverse("studies:settings", args=[study.slug, "serving"])
    assert "qualification_required" not in browser_client(researcher).get(address).content.decode()
    file = {"format": "diptych-study-settings", "version": 1, "settings": {"qualification_required": True}}
    response = api(researcher).patch(reverse("api:settings", args=[study.slug]), file, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "setting_needs_more")
    world.published(study, "test", factories.pairs(study, 5), researcher)
    assert "qualification_required" in browser_client(researcher).get(address).content.decode()
    response = api(researcher).patch(reverse("api:settings", args=[study.slug]), file, format="json")
    assert response.status_code == 200


def test_a_copied_study_has_the_switch_and_says_that_a_test_is_missing(browser_client, researcher, study, asked):
    Study.objects.update(qualification_pass_share=0.9)
    study.refresh_from_db()
    copy = create_study(slug="copy", title="Copy", actor=researcher, like=study)
    copy.refresh_from_db()
    assert (copy.qualification_required, copy.qualification_pass_share) == (True, 0.9)
    assert not PairSet.objects.filter(study=copy).exists()
    text = browser_client(researcher).get(reverse("studies:state", args=[copy.slug])).content.decode()
    assert "no test is published" in text


def test_allowing_more_needs_an_attempt(study, annotator, asked, researcher):
    with pytest.raises(Refused, match="helps only"):
        deciding.allow_attempt(study, annotator, "Why not.", actor=researcher)
    assert attempts.attempt_at(annotator, study, "test") is None


@pytest.mark.long
def test_after_the_training_the_list_of_studies_asks_only_for_the_test(browser_client, study, annotator, asked):
    world.go_through(annotator, study, "training")
    text = browser_client(annotator).get(reverse("home"), {"all": 1}).content.decode()
    assert "You must pass a test before you get pairs." in text
    assert "first a training" not in text
