"""API tokens are made, listed, warned about and revoked. They allow what their scopes and the present roles allow."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import get_resolver, reverse
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts import tokens
from accounts.models import AccessToken, AuditEvent, User
from accounts.people import new_password, reset_password
from accounts.tokens import SCOPES, create_token, issue_token, make_named_token
from diptych.refusals import BadInput
from studies.models import Membership
from tests import factories
from tests.annotation.test_concurrency import at_once

pytestmark = pytest.mark.django_db

PAGE = reverse("accounts:tokens")
FORM = {"name": "my script", "scopes": ["read", "annotate"], "days": 30}


def program(text):
    """Return a client that signs in with a token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}")
    return client


def works(text):
    return program(text).get("/api/v1/studies/").status_code == 200


class TestPage:
    def test_a_token_is_made_shown_once_and_works(self, browser_client, annotator):
        client = browser_client(annotator)
        response = client.post(PAGE, FORM)
        text = response.context["made"].text
        assert text in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert works(text)
        again = client.get(PAGE).content.decode()
        assert ("my script" in again, text in again) == (True, False)
        row = AccessToken.objects.get()
        assert (row.name, row.scopes) == ("my script", ["read", "annotate"])
        assert timedelta(days=29) < row.expiry - timezone.now() <= timedelta(days=30)
        assert AuditEvent.objects.get(action="token.issued").actor == annotator

    @pytest.mark.parametrize(
        "wrong",
        [{"name": ""}, {"name": "x" * 81}, {"scopes": []}, {"scopes": ["everything"]}, {"days": 9999}, {"days": "x"}],
    )
    def test_what_cannot_be_makes_none_and_says_why(self, browser_client, annotator, wrong):
        response = browser_client(annotator).post(PAGE, FORM | wrong)
        assert response.status_code == 400
        assert "errorlist" in response.content.decode()
        assert not AccessToken.objects.exists()

    def test_sent_twice_it_makes_one(self, browser_client, annotator):
        client = browser_client(annotator)
        client.post(PAGE, FORM)
        assert "There is already a token called" in client.post(PAGE, FORM).content.decode()
        assert AccessToken.objects.count() == 1

    def test_it_offers_the_scopes_that_ones_roles_can_use(self, browser_client, annotator, researcher):
        def offered(person):
            form = browser_client(person).get(PAGE).context["form"]
            return [scope for scope, _label in form.fields["scopes"].choices]

        assert offered(annotator) == ["read", "annotate"]
        assert offered(researcher) == ["read", "review", "export", "manage", "train"]
        assert browser_client(annotator).post(PAGE, FORM | {"scopes": ["export"]}).status_code == 400

    def test_who_has_no_role_is_told_why_there_is_no_form(self, browser_client):
        assert "You have no role in a study" in browser_client(factories.person()).get(PAGE).content.decode()

    def test_there_is_a_limit(self, browser_client, annotator, monkeypatch):
        monkeypatch.setattr(tokens, "MOST_TOKENS", 1)
        issue_token(annotator, scopes=["read"])
        assert "A person can have at most 1 tokens" in browser_client(annotator).post(PAGE, FORM).content.decode()

    @pytest.mark.long
    def test_revoking_is_asked_and_then_at_once(self, browser_client, annotator):
        text = issue_token(annotator, scopes=["read"], name="old laptop")
        address = reverse("accounts:revoke_token", args=[AccessToken.objects.get().public_id])
        client = browser_client(annotator)
        assert "old laptop" in client.get(address).content.decode()
        assert works(text)
        assert "was revoked" in client.post(address, follow=True).content.decode()
        assert not works(text)
        assert client.post(address).status_code == 404
        assert AuditEvent.objects.get(action="token.revoked").before["name"] == "old laptop"

    def test_nobody_revokes_the_token_of_another_but_a_superuser(self, browser_client, annotator, researcher):
        text = issue_token(annotator, scopes=["read"])
        address = reverse("accounts:revoke_token", args=[AccessToken.objects.get().public_id])
        for method in ("get", "post"):
            assert getattr(browser_client(researcher), method)(address).status_code == 404
        assert works(text)
        browser_client(factories.person(is_superuser=True)).post(address)
        assert not works(text)

    @pytest.mark.parametrize("address", [PAGE, reverse("accounts:password"), reverse("accounts:all_tokens")])
    def test_a_token_opens_none_of_these_pages(self, annotator, address):
        before = User.objects.get(pk=annotator.pk).password
        client = program(issue_token(annotator, scopes=SCOPES))
        body = FORM | {
            "old_password": "a password of its own",
            "new_password1": "x7 y8 z9 w0",
            "new_password2": "x7 y8 z9 w0",
        }
        posted = client.head(address) if address == reverse("accounts:all_tokens") else client.post(address, body)
        for response in (client.get(address), posted):
            assert (response.status_code, "sign-in" in response.url) == (302, True)
        assert (AccessToken.objects.count(), User.objects.get(pk=annotator.pk).password) == (1, before)


class TestWhoHasWhich:
    def test_an_admin_sees_those_of_the_studys_people_and_no_text(self, browser_client, study, annotator):
        text = issue_token(annotator, scopes=["annotate"], name="night job")
        issue_token(factories.member(factories.study(), "annotator"), scopes=["read"], name="of a stranger")
        page = browser_client(factories.member(study, "admin")).get(reverse("studies:tokens", args=[study.slug]))
        words = page.content.decode()
        assert ("night job" in words, "annotate" in words, "of a stranger" in words) == (True, True, False)
        assert text[:15] not in words

    def test_a_token_made_with_an_account_names_no_study(self, study, browser_client):
        """Admins of other studies may see it."""
        from studies.people import add_numbered

        add_numbered(study, role="annotator", count=1)
        assert study.slug not in AccessToken.objects.get().name

    def test_superusers_see_all(self, browser_client, annotator, researcher):
        issue_token(annotator, scopes=["read"], name="first")
        issue_token(researcher, scopes=["read"], name="second")
        client = browser_client(factories.person(is_superuser=True))
        address = reverse("accounts:all_tokens")
        assert [row.name for row in client.get(address).context["tokens"]] == ["first", "second"]
        found = client.get(address, {"q": researcher.username}).context["tokens"]
        assert [row.name for row in found] == ["second"]
        assert browser_client(researcher).get(address).status_code == 403


class TestScopes:
    def test_a_role_given_later_widens_no_old_token(self, study, annotator):
        text = issue_token(annotator, scopes=["read", "annotate"])
        Membership.objects.create(study=study, person=annotator, role="admin")
        assert AccessToken.objects.get().scopes == ["read", "annotate"]
        client = program(text)
        assert client.get(f"/api/v1/studies/{study.slug}/annotations.jsonl").status_code == 403
        assert client.post(f"/api/v1/studies/{study.slug}/imports/", {}, format="json").status_code == 403

    @pytest.mark.long
    def test_a_role_taken_away_narrows_every_token_at_once(self, study, researcher):
        text = issue_token(researcher, scopes=["read", "export"])
        address = f"/api/v1/studies/{study.slug}/annotations.jsonl"
        assert program(text).get(address).status_code == 200
        Membership.objects.filter(person=researcher).update(role="annotator")
        assert program(text).get(address).status_code == 403

    def test_a_new_scope_of_the_product_is_not_in_an_old_token(self, annotator, monkeypatch):
        issue_token(annotator, scopes=SCOPES)
        monkeypatch.setattr(tokens, "SCOPES", (*SCOPES, "later"))
        assert "later" not in AccessToken.objects.get().scopes

    def test_using_a_token_never_moves_its_expiry(self, annotator):
        text = issue_token(annotator, scopes=["read"], lifetime=timedelta(days=1))
        before = AccessToken.objects.get().expiry
        assert works(text)
        assert AccessToken.objects.get().expiry == before

    def test_a_view_without_declared_scopes_is_closed_to_tokens(self, annotator):
        class Forgetful(APIView):
            def get(self, request):
                return Response({})

            post = get

        class Half(Forgetful):
            scopes = {"GET": "read"}

        def status(view, method, scopes=SCOPES):
            request = getattr(APIRequestFactory(), method)(
                "/", headers={"Authorization": f"Token {issue_token(annotator, scopes=scopes)}"}
            )
            return view.as_view()(request).status_code

        assert status(Forgetful, "get") == 403
        assert (status(Half, "get"), status(Half, "head"), status(Half, "post")) == (200, 200, 403)
        assert status(Half, "get", ["annotate"]) == 403
        assert (status(Half, "put"), status(Half, "options"), status(Half, "options", ["annotate"])) == (405, 200, 403)

    def test_every_view_of_the_api_declares_a_scope_for_each_of_its_methods(self):
        def views(resolver):
            for entry in resolver.url_patterns:
                if hasattr(entry, "url_patterns"):
                    yield from views(entry)
                elif view := getattr(entry.callback, "view_class", None) or getattr(entry.callback, "cls", None):
                    yield view

        found = [
            view for view in views(get_resolver()) if issubclass(view, APIView) and view.__module__ != "diptych.views"
        ]
        assert len(found) >= 20
        for view in found:
            methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS"}
            if "HEAD" not in view.scopes:
                methods -= {"HEAD"}
            assert set(view.scopes) == methods, view
            assert set(view.scopes.values()) <= set(SCOPES), view


class TestExpiry:
    @pytest.mark.parametrize(("days", "warned"), [(20, False), (13, True)])
    def test_answers_and_pages_warn_before_it(self, browser_client, annotator, days, warned):
        text = issue_token(annotator, scopes=["read"], name="n", lifetime=timedelta(days=days, minutes=1))
        response = program(text).get("/api/v1/studies/")
        assert response.headers.get("Diptych-Token-Expires") == (
            AccessToken.objects.get().expiry.isoformat() if warned else None
        )
        client = browser_client(annotator)
        assert (f"{days} days left" in client.get(PAGE).content.decode()) == warned
        assert ("Your API token “n” expires on" in client.get("/?all=1").content.decode()) == warned

    def test_one_that_is_not_used_is_not_warned_of_on_the_home_page(self, browser_client, annotator):
        issue_token(annotator, scopes=["read"], name="n", lifetime=timedelta(days=3))
        assert "expires on" not in browser_client(annotator).get("/?all=1").content.decode()

    def test_an_expired_one_is_marked_and_stays_listed(self, browser_client, annotator):
        text = issue_token(annotator, scopes=["read"], name="n")
        AccessToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
        assert not works(text)
        assert "expired" in browser_client(annotator).get(PAGE).content.decode()

    def test_the_last_day_of_use_is_kept_with_one_write_a_day(self, annotator, django_assert_num_queries):
        text = issue_token(annotator, scopes=["read"])
        works(text)
        assert AccessToken.objects.get().last_used_on == datetime.now(UTC).date()
        with django_assert_num_queries(2):  # the token, the studies
            works(text)


@pytest.mark.parametrize("text", ["\xff", "a b", "é" * 20, "x" * 5000, "-"])
def test_a_header_of_any_form_is_at_worst_nobodys(text):
    assert program(text).get("/api/v1/studies/").status_code == 401


class TestPasswords:
    NEW = {
        "old_password": "a password of its own",
        "new_password1": "quite another 47",
        "new_password2": "quite another 47",
    }

    @pytest.mark.parametrize(("more", "left"), [({}, 1), ({"end_tokens": "on"}, 0)])
    def test_changing_ones_own_offers_to_end_the_tokens(self, browser_client, annotator, more, left):
        issue_token(annotator, scopes=["read"])
        client = browser_client(annotator)
        assert "Also revoke all my API tokens" in client.get(reverse("accounts:password")).content.decode()
        assert client.post(reverse("accounts:password"), self.NEW | more).status_code == 302
        assert AccessToken.objects.count() == left

    def test_it_is_not_offered_with_a_one_time_password(self, browser_client, annotator):
        issue_token(annotator, scopes=["read"])
        annotator.must_change_password = True
        annotator.save()
        assert "API tokens</label>" not in browser_client(annotator).get(reverse("accounts:password")).content.decode()

    def test_the_token_of_a_new_account_has_its_name_in_chinese(self, browser_client, annotator):
        issue_token(annotator, scopes=["read"], name=AccessToken.MADE_WITH_ACCOUNT)
        client = browser_client(annotator)
        pages = [client.get(reverse("accounts:tokens"), headers={"accept-language": code}) for code in ("zh-cn", "en")]
        chinese, english = (page.content.decode() for page in pages)
        assert "创建账号时生成" in chinese
        assert "created with the account" not in chinese
        assert "created with the account" in english

    def test_it_is_not_offered_where_there_are_none(self, browser_client, annotator):
        assert "API tokens</label>" not in browser_client(annotator).get(reverse("accounts:password")).content.decode()

    @pytest.mark.parametrize("way", ["page", "reset_password", "changepassword"])
    def test_a_reset_by_somebody_else_ends_sessions_and_tokens(self, browser_client, annotator, way, monkeypatch):
        text, session = issue_token(annotator, scopes=["read"]), browser_client(annotator)
        if way == "page":
            client = browser_client(factories.person(is_superuser=True))
            response = client.post(reverse("accounts:reset_password"), {"username": annotator.username})
            assert response.context["password"] in response.content.decode()
        elif way == "reset_password":
            out = StringIO()
            call_command("reset_password", annotator.username, stdout=out)
            assert User.objects.get(pk=annotator.pk).check_password(out.getvalue().strip())
        else:
            monkeypatch.setattr("getpass.getpass", lambda *_args, **_options: "typed by the operator 9")
            call_command("changepassword", annotator.username, stdout=StringIO())
        assert not works(text)
        assert session.get(PAGE).status_code == 302
        assert AuditEvent.objects.filter(action="user.password_reset").count() == 1

    @pytest.mark.parametrize("name", ["own", "nobody", ""])
    def test_the_superusers_page_refuses_what_it_cannot_do(self, browser_client, name):
        owner = factories.person(is_superuser=True)
        sent = {"username": owner.username if name == "own" else name}
        response = browser_client(owner).post(reverse("accounts:reset_password"), sent)
        assert response.status_code == 400
        assert response.context["form"].errors["username"]
        assert User.objects.get(pk=owner.pk).password == owner.password


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_no_token_outlives_a_reset_at_the_same_moment():
    """A session that the reset ends makes its token before the reset, which revokes it, or makes none."""
    study = factories.study()
    for _ in range(8):
        person = factories.member(study, "annotator")
        outcomes = at_once(
            lambda person=person: make_named_token(person, scopes=["read"], name="n", days=7),
            lambda person=person: reset_password(User.objects.get(pk=person.pk), new_password()),
        )
        assert outcomes[1] is None
        assert isinstance(outcomes[0], (tokens.NewToken, BadInput))
        assert not AccessToken.objects.filter(user=person).exists()


class TestCommands:
    def run(self, *arguments):
        out = StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue()

    def test_made_listed_and_revoked(self, annotator):
        made = json.loads(
            self.run(
                "make_token", annotator.username, "--name", "n", "--scope", "read", "--scope", "annotate", "--days", "7"
            )
        )
        assert (made["username"], made["scopes"]) == (annotator.username, ["read", "annotate"])
        assert works(made["token"])
        assert made["token"] not in self.run("list_tokens")
        [listed] = [json.loads(line) for line in self.run("list_tokens", annotator.username).splitlines()]
        assert (listed["id"], listed["name"], listed["expired"]) == (made["id"], "n", False)
        assert listed["last_used_on"] == datetime.now(UTC).date().isoformat()
        assert "is revoked" in self.run("revoke_token", made["id"])
        assert not works(made["token"])
        assert self.run("list_tokens") == ""

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["make_token", "nobody", "--name", "n", "--scope", "read"], "There is no user called 'nobody'"),
            (["make_token", "kim", "--name", "n", "--scope", "manage"], "No role of kim can use these scopes: manage"),
            (["make_token", "kim", "--name", "n", "--scope", "read", "--days", "0"], "It must be 1 to 365"),
            (["make_token", "kim", "--name", " ", "--scope", "read"], "It must have 1 to 80"),
            (
                ["make_token", "kim", "--name", "taken", "--scope", "read"],
                "There is already a token called “taken”",
            ),
            (["make_token", "kim", "--name", "n", "--scope", "all"], "invalid choice: 'all'"),
            (["list_tokens", "nobody"], "There is no user called 'nobody'"),
            (["revoke_token", "x"], "There is no token x"),
            (["revoke_token", "00000000-0000-0000-0000-000000000000"], "There is no token 0000"),
            (["reset_password", "nobody"], "There is no user called 'nobody'"),
        ],
    )
    def test_wrong_options_are_said_in_a_sentence(self, study, arguments, sentence):
        create_token(factories.member(study, "annotator", username="kim"), scopes=["read"], name="taken")
        with pytest.raises(CommandError, match=sentence):
            self.run(*arguments)
        assert AccessToken.objects.count() == 1
