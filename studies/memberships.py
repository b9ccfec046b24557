"""Give people roles in a study, and notify those who must know."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.people import lock
from studies.models import Membership, RoleNotice, Study
from studies.models.memberships import Role


@transaction.atomic
def join(
    study: Study,
    person: User,
    role: str,
    *,
    actor: User | None = None,
    made_account: bool = False,
    tell_person: bool = False,
) -> bool:
    """Give the person this role. Return False if they already have it: repeating it is harmless.

    The other wellbeing contacts of the study are notified of a new wellbeing contact.

    Args:
        made_account: the study made the person's account, with this role.
        tell_person: the person is notified too, because they did not ask for the role.

    Raises PermissionDenied if people make themselves wellbeing contacts.
    """
    refuse_own_wellbeing_role(actor, person, role)
    lock(person)
    membership, is_new = Membership.objects.get_or_create(
        study=study, person=person, role=role, defaults={"made_account": made_account, "granted_by": actor}
    )
    if is_new:
        after = {"person": person.pk, "role": role}
        audit.record("membership.granted", membership, actor=actor, study_slug=study.slug, after=after)
        _tell(membership, actor, tell_person=tell_person and actor != person)
    return is_new


@transaction.atomic
def join_new_people(study: Study, people: Sequence[tuple[User, str]], *, actor: User | None) -> None:
    """Give people whose accounts the study has just made their first role. This is `join` for many people."""
    memberships = Membership.objects.bulk_create(
        Membership(study=study, person=person, role=role, made_account=True, granted_by=actor)
        for person, role in people
    )
    facts: list[tuple[Model, dict[str, Any]]] = [
        (one, {"person": one.person_id, "role": one.role}) for one in memberships
    ]
    audit.record_each("membership.granted", facts, actor=actor, study_slug=study.slug)
    for one in memberships:
        _tell(one, actor, tell_person=False)


def refuse_own_wellbeing_role(actor: User | None, person: User, role: str) -> None:
    """Raise PermissionDenied if people make themselves wellbeing contacts.

    A wellbeing contact sees how much possibly harmful content other people saw.
    """
    if role == Role.WELLBEING_CONTACT and actor is not None and actor.pk == person.pk:
        raise PermissionDenied(
            _("You cannot make yourself a wellbeing contact. Ask another admin of the study, or a superuser.")
        )


def _tell(membership: Membership, actor: User | None, *, tell_person: bool) -> None:
    """Add a notice for the other wellbeing contacts, if this is one more, and for the person if asked."""
    recipients = [membership.person_id] if tell_person else []
    if membership.role == Role.WELLBEING_CONTACT:
        others = Membership.objects.filter(study_id=membership.study_id, role=membership.role)
        recipients += others.exclude(pk=membership.pk).values_list("person_id", flat=True)
    RoleNotice.objects.bulk_create(
        RoleNotice(
            study_id=membership.study_id,
            recipient_id=recipient,
            person_id=membership.person_id,
            role=membership.role,
            given_by=actor,
        )
        for recipient in recipients
    )


def notices_for(person: User) -> QuerySet[RoleNotice]:
    """Return the notices that the person has not dismissed yet, the newest first."""
    open_ones = RoleNotice.objects.filter(recipient=person, dismissed_at__isnull=True)
    return open_ones.select_related("study", "person", "given_by").order_by("-created_at", "-pk")


def dismiss(person: User, notice_id: int) -> bool:
    """Remove a notice from the person's home page. Return False if there is no such open notice."""
    mine = RoleNotice.objects.filter(pk=notice_id, recipient=person, dismissed_at__isnull=True)
    return bool(mine.update(dismissed_at=Now()))
