"""A trial of the workspace: it checks what the workspace checks, and writes nothing except reports."""

import uuid

import pytest
from django.db import connection
from django.urls import reverse

from annotation import draws
from annotation.models import Annotation, Assignment, Dose, Exposure, Seat
from catalog.models import Pair
from safety.models import Quarantine, Report
from studies.models import Study
from tests import factories
from tests.conftest import KEPT

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(study, researcher, api):
    """Return a function that calls an endpoint of a trial as a researcher without the role annotator."""
    client = api(researcher)

    def asked(verb="", pair=None, body=None, status=200, method="post", **query):
        address = reverse(f"api:trial_{verb}", args=[pair.pk]) if pair else reverse("api:trial", args=[study.slug])
        if query:
            address += "?" + "&".join(f"{name}={value}" for name, value in query.items())
        response = getattr(client, method)(address, body, format="json")
        assert response.status_code == status, response.content
        return response.json() if response.content else None

    return asked


def rows_of_every_table():
    """Return the number of rows of each table, except sessions."""
    with connection.cursor() as cursor:
        found = {}
        for table in set(connection.introspection.table_names()) - KEPT - {"django_session"}:
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
        return found


@pytest.mark.parametrize("state", ["running", "paused", "closed"])
def test_a_trial_shows_the_pairs_in_order_and_writes_nothing(study, researcher, browser_client, ask, state):
    pairs = factories.pairs(study, 3, may_show=["violence"])
    Study.objects.update(state=state)
    browser = browser_client(researcher)
    before = rows_of_every_table()
    slots = list(Pair.objects.order_by("pk").values_list("open_slots", flat=True))
    page = browser.get(reverse("trial:page", args=[study.slug]))
    assert "Trial: nothing is saved." in page.content.decode()
    leased = ask()
    assert (leased["current"]["id"], leased["next"]["id"]) == (pairs[0].pk, pairs[1].pk)
    assert leased["current"]["prompt"]["text"] == pairs[0].prompt.text
    ask("draft", pairs[0], {"helpfulness": {"aesthetics": "video_0"}}, 204, "put")
    ask("care", pairs[0], {"care": {"revealed_s": {"video_0": 3.0, "video_1": 2.0}, "hidden": 1}}, 204)
    assert ask("renew", pairs[0], {})["id"] == pairs[0].pk
    submitted = ask("submit", pairs[0], factories.body(lease_next=True))
    assert submitted["current"]["id"] == pairs[1].pk
    lines = {line["name"]: line["value"] for line in submitted["recorded"]}
    assert lines["Tags of video 1"] == "Violence, Injury, Gory Content"
    assert lines["Standing"] == "valid"
    left = leased["current"]["left"]
    side = "left" if left == "video_0" else "right"
    assert lines["Overall, which video is more helpful for this prompt?"] == f"video 0 ({side})"
    assert ask("skip", pairs[1], {"reason": "cannot_judge"})["current"]["id"] == pairs[2].pk
    ended = ask("submit", pairs[2], factories.body())
    assert (ended["current"], ended["reason"]) == (None, "trial_finished")
    assert rows_of_every_table() == before
    assert list(Pair.objects.order_by("pk").values_list("open_slots", flat=True)) == slots
    for model in (Seat, Assignment, Annotation, Exposure, Dose):
        assert not model.objects.exists()


@pytest.mark.long
def test_it_checks_what_the_study_checks(study, ask):
    pair = factories.pair(study)
    body = factories.body(viewing={})
    body["helpfulness"]["overall"] = "tie"
    ask("submit", pair, body, 400)
    Study.objects.update(allow_ties=True, require_seen_through=True)
    refused = ask("submit", pair, body, 400)
    assert "viewing" in str(refused)
    watched = {"seen_through": True, "watched_s": 2.0}
    ask("submit", pair, body | {"viewing": {"video_0": watched, "video_1": watched}})
    Study.objects.update(require_seen_through=False, tag_format="yes_no")
    ask("submit", pair, body, 400)
    early = {"helpfulness": {"overall": "video_0"}}
    ask("draft", pair, early, 400, "put")


@pytest.mark.long
def test_a_second_look_is_asked_for_as_of_an_annotator(study, ask):
    pair = factories.pair(study)
    contradictory = {"harmlessness": {"video_0": {"tags": ["hate"]}, "video_1": {"tags": []}, "overall": "video_0"}}
    assert not ask("submit", pair, factories.body(**contradictory))["second_look"]
    Study.objects.update(second_look=True)
    submitted = ask("submit", pair, factories.body(**contradictory))
    assert submitted["second_look"]
    assert "contradicts itself" in str(submitted["recorded"])
    revised = ask("revise", pair, factories.body(reason="second_look", submission_id=str(uuid.uuid4())))
    assert revised["changed"]
    assert ask("reopen", pair, status=409, method="get")["code"] == "trial"
    assert not Annotation.objects.exists()


def test_a_report_is_real_also_in_a_trial(study, researcher, ask):
    pairs = factories.pairs(study, 2)
    reported = ask("report", pairs[0], {"videos": ["video_1"]})
    assert reported["report"] == "hidden"
    assert reported["current"]["id"] == pairs[1].pk
    report = Report.objects.get()
    assert (report.person, report.pair_id) == (researcher, pairs[0].pk)
    assert Quarantine.objects.get().asset == pairs[0].video_1.asset
    assert ask()["current"]["id"] == pairs[1].pk
    ask("submit", pairs[0], factories.body(), 404)


def test_it_begins_at_the_pair_in_the_address_and_skips_held_ones(study, ask):
    pairs = factories.pairs(study, 4)
    Pair.objects.filter(pk__in=[pairs[1].pk, pairs[2].pk]).update(held="looked at")
    assert ask(first=pairs[3].pk)["current"]["id"] == pairs[3].pk
    leased = ask(first=pairs[2].pk)
    assert (leased["current"]["id"], leased["next"]["id"]) == (pairs[2].pk, pairs[3].pk)
    assert ask("submit", pairs[0], factories.body())["current"]["id"] == pairs[3].pk
    assert ask(first=pairs[3].pk + 1)["reason"] == "trial_finished"


def test_a_study_without_playable_pairs_says_so(study, ask):
    factories.pair(study, ready=False, prompt=(prompt := factories.prompt(study)), video_0=waiting(prompt))
    assert ask()["reason"] == "trial_empty"


def waiting(prompt):
    return factories.video(prompt, asset=factories.asset(state="waiting"))


def test_the_order_of_questions_is_the_one_that_the_person_would_have_as_an_annotator(study, researcher, ask):
    factories.pair(study)
    tried = ask()["current"]
    researcher.memberships.create(study=study, role="annotator")
    assert tried["question_order"] == draws.question_order(study, researcher.pk)
    assert tried["tag_order"] == draws.tag_order(study, researcher.pk)


def test_people_who_run_the_study_find_the_trial(study, researcher, browser_client):
    pair = factories.pair(study)
    client = browser_client(researcher)
    trial = reverse("trial:page", args=[study.slug])
    for name, arguments in (("studies:state", []), ("figures:dashboard", []), ("catalog:pair", [pair.public_id])):
        assert f'href="{trial}' in client.get(reverse(name, args=[study.slug, *arguments])).content.decode()
    assert client.get(trial, {"first": "not a number"}).status_code == 200
