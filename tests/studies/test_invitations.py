"""A person with an account joins a study only after they accept. Nobody can act as them by inviting them."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.people import new_password, reset_password
from diptych.refusals import Refused
from studies import invitations, members
from studies.invitations import State, decide, offer, withdraw
from studies.memberships import join
from studies.models import Invitation, Membership, RoleNotice
from tests import factories
from tests.annotation.test_concurrency import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(study):
    return factories.member(study, "admin")


@pytest.fixture
def kim():
    """Return a person whose account another study made."""
    person = factories.member(
        factories.study(title="Kim's own study"), "reviewer", username="kim", email="k@example.org"
    )
    Membership.objects.filter(person=person).update(made_account=True)
    return person


def invite(client, study, names="kim", role="annotator"):
    return client.post(reverse("studies:invite", args=[study.slug]), {"names": names, "role": role})


def answer(client, invitation, act):
    return client.post(reverse("studies:answer_invitation", args=[invitation.pk]), {"act": act}, follow=True)


def reset(client, study, person):
    return client.post(reverse("studies:password", args=[study.slug, person.pk]))


@pytest.mark.long
class TestTakeover:
    def test_inviting_gives_neither_a_role_nor_a_look_nor_the_password(self, browser_client, study, admin, kim):
        client = browser_client(admin)
        response = invite(client, study)
        assert not Membership.objects.filter(study=study, person=kim).exists()
        assert reset(client, study, kim).status_code == 404
        assert client.get(reverse("studies:person", args=[study.slug, kim.pk])).status_code == 404
        listed = client.get(reverse("studies:people", args=[study.slug]))
        for page in (response, listed):
            assert kim.email not in page.content.decode()
            assert "Kim's own study" not in page.content.decode()
        assert User.objects.get(pk=kim.pk).password == kim.password

    def test_after_accepting_only_the_study_that_made_the_account_resets(self, browser_client, study, admin, kim):
        invite(browser_client(admin), study)
        decide(Invitation.objects.get(), accepts=True)
        assert reset(browser_client(admin), study, kim).status_code == 403
        page = browser_client(admin).get(reverse("studies:person", args=[study.slug, kim.pk])).content.decode()
        assert "Create a one-time password" not in page

    def test_an_account_that_no_study_made_is_reset_by_no_study(self, browser_client, study, admin):
        person = factories.member(study, "annotator")
        assert reset(browser_client(admin), study, person).status_code == 403

    def test_the_maker_does_not_enter_another_study_through_the_account(self, browser_client, study, admin):
        """Neither with a role that was accepted there, nor with one that could be accepted after the reset."""
        [added] = members.invite(study, ["li"], "annotator", actor=admin)
        li = User.objects.get(username=added.username)
        assert reset(browser_client(admin), study, li).status_code == 200
        elsewhere = factories.study()
        offer(elsewhere, li, "annotator", actor=factories.member(elsewhere, "admin"))
        assert reset(browser_client(admin), study, li).status_code == 403
        decide(Invitation.objects.get(), accepts=True)
        assert reset(browser_client(admin), study, li).status_code == 403

    def test_somebody_who_left_is_out_of_the_hands_of_the_study(self, browser_client, study, admin):
        members.invite(study, ["li"], "annotator", actor=admin)
        li = User.objects.get(username="li")
        members.revoke(study, li, "annotator", actor=admin)
        offer(study, li, "annotator", actor=admin)
        decide(Invitation.objects.get(), accepts=True)
        assert reset(browser_client(admin), study, li).status_code == 403

    def test_a_change_of_role_keeps_who_made_the_account(self, browser_client, study, admin):
        members.invite(study, ["li"], "annotator", actor=admin)
        li = User.objects.get(username="li")
        join(study, li, "reviewer", actor=admin)
        members.revoke(study, li, "annotator", actor=admin)
        assert Membership.objects.get(person=li).made_account
        assert reset(browser_client(admin), study, li).status_code == 200

    @pytest.mark.parametrize("way", ["form", "command"])
    def test_no_way_of_adding_names_makes_a_member_of_an_existing_account(
        self, browser_client, study, admin, kim, way, tmp_path
    ):
        if way == "form":
            invite(browser_client(admin), study, "kim\n li \n\n", "researcher")
        else:
            from django.core.management import call_command

            (tmp_path / "people.csv").write_text("username\nkim\nli\n")
            call_command("add_people", "--study", study.slug, "--role", "researcher", "--csv", tmp_path / "people.csv")
        assert set(Membership.objects.filter(study=study, role="researcher").values_list("person__username")) == {
            ("li",)
        }


@pytest.mark.long
def test_a_line_with_a_space_is_no_name_and_makes_no_account(browser_client, study, admin):
    answer = invite(browser_client(admin), study, "newbie one", "annotator")
    assert "newbie one" in answer.content.decode()
    assert not User.objects.filter(username__in=["newbie", "one", "newbie one"]).exists()


@pytest.mark.long
class TestAnswering:
    def test_the_person_sees_study_role_and_who_invites_and_accepts(self, browser_client, study, admin, kim):
        invite(browser_client(admin), study)
        client = browser_client(kim)
        home = client.get("/")  # not redirected to the only study they are in
        assert home.status_code == 200
        for words in (study.title, "annotator", admin.username):
            assert words in home.content.decode()
        invitation = Invitation.objects.get()
        assert client.get(reverse("annotation:workspace", args=[study.slug])).status_code == 404
        answer(client, invitation, "accept")
        assert Membership.objects.get(study=study, person=kim).role == "annotator"
        invitation.refresh_from_db()
        assert (invitation.state, invitation.ended_at is not None) == ("accepted", True)
        actions = AuditEvent.objects.filter(study_slug=study.slug).order_by("pk").values_list("action", "actor")
        assert list(actions) == [
            ("invitation.made", admin.pk),
            ("invitation.accepted", kim.pk),
            ("membership.granted", admin.pk),
        ]

    def test_declining_changes_nothing_else_and_lets_one_be_invited_again(self, browser_client, study, admin, kim):
        invite(browser_client(admin), study)
        answer(browser_client(kim), Invitation.objects.get(), "decline")
        assert not Membership.objects.filter(study=study, person=kim).exists()
        assert study.title not in browser_client(kim).get("/?all=1").content.decode()
        assert offer(study, kim, "annotator", actor=admin)

    def test_inviting_twice_changes_nothing(self, browser_client, study, admin, kim):
        for _ in range(2):
            response = invite(browser_client(admin), study)
        assert [one.username for one in response.context["unchanged"]] == ["kim"]
        assert Invitation.objects.count() == 1
        assert AuditEvent.objects.filter(action="invitation.made").count() == 1

    def test_nobody_answers_for_another(self, browser_client, study, admin, kim):
        offer(study, kim, "annotator", actor=admin)
        invitation = Invitation.objects.get()
        for person in (admin, factories.person()):
            assert answer(browser_client(person), invitation, "accept").status_code == 404
        assert answer(browser_client(kim), invitation, "perhaps").status_code == 404
        invitation.refresh_from_db()
        assert invitation.state == "open"

    def test_what_ended_stays_as_it_ended(self, study, admin, kim):
        offer(study, kim, "annotator", actor=admin)
        invitation = Invitation.objects.get()
        assert withdraw(invitation, actor=admin)
        assert not withdraw(invitation, actor=admin)
        assert decide(invitation, accepts=True) == State.WITHDRAWN
        assert not Membership.objects.filter(study=study, person=kim).exists()

    @pytest.mark.parametrize("loss", ["role", "account", "account of a superuser"])
    def test_it_is_void_once_the_inviter_may_not_give_the_role(self, browser_client, study, admin, kim, loss):
        """Otherwise an admin who is about to be removed could leave a way back."""
        factories.member(study, "admin")
        offer(study, kim, "admin", actor=admin)
        if loss == "role":
            members.revoke(study, admin, "admin", actor=admin)
        else:
            User.objects.filter(pk=admin.pk).update(is_active=False, is_superuser="superuser" in loss)
        page = answer(browser_client(kim), Invitation.objects.get(), "accept").content.decode()
        assert "is no longer valid" in page
        assert not Membership.objects.filter(study=study, person=kim).exists()
        assert Invitation.objects.get().state == "withdrawn"

    def test_a_one_time_password_accepts_nothing_before_it_is_changed(self, browser_client, study, admin, kim):
        offer(study, kim, "annotator", actor=admin)
        reset_password(kim, new_password())
        answer(browser_client(User.objects.get(pk=kim.pk)), Invitation.objects.get(), "accept")
        assert Invitation.objects.get().state == "open"


@pytest.mark.long
class TestWithdrawing:
    def withdraw(self, client, study, invitation):
        return client.post(reverse("studies:withdraw_invitation", args=[study.slug, invitation.pk]), follow=True)

    def test_whoever_gives_the_role_withdraws(self, browser_client, study, admin, researcher, kim):
        offer(study, kim, "admin", actor=admin)
        invitation = Invitation.objects.get()
        assert self.withdraw(browser_client(researcher), study, invitation).status_code == 403
        assert "was withdrawn" in self.withdraw(browser_client(admin), study, invitation).content.decode()
        assert "Nothing was changed" in self.withdraw(browser_client(admin), study, invitation).content.decode()
        assert AuditEvent.objects.get(action="invitation.withdrawn").actor == admin

    def test_an_invitation_of_another_study_does_not_exist_here(self, browser_client, study, admin, kim):
        elsewhere = factories.study()
        offer(elsewhere, kim, "annotator", actor=None)
        assert self.withdraw(browser_client(admin), study, Invitation.objects.get()).status_code == 404
        assert list(invitations.open_of(study)) == []


@pytest.mark.long
class TestFurtherRoles:
    def test_a_member_gets_the_role_at_once_and_is_told_until_they_dismiss_it(self, browser_client, study, admin):
        person = factories.member(study, "reviewer")
        response = invite(browser_client(admin), study, person.username, "researcher")
        assert [one.username for one in response.context["granted"]] == [person.username]
        client = browser_client(person)
        for _ in range(2):
            page = client.get("/").content.decode()
            assert f"{admin.username} granted you the role researcher" in page
        notice = RoleNotice.objects.get()
        client.post(reverse("studies:dismiss_notice", args=[notice.pk]))
        assert "granted you the role" not in client.get("/?all=1").content.decode()

    def test_somebody_who_left_is_not_brought_back_by_a_grant(self, study, admin):
        person = factories.member(study, "reviewer")
        members.revoke(study, person, "reviewer", actor=admin)
        with pytest.raises(Refused, match="is not in the study any more"):
            members.grant(study, person, "annotator", actor=admin)
        assert not Membership.objects.filter(person=person).exists()

    def test_nobody_dismisses_the_notice_of_another(self, browser_client, study, admin):
        person = factories.member(study, "reviewer")
        join(study, person, "annotator", actor=admin, tell_person=True)
        browser_client(admin).post(reverse("studies:dismiss_notice", args=[RoleNotice.objects.get().pk]))
        assert RoleNotice.objects.get().dismissed_at is None


@pytest.mark.long
class TestWellbeingContact:
    @pytest.fixture
    def contact(self, study):
        return factories.member(study, "wellbeing_contact")

    def grant(self, client, study, person):
        address = reverse("studies:roles", args=[study.slug, person.pk])
        return client.post(address, {"role": "wellbeing_contact", "act": "grant"})

    @pytest.mark.parametrize("is_superuser", [False, True])
    def test_nobody_makes_themself_one_by_any_form(self, browser_client, study, contact, is_superuser):
        admin = factories.member(study, "admin", is_superuser=is_superuser)
        client = browser_client(admin)
        assert self.grant(client, study, admin).status_code == 403
        response = invite(client, study, admin.username, "wellbeing_contact")
        assert response.status_code == 400
        assert "cannot make yourself a wellbeing contact" in response.content.decode()
        assert list(Membership.objects.filter(role="wellbeing_contact")) == [Membership.objects.get(person=contact)]
        page = client.get(reverse("studies:person", args=[study.slug, admin.pk])).content.decode()
        assert "Only another admin or a superuser can grant you this role" in page

    def test_not_even_by_an_invitation_to_oneself(self, browser_client, study, admin):
        """An admin who gave up every role would be invited like anybody else."""
        factories.member(study, "admin")
        offer(study, admin, "annotator", actor=admin)
        Invitation.objects.update(role="wellbeing_contact")
        assert answer(browser_client(admin), Invitation.objects.get(), "accept").status_code == 403
        assert not Membership.objects.filter(role="wellbeing_contact").exists()

    def test_a_second_admin_does_it_and_those_who_are_contacts_are_told(self, browser_client, study, admin, contact):
        second = factories.member(study, "admin")
        assert self.grant(browser_client(second), study, admin).status_code == 302
        told = browser_client(contact).get("/?all=1").content.decode()
        assert f"{second.username} granted {admin.username} the role wellbeing contact on " in told
        assert f"{second.username} granted you the role" in browser_client(admin).get("/?all=1").content.decode()
        event = AuditEvent.objects.get(action="membership.granted")
        assert (event.actor, event.after) == (second, {"person": admin.pk, "role": "wellbeing_contact"})

    @pytest.mark.parametrize("way", ["a new account", "an invitation", "the operator"])
    def test_they_are_told_whatever_the_way(self, study, admin, contact, kim, way):
        if way == "a new account":
            members.invite(study, ["li"], "wellbeing_contact", actor=admin)
        elif way == "an invitation":
            members.invite(study, ["kim"], "wellbeing_contact", actor=admin)
            assert not RoleNotice.objects.exists()
            decide(Invitation.objects.get(), accepts=True)
        else:
            join(study, kim, "wellbeing_contact")
        assert RoleNotice.objects.get().recipient == contact


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture
    def scene(self):
        study = factories.study()
        admin = factories.member(study, "admin")
        members.invite(study, ["li"], "annotator", actor=admin)
        elsewhere = factories.study()
        li = User.objects.get(username="li")
        offer(elsewhere, li, "reviewer", actor=factories.member(elsewhere, "admin"))
        return study, admin, li

    def test_accepted_declined_and_withdrawn_it_ends_once(self, scene):
        _study, _admin, li = scene
        invitation = Invitation.objects.get()
        at_once(
            lambda: decide(invitation, accepts=True),
            lambda: decide(Invitation.objects.get(), accepts=False),
            lambda: withdraw(Invitation.objects.get(), actor=li),
        )
        invitation.refresh_from_db()
        ends = AuditEvent.objects.filter(action__in=[f"invitation.{state}" for state in State if state != "open"])
        assert [event.action for event in ends] == [f"invitation.{invitation.state}"]
        assert Membership.objects.filter(study=invitation.study, person=li).exists() == (invitation.state == "accepted")

    def test_two_invitations_at_once_are_one(self):
        study, kim = factories.study(), factories.person()
        outcomes = at_once(*[lambda: offer(study, kim, "annotator", actor=None)] * 4)
        assert sorted(outcomes) == [False, False, False, True]
        assert Invitation.objects.count() == 1

    def test_a_reset_and_an_invitation_elsewhere_come_one_after_the_other(self):
        """Either the reset sees the invitation and is refused, or it was done before the invitation existed."""
        study = factories.study()
        admin = factories.member(study, "admin")
        elsewhere = factories.study()
        for number in range(5):
            [added] = members.invite(study, [f"li-{number}"], "annotator", actor=admin)
            li = User.objects.get(username=added.username)
            outcomes = at_once(
                lambda li=li: members.new_one_time_password(li, actor=admin),
                lambda li=li: offer(elsewhere, li, "reviewer", actor=None),
            )
            assert outcomes[1] is True
            resets = AuditEvent.objects.filter(action="user.password_reset", subject_id=str(li.pk))
            made = AuditEvent.objects.get(action="invitation.made", after__person=li.pk)
            if isinstance(outcomes[0], str):
                assert resets.get().pk < made.pk
            else:
                assert not resets.exists()
