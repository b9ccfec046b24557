"""Safety officers: superusers appoint and dismiss them, on a page and by command."""

import subprocess
import sys
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEvent
from safety import officer_notices, officers, quarantine
from safety.models import Officer, Quarantine
from studies.models import Membership
from studies.models.memberships import Role
from studies.permissions import may_reset_password
from tests import factories
from tests.annotation.test_concurrency import at_once
from tests.production import LEAST, ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def superuser() -> Any:
    return factories.person(username="root", is_superuser=True)


@pytest.fixture
def client(superuser: Any) -> Client:
    client = Client()
    client.force_login(superuser)
    return client


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


# --- Appointing ---------------------------------------------------------------------------------------------


def test_no_study_gives_the_role(study):
    assert "safety_officer" not in Role.values
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(study=study, person=factories.person(), role="safety_officer")


def test_a_superuser_appoints_on_the_page_and_ends_it(client, superuser, study):
    kim = factories.person(username="kim")
    page = client.get(reverse("safety:officers")).content.decode()
    assert "no safety officer yet" in page

    client.post(reverse("safety:officers"), {"username": "kim"})
    client.post(reverse("safety:officers"), {"username": "kim", "study": study.pk, "until": "2999-01-31"})

    installation, of_study = Officer.objects.order_by("pk")
    assert (installation.person, installation.study, installation.appointed_by) == (kim, None, superuser)
    assert (of_study.study, of_study.until.date().isoformat()) == (study, "2999-01-31")
    assert "no safety officer yet" not in client.get(reverse("safety:officers")).content.decode()

    for _ in range(2):
        client.post(reverse("safety:dismiss", args=[installation.pk]))
    assert list(Officer.objects.in_force()) == [of_study]
    acts = AuditEvent.objects.filter(subject="safety_officer").order_by("pk").values_list("action", "actor__username")
    assert list(acts) == [("officer.appointed", "root"), ("officer.appointed", "root"), ("officer.dismissed", "root")]


@pytest.mark.parametrize("values", [{}, {"username": "nobody"}, {"username": "root", "until": "2001-01-01"}])
def test_an_appointment_that_cannot_be_is_given_back_with_what_is_wrong(client, values):
    response = client.post(reverse("safety:officers"), values)
    assert response.status_code == 400
    assert "error" in response.content.decode()
    assert not Officer.objects.exists()


def test_nobody_but_a_superuser_appoints(study):
    for person in (factories.member(study, "admin"), factories.officer()):
        client = Client()
        client.force_login(person)
        assert client.get(reverse("safety:officers")).status_code == 403
        assert client.post(reverse("safety:officers"), {"username": person.username}).status_code == 403
        assert client.post(reverse("safety:dismiss", args=[1])).status_code == 403
    assert Officer.objects.count() == 1


def test_the_commands_appoint_and_dismiss(study):
    factories.person(username="kim")
    assert "of the whole installation" in run("appoint_officer", "kim")
    assert f"of {study.slug} until 2999-01-31" in run(
        "appoint_officer", "kim", "--study", study.slug, "--until", "2999-01-31"
    )
    run("appoint_officer", "kim")  # twice is harmless
    assert Officer.objects.count() == 2
    with pytest.raises(CommandError, match="with another end day"):
        run("appoint_officer", "kim", "--until", "2999-01-31")
    run("dismiss_officer", "kim")
    assert Officer.objects.in_force().get().study == study
    with pytest.raises(CommandError, match="is not a safety officer of the whole installation"):
        run("dismiss_officer", "kim")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody"], "no user called nobody"),
        (["kim", "--study", "none"], "no study 'none'"),
        (["kim", "--until", "2001-01-01"], "is in the past"),
    ],
)
def test_a_command_says_what_is_wrong(arguments, why):
    factories.person(username="kim")
    with pytest.raises(CommandError, match=why):
        run("appoint_officer", *arguments)


@pytest.mark.long
def test_two_who_appoint_one_person_at_once_make_one_appointment(superuser):
    kim = factories.person()
    results = at_once(*[lambda: officers.appoint(kim, None, by=superuser) for _ in range(4)])
    assert {row.pk for row in results} == {Officer.objects.get().pk}


def test_the_history_cannot_be_rewritten(superuser):
    row = officers.appoint(factories.person(), None, by=superuser)
    other = factories.person()
    writes = [{"person": other}, {"appointed_by": None}, {"from_at": timezone.now() - timedelta(days=1)}]
    for values in writes:
        with pytest.raises(IntegrityError, match="can only be ended"), transaction.atomic():
            Officer.objects.filter(pk=row.pk).update(**values)
    officers.dismiss(row, by=superuser)
    with pytest.raises(IntegrityError, match="can only be ended"), transaction.atomic():
        Officer.objects.filter(pk=row.pk).update(until=None)
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        Officer.objects.filter(pk=row.pk)._raw_delete("default")
    assert officers.appoint(row.person, None, by=superuser).pk != row.pk


def test_no_admin_resets_the_password_of_an_officer(study):
    """A person with the password has the officer's rights everywhere, and no study made the appointment."""
    admin, person = factories.member(study, "admin"), factories.member(study, "annotator")
    Membership.objects.filter(person=person).update(made_account=True)
    assert may_reset_password(admin, person)
    Officer.objects.create(person=person, study=study)
    assert not may_reset_password(admin, person)


# --- Without an officer -------------------------------------------------------------------------------------


def started() -> str:
    """Return what a production web server prints while it starts, on the test database."""
    here = connection.settings_dict
    address = f"postgresql://{here['USER']}:{quote(here['PASSWORD'])}@{here['HOST']}:{here['PORT']}/{here['NAME']}"
    ready = "import diptych.wsgi, threading; [t.join() for t in threading.enumerate() if 'officer' in t.name]"
    server = subprocess.run(
        [sys.executable, "-c", ready],
        env=environment(**LEAST | {"DATABASE_URL": address}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return server.stderr


@pytest.mark.long
def test_a_production_server_warns_at_its_start_while_the_installation_has_no_officer(study):
    factories.officer(study)
    assert "has no safety officer" in started()
    factories.officer()
    assert "has no safety officer" not in started()


def test_the_settings_pages_of_a_study_say_that_there_is_none(study):
    client = Client()
    client.force_login(factories.member(study, "researcher"))
    pages = [reverse("studies:settings", args=[study.slug, "protocol"]), reverse("studies:state", args=[study.slug])]
    for where in pages:
        assert "This installation has no safety officer." in client.get(where).content.decode()
    factories.officer()
    for where in pages:
        assert "This installation has no safety officer." not in client.get(where).content.decode()


# --- What officers are told ---------------------------------------------------------------------------------


def reported(study: Any) -> Quarantine:
    return quarantine.report(factories.pair(study), ["video_0"], by=factories.person())[0]


def banner(person: Any, where: str = "/?all=1") -> bool:
    client = Client()
    client.force_login(person)
    return "safety-banner" in client.get(where).content.decode()


def test_officers_see_how_many_reports_wait_on_their_pages(study):
    row = reported(study)
    of_study, of_all, of_another = factories.officer(study), factories.officer(), factories.officer(factories.study())
    admin = factories.member(study, "admin")
    assert [banner(one) for one in (of_study, of_all, of_another, admin)] == [True, True, False, False]
    assert banner(of_all, reverse("accounts:viewing"))
    quarantine.confirm(row, of_all)
    assert not banner(of_all)


def test_the_number_takes_one_query(rf, study, django_assert_num_queries):
    reported(study)
    for person, duty in [(factories.officer(study), (True, 1)), (factories.person(), (False, 0))]:
        request = rf.get("/")
        request.user = person
        with django_assert_num_queries(1):
            assert officer_notices.duty_of(request) == duty
            officer_notices.duty_of(request)


def test_each_officer_gets_one_e_mail_that_says_nothing_of_what_and_who(settings, mailoutbox, study):
    settings.EMAIL_HOST = "mail.example"
    of_study = factories.officer(study, email="study@example.org")
    factories.officer(email="all@example.org", locale="zh-hans")
    factories.officer(factories.study(), email="another@example.org")
    factories.officer(study)  # has no address
    reporter = factories.member(study, "annotator", username="who-reported")
    pairs = factories.pairs(study, 2)
    for pair in pairs:
        quarantine.report(pair, ["video_0"], by=reporter)

    assert officer_notices.mail() == 2
    assert officer_notices.mail() == 0

    assert sorted(message.to[0] for message in mailoutbox) == ["all@example.org", "study@example.org"]
    words = next(message for message in mailoutbox if message.to == [of_study.email])
    assert "2 new reports" in words.body
    for kept_back in ("who-reported", reporter.reporter.code, study.title, pairs[0].public_id[:8]):
        assert kept_back not in words.subject + words.body


def test_a_mail_server_that_is_away_keeps_nobody_from_reporting_and_is_tried_again(settings, study):
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1  # where nothing listens
    factories.officer(study, email="study@example.org")
    row = reported(study)
    assert officer_notices.mail() == 0
    row.refresh_from_db()
    assert row.officers_mailed_at is None


def test_without_a_mail_server_nothing_is_sent(mailoutbox, study):
    factories.officer(study, email="study@example.org")
    reported(study)
    assert officer_notices.mail() == 0
    assert mailoutbox == []
