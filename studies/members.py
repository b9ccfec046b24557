"""The people of a study: list and invite them, grant and revoke roles, replace passwords."""

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
from studies.models.memberships import Role
from studies.people import Added, Wanted
from studies.permissions import require_password_reset
from studies.signals import membership_revoked


def members(study: Study, *, search: str = "", role: str = "") -> QuerySet[User, Any]:
    """Return the study's people by name, each with `.roles` in the study and `.since`."""
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
    """Grant a further role to a person who is in the study. Repeating it is harmless.

    Raises Refused if the person has just left the study, and PermissionDenied as in `memberships.join`.
    """
    lock(person)
    if not Membership.objects.filter(study=study, person=person).exists():
        raise Refused(_("%(name)s is not in the study any more. Invite them by name.") % {"name": person.username})
    join(study, person, role, actor=actor, tell_person=True)


@transaction.atomic
def revoke(study: Study, person: User, role: str, *, actor: User) -> bool:
    """Revoke a person's role. Return False if they did not have it: repeating it is harmless.

    The open pairs of an annotator are released. Submitted answers are kept. Raises Refused for the last admin of the
    study.
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
    """Lock the admins of the study and raise Refused for the last one, also if two leave at the same time."""
    admins = Membership.objects.select_for_update().filter(study=study, role=Role.ADMIN).order_by("pk")
    staying = [admin.person_id for admin in admins]
    if staying == [leaving.pk]:
        raise Refused(_("A study must have at least one admin. Make somebody else an admin first."))


def _keep_who_made_the_account(study: Study, person: User) -> None:
    """Move the mark that this study made the account to another role of the person in the study, if they have one.

    The study loses the mark when a person leaves it, and does not get it back if they return.
    """
    staying = Membership.objects.filter(study=study, person=person).order_by("pk").first()
    if staying is not None:
        Membership.objects.filter(pk=staying.pk).update(made_account=True)


def invite(study: Study, names: Sequence[str], role: str, *, actor: User) -> list[Added]:
    """Add people by name. People who have an account are invited, and others get an account. Raises Refused."""
    return people.add_named(study, [Wanted(name, role) for name in names], actor=actor)


@transaction.atomic
def new_one_time_password(person: User, *, actor: User) -> str:
    """Replace a forgotten password with a one-time password, and return its text, which is not stored.

    The permission is checked while the person's row is locked. So an invitation that they accept at the same time,
    into a study that `actor` does not run, comes before the check or after the reset. Raises PermissionDenied.
    """
    person = lock(person)
    require_password_reset(actor, person)
    password = new_password()
    reset_password(person, password, actor=actor)
    return password.text
