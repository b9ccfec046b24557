"""Invitations of people who already have an account. They join a study only when they accept.

If people could be added without being asked, somebody could add a person and then reset their password to sign in as
them. So an invitation gives nothing to either side before it is accepted (decision 025).
"""

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from accounts.people import lock
from diptych.database.natural import Natural
from studies.memberships import join, refuse_own_wellbeing_role
from studies.models import Invitation, Study
from studies.permissions import may_give

State = Invitation.State


@transaction.atomic
def offer(study: Study, person: User, role: str, *, actor: User | None) -> bool:
    """Invite the person to this role. Return False, and change nothing, if the same invitation is already open."""
    refuse_own_wellbeing_role(actor, person, role)
    lock(person)  # so that a password reset happens either before or after the invitation
    invitation, is_new = Invitation.objects.get_or_create(
        study=study, person=person, role=role, state=State.OPEN, defaults={"invited_by": actor}
    )
    if is_new:
        after = {"person": person.pk, "role": role}
        audit.record("invitation.made", invitation, actor=actor, study_slug=study.slug, after=after)
    return is_new


def open_for(person: User) -> QuerySet[Invitation]:
    """Return the invitations that the person has not decided on yet."""
    mine = Invitation.objects.filter(person=person, state=State.OPEN)
    return mine.select_related("study", "invited_by").order_by(Natural("study__title"), "study_id", "pk")


def open_of(study: Study) -> QuerySet[Invitation]:
    """Return the open invitations of a study."""
    offered = Invitation.objects.filter(study=study, state=State.OPEN)
    return offered.select_related("person", "invited_by").order_by(Natural("person__username"), "pk")


@transaction.atomic
def decide(invitation: Invitation, *, accepts: bool) -> str:
    """Accept or decline an invitation on behalf of the invited person. Return its new state.

    If the inviter may no longer grant this role, the invitation is withdrawn instead of accepted. An invitation that
    has ended keeps its state.
    """
    person = lock(invitation.person)
    if not accepts:
        _end(invitation, State.DECLINED, actor=person)
    elif not may_give(invitation.invited_by, invitation.study, invitation.role):
        _end(invitation, State.WITHDRAWN, actor=None)
    elif _end(invitation, State.ACCEPTED, actor=person):
        join(invitation.study, person, invitation.role, actor=invitation.invited_by)
    invitation.refresh_from_db(fields=["state", "ended_at"])
    return invitation.state


@transaction.atomic
def withdraw(invitation: Invitation, *, actor: User) -> bool:
    """Withdraw an invitation. Return False if it has already ended."""
    return _end(invitation, State.WITHDRAWN, actor=actor)


def _end(invitation: Invitation, state: str, *, actor: User | None) -> bool:
    """End the invitation if it is still open. One conditional statement decides between two simultaneous requests."""
    ended = Invitation.objects.filter(pk=invitation.pk, state=State.OPEN).update(state=state, ended_at=Now())
    if ended:
        audit.record(f"invitation.{state}", invitation, actor=actor, study_slug=invitation.study.slug)
    return bool(ended)
