"""The audit record says who did what. The product never reads it: everything works the same without its rows."""

import re
import tomllib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from annotation import serving, submission
from annotation.answers import Answers
from annotation.models import Annotation, Assignment, SecondLook, Standing
from catalog.models import Batch
from consent import agreements
from diptych.refusals import Refused
from safety import quarantine
from studies import members
from studies.configuration import configure, last_changes
from studies.creation import create_study
from studies.documents.publishing import publish
from studies.documents.texts import shipped
from studies.models.memberships import Role
from studies.people import add_numbered
from studies.state_changes import change_state
from studies.terms import change_terms
from tests import factories
from tests.annotation.test_revisions import CONSISTENT, CONTRADICTORY, revise

ROOT = Path(settings.BASE_DIR)
#: The model, and the only function that writes its rows.
MAY_NAME_IT = {"accounts/models.py", "accounts/audit.py"}

pytestmark = pytest.mark.django_db


def product_files() -> Iterator[Path]:
    """Return every Python file and template of the product, without migrations."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for folder in [*contracts["root_packages"], "templates", "static"]:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".html", ".js", ".txt"} and "migrations" not in path.parts:
                yield path


def test_no_file_of_the_product_names_the_audit_table_but_the_two_that_write_it() -> None:
    named = {
        path.relative_to(ROOT).as_posix()
        for path in product_files()
        if re.search(r"audit_?event", path.read_text(), re.IGNORECASE)
    }
    assert named == MAY_NAME_IT


def test_the_one_function_only_writes() -> None:
    source = (ROOT / "accounts/audit.py").read_text()
    assert re.findall(r"(\w+) accounts_auditevent", source) == ["INTO"]
    assert "AuditEvent" not in source


@pytest.fixture
def forget() -> Callable[[], None]:
    """Remove all audit rows, bypassing the triggers that protect them."""

    def remove() -> None:
        assert AuditEvent.objects.exists()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("DELETE FROM accounts_auditevent")
            cursor.execute("SET LOCAL session_replication_role = origin")

    return remove


@pytest.fixture
def page(browser_client: Any, researcher: Any) -> Callable[[str], str]:
    """Return a page as the researcher sees it, and check that it reads no audit row."""
    client: Client = browser_client(researcher)
    client.get(reverse("home"))

    def seen(address: str) -> str:
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert response.status_code == 200
        assert not [query for query in queries if re.search(r'(FROM|JOIN) "?accounts_auditevent', query["sql"] or "")]
        return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())

    return seen


def test_a_form_that_was_sent_adds_nobody_again(study, researcher, forget):
    once = uuid.uuid4()
    add_numbered(study, role="annotator", count=1, once=once, actor=researcher)
    forget()
    with pytest.raises(Refused, match="This form was already sent"):
        add_numbered(study, role="annotator", count=1, once=once, actor=researcher)
    assert len(add_numbered(factories.study(), role="annotator", count=1, once=once, actor=researcher)) == 1


def test_a_form_whose_people_were_not_added_may_be_sent_again(study, researcher):
    once = uuid.uuid4()
    with pytest.raises(Refused):
        add_numbered(study, role="annotator", count=1, prefix="no spaces here", once=once, actor=researcher)
    assert len(add_numbered(study, role="annotator", count=1, once=once, actor=researcher)) == 1


def test_a_setting_still_says_what_it_was_and_who_changed_it(study, researcher, forget, page):
    for seconds in (120, 180):
        configure(study, {"lease_s": seconds}, made_from={"lease_s": study.lease_s}, actor=researcher)
    forget()
    last = last_changes(study, ["lease_s", "next_lease_s"])
    assert {name: (one.before, one.who) for name, one in last.items()} == {"lease_s": (120, researcher.username)}
    assert f"Changed by {researcher.username} on" in page(reverse("studies:settings", args=[study.slug, "serving"]))


def test_earlier_terms_are_still_known(study, annotator, researcher, forget):
    change_terms(study, categories=["crime"], actor=researcher)
    factories.agreements.agree(annotator, study, categories=["crime"], text="I agree.")
    change_terms(study, categories=["hate"], actor=researcher)
    forget()
    asked_again = agreements.agreement(annotator, study)
    assert [harm.key for harm in asked_again.new] == ["hate"]
    assert [harm.key for harm in asked_again.gone] == ["crime"]


def test_a_guideline_still_says_who_published_it(study, researcher, forget, page):
    texts = {language: f"{text}\n\nOne more sentence." for language, text in shipped("guideline").items()}
    publish(study, "guideline", texts=texts, actor=researcher)
    forget()
    assert researcher.username in page(reverse("studies:edit_guideline", args=[study.slug])).split("Version 2")[-1]


def test_a_role_still_says_who_gave_it(study, annotator, researcher, forget, page):
    members.grant(study, annotator, Role.REVIEWER, actor=researcher)
    forget()
    assert f"by {researcher.username}" in page(reverse("studies:person", args=[study.slug, annotator.pk]))


def test_a_study_still_says_when_it_was_made_paused_and_resumed(researcher, forget, browser_client):
    study = create_study(slug="colours", title="Colours", actor=researcher)
    change_state(study, "close", actor=researcher)
    change_state(study, "close", actor=researcher)  # closing twice is harmless
    change_state(study, "reopen", actor=researcher)
    forget()
    steps = browser_client(researcher).get(reverse("studies:state", args=["colours"])).context["record"]
    assert [(step.step, step.changed_by) for step in steps] == [
        ("reopened", researcher),
        ("closed", researcher),
        ("created", researcher),
    ]


def test_a_pair_still_says_who_held_and_released_it(study, researcher, forget, browser_client, page):
    pair = factories.pair(study)
    address = reverse("catalog:pair", args=[study.slug, pair.public_id])
    for act in ("hold", "hold", "release"):
        browser_client(researcher).post(f"{address}hold/", {"act": act, "reason": "Too dark"})
    forget()
    assert page(address).count("held: Too dark") == 1
    assert "released (reason for the hold: Too dark)" in page(address)


def test_officers_still_see_what_was_done_about_a_report(study, annotator, forget, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    officer = factories.officer(study)
    row = quarantine.report(factories.pair(study), ["video_0"], by=annotator)[0]
    for _ in range(2):
        quarantine.confirm(row, officer)
    quarantine.set_legal_hold(row, officer, holds=True, reason="The police asked.")
    forget()
    acts = row.acts.order_by("pk")
    assert [(act.act, act.officer, act.reason) for act in acts] == [
        ("quarantined", None, ""),
        ("confirmed", officer, ""),
        ("legal_hold_set", officer, "The police asked."),
    ]
    assert acts[0].reporter.person == annotator


def test_a_second_look_is_written_down_once(annotator, forget):
    study = factories.study(second_look=True)
    factories.agreements.agree(annotator, study, categories=study.categories, text="I agree.")
    factories.Membership.objects.create(study=study, person=annotator, role="annotator")
    factories.pair(study)
    answered = factories.answer(annotator, study, harmlessness=CONTRADICTORY)
    revise(answered, reason="second_look", harmlessness=CONTRADICTORY)
    forget()
    revise(answered, reason="second_look", harmlessness=CONTRADICTORY)
    assert SecondLook.objects.get().first == Annotation.objects.get()
    assert not AuditEvent.objects.filter(action="annotation.second_look").exists()


def test_a_mended_answer_still_says_why_it_is_not_counted(study, annotator, forget):
    factories.pair(study)
    lease = serving.lease(annotator, study).current
    Batch.objects.update(state="in_review")
    body = factories.body(harmlessness=CONTRADICTORY)
    answers = Answers.from_body(body["helpfulness"], body["harmlessness"])
    submission.submit(lease, annotator, submission_id=uuid.uuid4(), answers=answers, timings_ms={}, viewing={})
    assert Standing.objects.get().reason == "contradiction"
    forget()
    Batch.objects.update(state="returned")
    revise(Assignment.objects.select_related("study").get(pk=lease.pk), harmlessness=CONSISTENT)
    standing = Standing.objects.get()
    assert (standing.validity, standing.uncounted_reason) == ("valid", "surplus_batch_closed")
