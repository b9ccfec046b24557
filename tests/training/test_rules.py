"""The page and the API of rules: what they show, what they change, and two people at once."""

import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import translation

from diptych.refusals import NotThere, Refused
from tests import factories
from tests.training.training import released
from training import rules, rules_views, tasks
from training.models import Run, TrainingRule, Worker

pytestmark = pytest.mark.django_db
BODY = {"kind": "reward", "targets": ["helpfulness"], "wait_minutes": 0, "least_new_pairs": 2}


@pytest.fixture
def rule(study, researcher):
    return rules.make(study, **BODY, actor=researcher)


def next_of(rule):
    return rules_views.next_in_words(rule, rules.standing(rule))


def test_a_rule_says_what_it_waits_for_and_what_it_did(study, rule, researcher):
    assert next_of(rule) == "It waits for a complete release."
    released(study)
    assert next_of(rule) == "It counts the new pairs of release 1 within a minute."
    tasks.look_after_training()
    rule.refresh_from_db()
    assert next_of(rule).startswith("Release 1 has 1 new pairs, and the rule needs 2.")
    rules.change(rule, wait_minutes=60, actor=researcher)
    assert next_of(rule).startswith("It looks at release 1 at 20")
    rules.change(rule, wait_minutes=0, least_new_pairs=1, actor=researcher)
    assert next_of(rule) == "It queues a run on release 1 within a minute."
    assert rules.last_run(rule) is None
    tasks.look_after_training()
    assert rules.last_run(rule) == Run.objects.get()
    assert next_of(rule) == "Release 1 has a run already. It waits for the next release."
    rules.change(rule, is_on=False, actor=researcher)
    assert next_of(rule) == "It is off. It queues no runs."
    with translation.override("zh-hans"):
        assert next_of(rule) != "It is off. It queues no runs."


def test_a_rule_that_no_worker_can_serve_says_so(study, researcher):
    owner = factories.member(study, "researcher")
    worker = Worker.objects.create(owner=owner, name="gpu-1", backbones=["embed:clip"])
    rule = rules.make(study, **BODY | {"backbone": "embed:clip", "least_new_pairs": 1}, actor=researcher)
    released(study)
    Worker.objects.filter(pk=worker.pk).update(backbones=[])
    assert rules.queue_due() == 0
    rule.refresh_from_db()
    assert next_of(rule).startswith("No worker offers the backbone embed:clip.")


def test_the_pages_make_change_switch_and_delete_a_rule(study, researcher, browser_client):
    client = browser_client(researcher)

    def to(name, *arguments):
        return reverse(f"training:{name}", args=[study.slug, *arguments])

    assert to("rules") in client.get(reverse("models:list", args=[study.slug])).content.decode()
    assert "This study has no rules yet" in client.get(to("rules")).content.decode()
    body = {"train": ["helpfulness"], "backbone": "small", "wait_minutes": "5", "least_new_pairs": "20"}
    page = client.post(to("new_rule"), body, follow=True).content.decode()
    assert "It waits for a complete release." in page
    again = client.post(to("new_rule"), body)
    assert (again.status_code, "This study has a rule for the same model." in again.content.decode()) == (400, True)
    assert client.post(to("new_rule"), body | {"least_new_pairs": "0"}).status_code == 400
    rule = TrainingRule.objects.get()
    client.post(to("switch_rule", rule.pk), {"on": "0"})
    client.post(to("rule", rule.pk), {"wait_minutes": "7", "least_new_pairs": "30"})
    rule.refresh_from_db()
    assert (rule.wait_minutes, rule.least_new_pairs, rule.is_on) == (7, 30, False)
    assert client.post(to("rule", rule.pk), {"wait_minutes": "-1", "least_new_pairs": "30"}).status_code == 400
    client.post(to("delete_rule", rule.pk))
    assert not TrainingRule.objects.exists()
    assert client.get(to("rule", rule.pk)).status_code == 404


def test_the_api_makes_changes_and_deletes_a_rule(study, researcher, api):
    client, address = api(researcher), f"/api/v1/studies/{study.slug}/training-rules/"
    made = client.post(address, BODY, format="json")
    assert made.status_code == 201, made.content
    one = f"/api/v1/training-rules/{made.json()['id']}/"
    assert made.json()["next"] == {"step": "waits_for_release", "release": None, "at": None, "new_pairs": None}
    again = client.post(address, BODY, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "rule_exists")
    assert client.post(address, BODY | {"backbone": "huge"}, format="json").status_code == 400
    changed = client.patch(one, {"on": False}, format="json").json()
    assert (changed["on"], changed["next"]["step"], changed["least_new_pairs"]) == (False, "off", 2)
    assert client.patch(one, {"wait_minutes": -1}, format="json").status_code == 400
    assert [rule["id"] for rule in client.get(address).json()["rules"]] == [made.json()["id"]]
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


def test_a_rule_that_was_deleted_meanwhile_is_neither_changed_nor_served(study, rule, researcher, monkeypatch):
    released(study, 2)
    before = rules._new_pairs

    def counted_while_somebody_deletes(*arguments, **options):
        found = before(*arguments, **options)
        rules.delete(rule, actor=researcher)
        return found

    monkeypatch.setattr(rules, "_new_pairs", counted_while_somebody_deletes)
    assert rules.queue_due() == 0
    with pytest.raises(NotThere, match="deleted"):
        rules.change(rule, is_on=True, actor=researcher)
    rules.delete(rule, actor=researcher)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_make_the_same_rule_one_succeeds(study, researcher):
    outcomes = []

    def make():
        try:
            outcomes.append(rules.make(study, **BODY, actor=researcher).pk)
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("rule_exists") == 2
    assert TrainingRule.objects.count() == 1
