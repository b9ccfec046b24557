"""Who takes part in a study: listed, invited, revoked a role, given a new password."""

from collections.abc import Sequence
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.people import lock, new_password, reset_password
from diptych.database.natural import Natural
from diptych.refusals import Refused
from studies import people
from studies.memberships import join
from studies.models import Membership, Study
from studies.models.studies import Role
from studies.people import Added, Wanted
from studies.permissions import require_password_reset
from studies.signals import membership_revoked


def members(study: Study, *, search: str = "", role: str = "") -> QuerySet[User, Any]:
    """The study's people by name, each with `.roles` in it and `.since`."""
    here = Q(memberships__study=study)
    found = User.objects.filter(here).annotate(
        roles=ArrayAgg("memberships__role", filter=here, order_by="memberships__role"),
        since=Min("memberships__created_at", filter=here),
    )
    if search:
        found = found.filter(username__icontains=search)
    if role:
        found = found.filter(roles__contains=[role])  # type: ignore[misc]  # an array
    return found.order_by(Natural("username"), "username")


@transaction.atomic
def grant(study: Study, person: User, role: str, *, actor: User) -> None:
    """Give a further role to somebody who is in the study. Twice is harmless.

    Raises Refused if the person left the study at this moment, and PermissionDenied as `memberships.join`.
    """
    lock(person)
    if not Membership.objects.filter(study=study, person=person).exists():
        raise Refused(_("%(name)s is not in the study any more. Invite them by name.") % {"name": person.username})
    join(study, person, role, actor=actor, tell_person=True)


@transaction.atomic
def revoke(study: Study, person: User, role: str, *, actor: User) -> bool:
    """Takes a role from somebody. False if they did not have it: twice is harmless. What they hold as an annotator goes
    back to the queue; what they answered stays.

    Raises Refused for the study's last admin.
    """
    lock(person)
    if role == Role.ADMIN:
        _keep_an_admin(study, person)
    membership = Membership.objects.select_for_update().filter(study=study, person=person, role=role).first()
    if membership is None:
        return False
    audit.record(
        "membership.revoked",
        membership,
        actor=actor,
        study_slug=study.slug,
        before={"person": person.pk, "role": role},
    )
    membership.delete()
    if membership.made_account:
        _keep_who_made_the_account(study, person)
    membership_revoked.send(sender=Membership, study=study, person=person, role=role)
    return True


def _keep_an_admin(study: Study, leaving: User) -> None:
    """Locks the admins of the study, so that of the last two only one can go."""
    admins = Membership.objects.select_for_update().filter(study=study, role=Role.ADMIN).order_by("pk")
    staying = [admin.person_id for admin in admins]
    if staying == [leaving.pk]:
        raise Refused(_("A study must have at least one admin. Make somebody else an admin first."))


def _keep_who_made_the_account(study: Study, person: User) -> None:
    """Move the mark of the study that made the account to another role there, if the person has one.

    Who left the study altogether is not in its hands any more, also if they come back.
    """
    staying = Membership.objects.filter(study=study, person=person).order_by("pk").first()
    if staying is not None:
        Membership.objects.filter(pk=staying.pk).update(made_account=True)


def invite(study: Study, names: Sequence[str], role: str, *, actor: User) -> list[Added]:
    """Add people by name: who has an account is invited, others get an account. Raises Refused."""
    return people.add_named(study, [Wanted(name, role) for name in names], actor=actor)


@transaction.atomic
def new_one_time_password(person: User, *, actor: User) -> str:
    """Replace a forgotten password by a one-time one, and return its text, which is kept nowhere.

    The right to do it is checked while the person's row is locked: an invitation that they accept at this moment, into
    a study that `actor` does not run, comes before the check or after the reset. Raises PermissionDenied.
    """
    person = lock(person)
    require_password_reset(actor, person)
    password = new_password()
    reset_password(person, password, actor=actor)
    return password.text
