"""The people of a study: invitations, roles given and removed, and secrets that are shown once and stored nowhere."""

import uuid

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.tokens import issue_token
from annotation import serving
from annotation.models import Assignment
from catalog.models import Pair
from studies import members
from studies.models import Invitation, Membership
from studies.models.memberships import Role
from studies.people import add_numbered
from tests import factories
from tests.annotation.test_concurrency import at_once, wrongly_counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


def invite(client, study, names="kim", role="annotator"):
    return client.post(reverse("studies:invite", args=[study.slug]), {"names": names, "role": role})


def change(client, study, person, role, act, **more):
    address = reverse("studies:roles", args=[study.slug, person.pk])
    return client.post(address, {"role": role, "act": act} | more, follow=True)


@pytest.mark.long
class TestInviting:
    def test_a_new_person_gets_a_password_that_is_shown_once(self, browser_client, client, study, researcher):
        asking = browser_client(researcher)
        response = invite(asking, study)
        [new] = response.context["created"]
        assert new.password in response.content.decode()
        assert new.token in response.content.decode()
        assert "no-store" in response.headers["Cache-Control"]
        assert factories.signs_in(client, "kim", new.password)
        assert User.objects.get(username="kim").must_change_password
        again = asking.get(reverse("studies:people", args=[study.slug])).content.decode()
        assert new.password not in again

    def test_secrets_are_kept_nowhere(self, browser_client, study, researcher):
        asking = browser_client(researcher)
        [new] = invite(asking, study).context["created"]
        assert new.password not in str(dict(asking.session))
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
                written = " ".join(row for (row,) in cursor.fetchall())
                assert new.token not in written, table
                assert new.password not in written, table

    def test_somebody_with_an_account_is_invited_and_others_get_one(self, browser_client, study, researcher):
        kim = factories.person(username="kim")
        response = invite(browser_client(researcher), study, "kim\nli")
        assert [one.username for one in response.context["invited"]] == ["kim"]
        assert [one.username for one in response.context["created"]] == ["li"]
        assert User.objects.get(username="kim").password == kim.password
        assert not Membership.objects.filter(person=kim).exists()

    def test_sent_twice_it_shows_no_second_password(self, browser_client, study, researcher):
        client = browser_client(researcher)
        invite(client, study)
        again = invite(client, study)
        assert (again.context["created"], [one.username for one in again.context["unchanged"]]) == ([], ["kim"])
        assert Membership.objects.filter(study=study, person__username="kim").count() == 1

    @pytest.mark.parametrize("names", ["", "  ", "a,b/c", "x" * 151, " ".join(f"n{n}" for n in range(501))])
    def test_names_that_cannot_be_are_said_at_the_field(self, browser_client, study, researcher, names):
        response = invite(browser_client(researcher), study, names)
        assert response.status_code == 400
        assert response.context["invite_form"].errors["names"]
        assert Membership.objects.filter(study=study).count() == 1

    def test_a_researcher_invites_annotators_and_reviewers_only(self, browser_client, study, researcher, admin):
        for role in Role.values:
            allowed = role in {"annotator", "reviewer"}
            assert invite(browser_client(researcher), study, f"r-{role}", role).status_code == (200 if allowed else 400)
            assert invite(browser_client(admin), study, f"a-{role}", role).status_code == 200


@pytest.mark.long
class TestNumbered:
    def add(self, client, study, **values):
        body = {"once": str(uuid.uuid4()), "count": 2, "role": "annotator", "name": ""}
        return client.post(reverse("studies:numbered", args=[study.slug]), body | values)

    def test_many_are_added_and_shown(self, browser_client, study, researcher):
        response = self.add(browser_client(researcher), study)
        assert [one.username for one in response.context["created"]] == ["annotator-1", "annotator-2"]

    def test_the_same_form_sent_twice_adds_nobody_twice(self, browser_client, study, researcher):
        client, once = browser_client(researcher), str(uuid.uuid4())
        self.add(client, study, once=once)
        response = self.add(client, study, once=once)
        assert response.status_code == 400
        assert "This form was already sent" in response.content.decode()
        assert User.objects.filter(username__startswith="annotator-").count() == 2

    @pytest.mark.parametrize(
        "values", [{"count": 0}, {"count": 501}, {"role": "admin"}, {"name": "a b"}, {"once": "x"}]
    )
    def test_what_cannot_be_adds_nobody(self, browser_client, study, researcher, values):
        assert self.add(browser_client(researcher), study, **values).status_code == 400
        assert User.objects.count() == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_one_form_sent_twice_at_the_same_moment_adds_its_people_once():
    study = factories.study()
    once = uuid.uuid4()
    outcomes = at_once(*[lambda: add_numbered(study, role="annotator", count=3, once=once)] * 2)
    assert sorted(len(outcome) if isinstance(outcome, list) else 0 for outcome in outcomes) == [0, 3]
    assert User.objects.count() == 3


@pytest.mark.long
class TestRoles:
    def test_grant_and_revoke_are_recorded(self, browser_client, study, annotator, researcher):
        client = browser_client(researcher)
        change(client, study, annotator, "reviewer", "grant")
        change(client, study, annotator, "reviewer", "grant")
        change(client, study, annotator, "reviewer", "revoke")
        change(client, study, annotator, "reviewer", "revoke")
        events = AuditEvent.objects.filter(action__startswith="membership.").order_by("pk")
        assert [event.action for event in events] == ["membership.granted", "membership.revoked"]
        assert events[1].before == {"person": annotator.pk, "role": "reviewer"}

    def test_a_researcher_changes_annotators_and_reviewers_only(self, browser_client, study, researcher, annotator):
        client = browser_client(researcher)
        for role in set(Role.values) - {"annotator", "reviewer"}:
            assert change(client, study, annotator, role, "grant").status_code == 403
            assert change(client, study, researcher, role, "revoke").status_code == 403
        assert set(Membership.objects.filter(study=study).values_list("role", flat=True)) == {"annotator", "researcher"}

    def test_the_last_admin_stays(self, browser_client, study, admin):
        response = change(browser_client(admin), study, admin, "admin", "revoke", sure="1")
        assert "must have at least one admin" in response.content.decode()
        assert Membership.objects.filter(study=study, role="admin").count() == 1

    def test_giving_up_ones_own_way_in_is_asked_once(self, browser_client, study, admin):
        factories.member(study, "admin")
        client = browser_client(admin)
        response = change(client, study, admin, "admin", "revoke")
        assert "Remove your own role?" in response.content.decode()
        assert Membership.objects.filter(study=study, person=admin).exists()
        change(client, study, admin, "admin", "revoke", sure="1")
        assert not Membership.objects.filter(study=study, person=admin).exists()

    def test_who_keeps_another_way_in_is_not_asked(self, browser_client, study, admin):
        factories.member(study, "admin")
        Membership.objects.create(study=study, person=admin, role="researcher")
        change(browser_client(admin), study, admin, "admin", "revoke")
        assert list(Membership.objects.filter(person=admin).values_list("role", flat=True)) == ["researcher"]

    @pytest.mark.parametrize("values", [("king", "grant"), ("annotator", "crown")])
    def test_what_is_no_role_or_no_act_does_not_exist(self, browser_client, study, annotator, admin, values):
        assert change(browser_client(admin), study, annotator, *values).status_code == 404

    def test_somebody_of_another_study_does_not_exist_here(self, browser_client, study, admin):
        stranger = factories.member(factories.study(), "annotator")
        assert change(browser_client(admin), study, stranger, "annotator", "grant").status_code == 404
        assert browser_client(admin).get(reverse("studies:person", args=[study.slug, stranger.pk])).status_code == 404


@pytest.mark.long
class TestRevokingAnAnnotator:
    def test_their_leases_go_back_and_their_answers_stay(self, study, annotator, researcher):
        factories.pairs(study, 4)
        factories.answer(annotator, study)
        serving.lease(annotator, study)
        members.revoke(study, annotator, "annotator", actor=researcher)
        states = Assignment.objects.filter(person=annotator).values_list("state", flat=True)
        assert sorted(states) == ["released", "released", "submitted"]
        assert Pair.objects.filter(study=study, open_slots=1).count() == 3
        assert not wrongly_counted(study).exists()

    def test_another_role_leaves_them(self, study, annotator, researcher):
        Membership.objects.create(study=study, person=annotator, role="reviewer")
        factories.pairs(study, 2)
        serving.lease(annotator, study)
        members.revoke(study, annotator, "reviewer", actor=researcher)
        assert Assignment.objects.filter(state="leased").count() == 2

    def test_leases_of_others_and_in_other_studies_stay(self, study, annotator, researcher):
        elsewhere = factories.study()
        Membership.objects.create(study=elsewhere, person=annotator, role="annotator")
        from consent import agreements

        agreements.agree(annotator, elsewhere, categories=[], text="I agree.")
        factories.pairs(elsewhere, 2)
        factories.pairs(study, 4)
        serving.lease(annotator, elsewhere)
        serving.lease(factories.member(study, "annotator"), study)
        serving.lease(annotator, study)
        members.revoke(study, annotator, "annotator", actor=researcher)
        assert Assignment.objects.filter(state="leased").count() == 4


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_the_last_two_admins_one_stays(self):
        study = factories.study()
        admins = [factories.member(study, "admin") for _ in range(2)]
        outcomes = at_once(*[lambda p=p: members.revoke(study, p, "admin", actor=p) for p in admins])
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "bool"]
        assert Membership.objects.filter(study=study, role="admin").count() == 1

    def test_revoking_while_they_lease_keeps_the_count(self):
        study = factories.study()
        factories.pairs(study, 6)
        researcher = factories.member(study, "researcher")
        people = [factories.member(study, "annotator") for _ in range(3)]
        calls = [lambda p=p: serving.lease(p, study) for p in people]
        calls += [lambda p=p: members.revoke(study, p, "annotator", actor=researcher) for p in people]
        outcomes = at_once(*calls)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert not wrongly_counted(study).exists()


def reset(client, study, person):
    return client.post(reverse("studies:password", args=[study.slug, person.pk]))


def made_here(study, role, **values):
    """Return a person whose account the study made."""
    person = factories.member(study, role, **values)
    Membership.objects.filter(person=person).update(made_account=True)
    return person


@pytest.mark.long
class TestForgottenPassword:
    @pytest.fixture
    def annotator(self, study):
        return made_here(study, "annotator")

    def test_it_is_replaced_by_a_one_time_password(self, browser_client, client, study, researcher, annotator):
        signed_in = browser_client(annotator)
        response = reset(browser_client(researcher), study, annotator)
        assert response.context["password"] in response.content.decode()
        assert signed_in.get("/?all=1").status_code == 302
        assert factories.signs_in(client, annotator.username, response.context["password"])
        assert AuditEvent.objects.filter(action="user.password_reset", actor=researcher).exists()

    @pytest.mark.parametrize("role", ["researcher", "admin", "wellbeing_contact"])
    def test_a_researcher_resets_nobody_whose_roles_they_do_not_give(self, browser_client, study, researcher, role):
        person = made_here(study, role)
        Membership.objects.get_or_create(study=study, person=person, role="annotator")
        assert reset(browser_client(researcher), study, person).status_code == 403
        assert User.objects.get(pk=person.pk).password == person.password

    @pytest.mark.parametrize("role", ["wellbeing_contact"])
    def test_no_admin_becomes_somebody_who_sees_what_admins_do_not(self, browser_client, study, admin, role):
        person = made_here(study, role)
        assert reset(browser_client(admin), study, person).status_code == 403
        assert User.objects.get(pk=person.pk).password == person.password

    def test_an_invitation_to_what_admins_do_not_see_counts_like_the_role(
        self, browser_client, study, admin, annotator
    ):
        Invitation.objects.create(study=study, person=annotator, role="wellbeing_contact")
        assert reset(browser_client(admin), study, annotator).status_code == 403

    def test_a_superuser_resets_nobody_but_others(self, browser_client, study, admin, annotator):
        owner = factories.member(study, "admin", is_superuser=True)
        client = browser_client(owner)
        for person in (admin, annotator, made_here(study, "wellbeing_contact")):
            assert reset(client, study, person).status_code == 200
        assert reset(client, study, owner).status_code == 403

    def test_nor_does_an_admin_reset_a_superuser_staff_or_themself(self, browser_client, study, admin):
        for person in (
            made_here(study, "annotator", is_superuser=True),
            made_here(study, "annotator", is_staff=True),
            admin,
        ):
            assert reset(browser_client(admin), study, person).status_code == 403

    def test_it_ends_the_tokens(self, api, browser_client, study, researcher, annotator):
        program = api(None)
        program.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(annotator, scopes=['read'])}")
        assert program.get("/api/v1/studies/").status_code == 200
        reset(browser_client(researcher), study, annotator)
        assert program.get("/api/v1/studies/").status_code == 401
        assert AuditEvent.objects.filter(action="token.revoked", actor=researcher).count() == 1


@pytest.mark.long
class TestList:
    def test_people_are_found_by_name_and_role(self, browser_client, study, researcher):
        for name in ("kim", "kimberley", "li"):
            factories.member(study, "annotator", username=name)
        address = reverse("studies:people", args=[study.slug])
        client = browser_client(researcher)

        def shown(**query):
            return [row["person"].username for row in client.get(address, query).context["rows"]]

        assert shown(q="kim") == ["kim", "kimberley"]
        assert shown(role="researcher") == [researcher.username]
        assert shown(role="king", q="li") == ["li"]
        assert shown(q="nobody") == []

    def test_the_number_of_queries_does_not_grow(
        self, browser_client, study, researcher, django_assert_max_num_queries
    ):
        for _ in range(12):
            factories.member(study, "reviewer")
        client = browser_client(researcher)
        with django_assert_max_num_queries(8):
            client.get(reverse("studies:people", args=[study.slug]))

    def test_pages_go_on_with_the_same_choice(self, browser_client, study, researcher, monkeypatch):
        monkeypatch.setattr("studies.views_people.PEOPLE_A_PAGE", 2)
        for _ in range(3):
            factories.member(study, "reviewer")
        page = browser_client(researcher).get(reverse("studies:people", args=[study.slug]), {"role": "reviewer"})
        assert "?role=reviewer&amp;page=2" in page.content.decode()
