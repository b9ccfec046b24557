"""The safety officer's pages: who gets in, with what, and what is written down."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import AuditEvent
from catalog import known_hashes, quarantine
from catalog.media import names
from catalog.models import Pair, Quarantine, Referral
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

BYTES = b"an mp4, more or less"


@pytest.fixture(autouse=True)
def _own_storage(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def study() -> Any:
    return factories.study(title="Colours")


@pytest.fixture
def pair(study: Any) -> Pair:
    pair = factories.pair(study)
    default_storage.save(names.playback(pair.video_0.asset.public_id), ContentFile(BYTES))
    return pair


@pytest.fixture
def row(study: Any, pair: Pair) -> Quarantine:
    return quarantine.report(pair, ["video_0"], by=factories.member(study, "annotator", username="who-reported"))[0]


@pytest.fixture
def officer(study: Any) -> Any:
    return factories.officer(study)


@pytest.fixture
def client(officer: Any) -> Client:
    """The officer, who has just given a code."""
    return factories.with_second_factor(officer)


def address(name: str, row: Quarantine) -> str:
    return reverse(f"safety:{name}", args=[row.pk])


def grown_old(client: Client, seconds: int) -> None:
    session = client.session
    session[second_factor.SESSION_KEY] |= {"at": time.time() - seconds}
    session.save()


def viewed(client: Client, row: Quarantine) -> str:
    """The video's address, from the page that opens it."""
    page = client.post(address("view", row))
    assert page.status_code == 200
    return re.search(r'<video src="([^"]+)"', page.content.decode())[1].replace("&amp;", "&")


def test_an_officer_without_a_second_factor_is_led_to_set_one_up(officer, row):
    plain = Client()
    plain.force_login(officer)
    for name in ("reports", "report"):
        where = reverse(f"safety:{name}", args=[] if name == "reports" else [row.pk])
        response = plain.get(where)
        assert response.url == f"{reverse('accounts:second_factor_new')}?next={where.replace('/', '%2F')}"


def test_a_code_opens_the_pages_for_an_hour_and_the_video_for_ten_minutes(client, row):
    grown_old(client, 601)
    assert client.get(address("report", row)).status_code == 200
    assert client.post(address("view", row)).url.startswith(reverse("accounts:second_factor"))
    grown_old(client, 3601)
    assert client.get(address("report", row)).url.startswith(reverse("accounts:second_factor"))
    assert client.post(address("release", row), {"reason": "x"}).status_code == 302
    row.refresh_from_db()
    assert row.released_at is None


@pytest.mark.parametrize("role", ["annotator", "reviewer", "researcher", "admin", "wellbeing_contact"])
def test_no_other_role_gets_in_whatever_second_factor_they_have(study, row, role):
    other = factories.with_second_factor(factories.member(study, role))
    assert other.get(reverse("safety:reports")).status_code == 403
    assert other.get(address("report", row)).status_code == 404
    assert other.get(address("video", row)).status_code == 404
    for name in ("view", "referral", "legal_hold", "release"):
        assert other.post(address(name, row)).status_code == 404


def test_an_officer_of_another_study_sees_it_only_if_that_uses_the_bytes(row, pair):
    elsewhere = factories.study(title="Shapes")
    colleague = factories.with_second_factor(factories.officer(elsewhere))
    assert colleague.get(address("report", row)).status_code == 404

    prompt = factories.prompt(elsewhere)
    factories.pair(elsewhere, prompt=prompt, video_1=factories.video(prompt, asset=pair.video_0.asset))

    page = colleague.get(address("report", row)).content.decode()
    assert "Shapes" in page
    assert "Colours" not in page
    assert "who-reported" not in page
    assert "1 study of others" in page


def test_the_report_says_what_who_when_and_where_without_the_video(client, row, pair):
    page = client.get(address("report", row)).content.decode()
    for fact in (pair.video_0.asset.sha256, "who-reported", "Colours", pair.prompt.text, pair.public_id[:12]):
        assert fact in page
    assert "<video" not in page
    assert "/media/" not in page


def test_each_look_takes_a_press_and_is_recorded(client, officer, row):
    for _ in range(2):
        response = client.get(viewed(client, row))
        assert response.getvalue() == BYTES
        assert response["Cache-Control"].startswith("no-store")
    assert AuditEvent.objects.filter(action="quarantine.viewed", actor=officer).count() == 2
    assert client.get(address("view", row)).status_code == 405


def test_the_video_opens_only_for_whom_it_was_opened_and_in_parts(client, study, row):
    where = viewed(client, row)
    part = client.get(where, headers={"Range": "bytes=3-5"})
    assert (part.status_code, part.getvalue()) == (206, BYTES[3:6])
    colleague = factories.with_second_factor(factories.officer(study))
    assert colleague.get(where).status_code == 403
    assert client.get(address("video", row)).status_code == 403
    assert client.get(f"{address('video', row)}?t=made-up").status_code == 403


def test_the_video_is_there_also_while_its_files_have_not_moved(client, row, pair):
    public_id = pair.video_0.asset.public_id
    default_storage.move(names.playback_apart(public_id), names.playback(public_id))
    assert client.get(viewed(client, row)).status_code == 200


def test_a_report_to_an_authority_is_noted_and_nothing_is_sent(client, officer, row):
    values = {"to_whom": "A hotline", "reference": "2026-17", "made_at": "2026-01-02T10:30"}
    assert client.post(address("referral", row), values).status_code == 302
    told = Referral.objects.get()
    assert (told.to_whom, told.reference, told.noted_by) == ("A hotline", "2026-17", officer)
    assert "2026-17" in client.get(address("report", row)).content.decode()


@pytest.mark.parametrize("values", [{}, {"to_whom": "A hotline"}, {"to_whom": "x", "made_at": "2999-01-01T00:00"}])
def test_a_note_that_says_too_little_is_given_back_with_what_is_wrong(client, row, values):
    response = client.post(address("referral", row), values)
    assert response.status_code == 400
    assert "errorlist" in response.content.decode()
    assert not Referral.objects.exists()


def test_a_legal_hold_stands_in_the_way_of_a_release(client, row):
    client.post(address("legal_hold", row), {"hold": "set", "reason": "The police asked."})
    refused = client.post(address("release", row), {"reason": "Too early."}, follow=True)
    assert "legal hold stands" in refused.content.decode()
    row.refresh_from_db()
    assert row.released_at is None

    client.post(address("legal_hold", row), {"hold": "lift", "reason": "The case is closed."})
    client.post(address("release", row), {"reason": "The case is closed."})
    row.refresh_from_db()
    assert row.reason == "The case is closed."
    acts = AuditEvent.objects.filter(subject="catalog_quarantine").order_by("pk").values_list("action", flat=True)
    assert list(acts) == [
        "asset.quarantined",
        "quarantine.legal_hold_set",
        "quarantine.legal_hold_lifted",
        "quarantine.released",
    ]


@pytest.mark.parametrize("name", ["legal_hold", "release"])
def test_a_decision_needs_a_reason(client, row, name):
    assert client.post(address(name, row), {"hold": "set", "reason": " "}).status_code == 400
    row.refresh_from_db()
    assert (row.released_at, row.legal_hold_since) == (None, None)


def test_files_that_imports_were_refused_are_listed_for_officers_of_that_study(client, study):
    found = known_hashes.Refusal("a" * 64, "catalog.known_hashes.listed", "It is in the list.")
    known_hashes.note(found, study_slug=study.slug, name="clips/one.mp4", actor=None)
    known_hashes.note(found, study_slug="elsewhere", name="clips/two.mp4", actor=None)
    page = client.get(reverse("safety:reports")).content.decode()
    assert "clips/one.mp4" in page
    assert "clips/two.mp4" not in page


def test_the_officers_home_leads_to_the_reports(client):
    assert reverse("safety:reports") in client.get("/?all=1").content.decode()


def test_the_page_does_not_ask_more_of_the_database_for_more_pairs(client, row, pair, django_assert_max_num_queries):
    for _ in range(20):
        factories.pair(pair.study, prompt=pair.prompt, video_0=pair.video_0)
    with django_assert_max_num_queries(30):
        client.get(address("report", row))
