"""The safety officer's pages: who can open them, with what, and what is recorded."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import second_factor
from accounts.models import AuditEvent, User
from catalog.models import Pair
from media import names
from safety import known_hashes, quarantine
from safety.models import Officer, Quarantine, Referral
from tests import factories
from tests.importing.import_jobs import settle_new_pairs
from tests.safety.test_quarantine import in_own_connection, wait_until_somebody_waits

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
    """Return a client for the officer, who has just entered a code."""
    return factories.with_second_factor(officer)


def address(name: str, row: Quarantine) -> str:
    return reverse(f"safety:{name}", args=[row.pk])


def grown_old(client: Client, seconds: int) -> None:
    session = client.session
    session[second_factor.SESSION_KEY] |= {"at": time.time() - seconds}
    session.save()


def viewed(client: Client, row: Quarantine) -> str:
    """Return the video's address, from the page that opens it."""
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


def shared(pair: Pair, elsewhere: Any) -> Pair:
    """Put the bytes of the pair's first video into a pair of another study."""
    prompt = factories.prompt(elsewhere, text="A prompt of another study")
    return factories.pair(elsewhere, prompt=prompt, video_1=factories.video(prompt, asset=pair.video_0.asset))


@pytest.mark.long
def test_an_officer_of_only_some_studies_sees_the_state_and_their_own_pairs(row, pair):
    """The attack: study A is made around the bytes of study B, and B's report is opened, played and released from A."""
    elsewhere = factories.study(title="Shapes")
    intruder = factories.with_second_factor(factories.officer(elsewhere))
    assert intruder.get(address("report", row)).status_code == 404

    theirs = shared(pair, elsewhere)

    page = intruder.get(address("report", row)).content.decode()
    assert theirs.public_id[:12] in page
    assert "quarantined everywhere" in page
    code = User.objects.get(username="who-reported").reporter.code
    for kept_back in (pair.public_id[:12], "Colours", "who-reported", code, pair.video_0.asset.sha256, "<video"):
        assert kept_back not in page
    for name in ("view", "referral", "confirm", "legal_hold", "release"):
        assert intruder.post(address(name, row), {"reason": "x", "hold": "set"}).status_code == 403
    assert intruder.get(f"{address('video', row)}?t=x").status_code == 403
    assert intruder.get(reverse("safety:reporter", args=[code])).status_code == 404
    row.refresh_from_db()
    assert (row.released_at, row.legal_hold_since, row.confirmed_at) == (None, None, None)
    assert not AuditEvent.objects.filter(action="quarantine.viewed").exists()


@pytest.mark.long
def test_the_own_officer_decides_no_longer_alone_once_another_study_uses_the_bytes(client, row, pair):
    where = viewed(client, row)
    elsewhere = factories.study()
    shared(pair, elsewhere)
    assert client.get(where).status_code == 403
    assert client.post(address("release", row), {"reason": "Looked at."}).status_code == 403
    assert factories.with_second_factor(factories.officer()).get(address("report", row)).status_code == 200


@pytest.mark.long
def test_who_is_appointed_for_each_of_the_studies_decides(client, officer, row, pair):
    elsewhere = factories.study()
    shared(pair, elsewhere)
    Officer.objects.create(person=officer, study=elsewhere)
    client.post(address("release", row), {"reason": "A scene of a film."})
    row.refresh_from_db()
    assert row.released_at is not None


def test_an_appointment_that_has_ended_opens_nothing(client, officer, row):
    Officer.objects.filter(person=officer).update(until=timezone.now())
    assert client.get(reverse("safety:reports")).status_code == 403
    assert client.get(address("report", row)).status_code == 404


def test_an_import_of_the_same_bytes_that_is_not_committed_yet_is_waited_for(row, pair, officer):
    """Between page and press, the import holds its share lock on the asset while the officer decides."""
    elsewhere = factories.study()
    deciding = threading.Thread(target=in_own_connection(lambda: decide(row, officer)))
    with transaction.atomic():
        late = shared(pair, elsewhere)
        settle_new_pairs(elsewhere, late.pk)
        deciding.start()
        wait_until_somebody_waits()
    deciding.join()
    row.refresh_from_db()
    assert row.released_at is None


def decide(row: Quarantine, officer: Any) -> None:
    with pytest.raises(PermissionDenied):
        quarantine.release(row, officer, reason="Looked at.")


def test_the_report_says_what_when_and_where_without_the_video_or_a_name(client, row, pair):
    page = client.get(address("report", row)).content.decode()
    code = User.objects.get(username="who-reported").reporter.code
    for fact in (pair.video_0.asset.sha256, code, "Colours", pair.prompt.text, pair.public_id[:12]):
        assert fact in page
    for kept_back in ("who-reported", "<video", "/media/"):
        assert kept_back not in page


@pytest.mark.long
def test_no_audit_row_that_officers_read_names_who_reported(client, row):
    record = AuditEvent.objects.filter(subject="safety_quarantine", subject_id=str(row.pk))
    assert {event.actor for event in record} == {None}
    assert AuditEvent.objects.get(action="asset.reported").actor.username == "who-reported"
    pages = [address("report", row), reverse("safety:reports"), reverse("safety:reporter", args=[code_of(row)])]
    for where in pages:
        assert "who-reported" not in client.get(where).content.decode()


def code_of(row: Quarantine) -> str:
    return str(row.reports.get().person.reporter.code)


def test_a_confirmed_report_frees_who_made_it_and_is_recorded(client, row):
    client.post(address("confirm", row))
    row.refresh_from_db()
    assert row.confirmed_at is not None
    assert AuditEvent.objects.filter(action="quarantine.confirmed").count() == 1
    client.post(address("confirm", row))
    assert AuditEvent.objects.filter(action="quarantine.confirmed").count() == 1


def test_all_reports_of_one_code_are_released_in_one_press(client, study, row, pair):
    reporter = row.reports.get().person
    for other in factories.pairs(study, 7):
        quarantine.report(other, ["video_0"], by=reporter)
    confirmed, agreed = Quarantine.objects.exclude(pk=row.pk).order_by("pk")[:2]
    quarantine.confirm(confirmed, factories.officer())
    quarantine.report(agreed.reports.get().pair, ["video_0"], by=factories.person())
    where = reverse("safety:reporter", args=[reporter.reporter.code])
    page = client.get(where).content.decode()
    assert "6 reports wait" in page
    assert "2 more reports" in page

    assert client.post(where, {"reason": " "}).status_code == 400
    client.post(where, {"reason": "A slip of the mouse."})

    still = set(Quarantine.objects.filter(released_at=None).values_list("pk", flat=True))
    assert still == {confirmed.pk, agreed.pk}
    assert AuditEvent.objects.filter(action="quarantine.released").count() == 6


def test_each_look_takes_a_press_and_is_recorded(client, officer, row):
    for _ in range(2):
        response = client.get(viewed(client, row))
        assert response.getvalue() == BYTES
        assert response["Cache-Control"].startswith("no-store")
    assert AuditEvent.objects.filter(action="quarantine.viewed", actor=officer).count() == 2
    assert client.get(address("view", row)).status_code == 405


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("values", [{}, {"to_whom": "A hotline"}, {"to_whom": "x", "made_at": "2999-01-01T00:00"}])
def test_a_note_that_says_too_little_is_given_back_with_what_is_wrong(client, row, values):
    response = client.post(address("referral", row), values)
    assert response.status_code == 400
    assert "errorlist" in response.content.decode()
    assert not Referral.objects.exists()


@pytest.mark.long
def test_a_legal_hold_stands_in_the_way_of_a_release(client, row):
    client.post(address("legal_hold", row), {"hold": "set", "reason": "The police asked."})
    refused = client.post(address("release", row), {"reason": "Too early."}, follow=True)
    assert "under a legal hold" in refused.content.decode()
    row.refresh_from_db()
    assert row.released_at is None

    client.post(address("legal_hold", row), {"hold": "lift", "reason": "The case is closed."})
    client.post(address("release", row), {"reason": "The case is closed."})
    row.refresh_from_db()
    assert row.reason == "The case is closed."
    acts = AuditEvent.objects.filter(subject="safety_quarantine").order_by("pk").values_list("action", flat=True)
    assert list(acts) == [
        "asset.quarantined",
        "quarantine.legal_hold_set",
        "quarantine.confirmed",
        "quarantine.legal_hold_lifted",
        "quarantine.released",
    ]
    page = client.get(address("report", row)).content.decode()
    assert "<td>legal hold lifted</td><td>The case is closed.</td>" in page
    assert f"<code>{code_of(row)}</code></td><td>quarantined everywhere</td>" in page


@pytest.mark.parametrize("name", ["legal_hold", "release"])
def test_a_decision_needs_a_reason(client, row, name):
    assert client.post(address(name, row), {"hold": "set", "reason": " "}).status_code == 400
    row.refresh_from_db()
    assert (row.released_at, row.legal_hold_since) == (None, None)


def test_files_that_imports_were_refused_are_listed_for_officers_of_that_study(client, study):
    found = known_hashes.Refusal("a" * 64, "safety.known_hashes.listed", "It is in the list.")
    known_hashes.note(found, study_slug=study.slug, name="clips/one.mp4", actor=None)
    known_hashes.note(found, study_slug="elsewhere", name="clips/two.mp4", actor=None)
    page = client.get(reverse("safety:reports")).content.decode()
    assert "clips/one.mp4" in page
    assert "clips/two.mp4" not in page


def test_the_officers_home_leads_to_the_reports(client):
    assert reverse("safety:reports") in client.get("/?all=1").content.decode()


@pytest.mark.long
def test_the_list_does_not_ask_more_of_the_database_for_more_reports(client, study, django_assert_max_num_queries):
    for pair in factories.pairs(study, 12):
        quarantine.report(pair, ["video_0"], by=factories.person())
    with django_assert_max_num_queries(20):
        page = client.get(reverse("safety:reports")).content.decode()
    assert page.count("<td>Colours</td>") == 12


@pytest.mark.long
def test_the_page_does_not_ask_more_of_the_database_for_more_pairs(client, row, pair, django_assert_max_num_queries):
    for _ in range(20):
        factories.pair(pair.study, prompt=pair.prompt, video_0=pair.video_0)
    with django_assert_max_num_queries(30):
        client.get(address("report", row))
