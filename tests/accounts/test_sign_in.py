"""Signing in, and the one-time password."""

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY
from django.test import Client
from django.urls import reverse

from accounts.models import AccessToken, AuditEvent
from accounts.tokens import issue_token
from tests import factories

pytestmark = pytest.mark.django_db

OLD, NEW = "a password of its own", "quite another one 47"


@pytest.fixture
def newcomer(study):
    return factories.member(study, "annotator", must_change_password=True)


def sign_in(person, password=OLD):
    client = Client()
    address = reverse("accounts:sign_in")
    return client, client.post(address, {"username": person.username, "password": password})


def test_whoever_signs_in_is_read_by_the_written_out_statement_from_then_on(annotator):
    client, _ = sign_in(annotator)
    assert client.session[BACKEND_SESSION_KEY] == "accounts.backends.PersonBackend"


def test_an_annotator_of_one_study_lands_in_its_workspace(annotator, study):
    client, response = sign_in(annotator)
    assert response.status_code == 302
    assert client.get("/").url == reverse("annotation:workspace", args=[study.slug])


def test_a_researcher_of_one_study_lands_on_its_dashboard(researcher, study):
    client, _ = sign_in(researcher)
    assert client.get("/").url == reverse("figures:dashboard", args=[study.slug])


def test_somebody_with_two_roles_chooses(annotator, study):
    annotator.memberships.create(study=study, role="reviewer")
    client, _ = sign_in(annotator)
    assert client.get("/").status_code == 200


def test_a_wrong_password_says_so_and_keeps_the_name(annotator):
    _, response = sign_in(annotator, "wrong")
    assert response.status_code == 200
    assert annotator.username in response.content.decode()


def test_signing_in_leads_back_to_where_one_was_going(annotator, study):
    wanted = reverse("annotation:workspace", args=[study.slug])
    asked = Client().get(wanted)
    assert asked.url == f"{reverse('accounts:sign_in')}?next={wanted}"
    response = Client().post(asked.url, {"username": annotator.username, "password": OLD})
    assert response.url == wanted


def test_a_one_time_password_leads_to_its_change_and_nowhere_else(newcomer, study):
    client, _ = sign_in(newcomer)
    for page in (reverse("home"), reverse("annotation:workspace", args=[study.slug])):
        assert client.get(page).url == reverse("accounts:password")


def test_changing_it_opens_the_rest_and_leaves_an_audit_row(newcomer):
    client, _ = sign_in(newcomer)
    change = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    assert client.post(reverse("accounts:password"), change).status_code == 302
    newcomer.refresh_from_db()
    assert not newcomer.must_change_password
    assert AuditEvent.objects.get(action="user.password_changed").actor == newcomer
    assert client.get("/").status_code == 302


def test_signing_out_needs_a_post(annotator):
    client, _ = sign_in(annotator)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    client.post(reverse("accounts:sign_out"))
    assert client.get("/").url.startswith(reverse("accounts:sign_in"))


def test_a_tokens_text_is_stored_nowhere(annotator):
    text = issue_token(annotator, scopes=["read"])
    row = AccessToken.objects.get()
    assert text not in {row.digest, row.token_key}
    assert row.digest != text
    assert row.expiry is not None


def test_an_unknown_scope_is_refused(annotator):
    with pytest.raises(ValueError, match="everything"):
        issue_token(annotator, scopes=["read", "everything"])


def test_an_expired_token_opens_nothing(api, annotator):
    from django.utils import timezone

    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(annotator, scopes=['read'])}")
    assert client.get("/api/v1/studies/").status_code == 200
    AccessToken.objects.update(expiry=timezone.now())
    assert client.get("/api/v1/studies/").status_code == 401


def test_a_token_of_somebody_who_left_opens_nothing(api, annotator):
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(annotator, scopes=['read'])}")
    annotator.is_active = False
    annotator.save()
    assert client.get("/api/v1/studies/").status_code == 401


@pytest.mark.parametrize(
    ("proxies", "forwarded", "recorded"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (1, "", "127.0.0.1"),
        (1, "not an address", None),
    ],
)
def test_audit_rows_say_where_a_request_came_from(annotator, settings, proxies, forwarded, recorded):
    settings.TRUSTED_PROXIES = proxies
    client, _ = sign_in(annotator)
    change = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    client.post(reverse("accounts:password"), change, headers={"X-Forwarded-For": forwarded})
    assert AuditEvent.objects.get(action="user.password_changed").address == recorded


def test_the_one_time_password_is_not_accepted_as_the_new_one(newcomer):
    client, _ = sign_in(newcomer)
    change = {"old_password": OLD, "new_password1": OLD, "new_password2": OLD}
    assert client.post(reverse("accounts:password"), change).status_code == 200
    newcomer.refresh_from_db()
    assert newcomer.must_change_password


def test_signing_in_twice_leads_on_and_not_in_a_circle(annotator):
    client, _ = sign_in(annotator)
    address = reverse("accounts:sign_in")
    assert client.get(f"{address}?next={address}").url == reverse("home")


@pytest.mark.parametrize("key", ["abc\0defgh", "clé-de-session", "'; drop table", "x" * 5000])
def test_a_cookie_of_any_form_is_at_worst_nobodys(key):
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = key
    assert client.get("/api/v1/studies/").status_code == 401
    assert client.get(reverse("accounts:sign_in")).status_code == 200


def test_a_password_like_the_username_is_refused_in_good_chinese(newcomer):
    client, _ = sign_in(newcomer)
    alike = newcomer.username + "1"
    change = {"old_password": OLD, "new_password1": alike, "new_password2": alike}
    page = client.post(reverse("accounts:password"), change, headers={"accept-language": "zh-cn"}).content.decode()
    assert "密码与用户名太相似。" in page
