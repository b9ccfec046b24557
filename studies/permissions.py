"""Who may see or do what in a study, and every set of roles; the only place that decides it.

A study that a person has no role in does not exist for them (404); one in which their role does not cover the act is
forbidden (403). What a token covers is checked before (`accounts.tokens.TokenCoversView`).
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from diptych.database.fixed import Columns, fetch_one
from studies.models import Invitation, Membership, Study
from studies.models.studies import HasRoles, Role

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from accounts.models import User

ANY_ROLE = frozenset(Role.values)
MAY_ANNOTATE = frozenset({Role.ANNOTATOR})
#: Who sees how a study is getting on: everyone who works on its answers rather than gives them.
MAY_SEE_PROGRESS = frozenset({Role.REVIEWER, Role.RESEARCHER, Role.ADMIN})
#: Who says how a study runs, what comes into it, and who takes part.
MAY_CONFIGURE = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_IMPORT = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_INVITE = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Who deletes a study of which nobody was given a pair.
MAY_DELETE = frozenset({Role.ADMIN})
#: Who opens a closed study again.
MAY_REOPEN = frozenset({Role.ADMIN})
#: Who sees which API tokens the study's people have.
MAY_SEE_TOKENS = frozenset({Role.ADMIN})
#: Who sees how much each person has done: pairs, active time, pace.
MAY_COUNT_WORK = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Who sees what a named person is called in the study's files.
MAY_SEE_CODES = frozenset({Role.ADMIN})
#: Which roles each role gives to others and takes from them.
GRANTS: dict[str, frozenset[str]] = {
    Role.RESEARCHER: frozenset({Role.ANNOTATOR, Role.REVIEWER}),
    Role.ADMIN: frozenset(Role.values),
}
#: Who looks at a study's prompts, videos and pairs, with what the protocol hides from those who answer.
MAY_BROWSE = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_EXPORT = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Who sees the answers that people gave. Annotators and blind reviewers never see other people's (protocol, rule 4).
MAY_SEE_ANSWERS = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Who sees how much was seen of what may be harmful: of each person, and of groups of people.
MAY_SEE_WELLBEING = frozenset({Role.WELLBEING_CONTACT})
MAY_SEE_EXPOSURE = frozenset({Role.RESEARCHER, Role.ADMIN})

#: Which roles can use each scope of an API token.
USES_SCOPE: dict[str, frozenset[str]] = {
    "read": ANY_ROLE,
    "annotate": MAY_ANNOTATE,
    "review": frozenset({Role.REVIEWER}),
    "export": MAY_EXPORT,
    "manage": MAY_CONFIGURE | MAY_IMPORT,
}


def usable_scopes(person: "User") -> set[str]:
    """Return the scopes that the person's present roles can use, over all their studies."""
    held = set(Membership.objects.filter(person=person).values_list("role", flat=True))
    return {scope for scope, roles in USES_SCOPE.items() if not held.isdisjoint(roles)}


def allows(study: "WithAnnotations[Study, HasRoles]", roles: Collection[str]) -> bool:
    """Whether one of the asking person's roles in the study is among `roles`."""
    return not set(roles).isdisjoint(study.roles)


STUDY = Columns(Study, "study")
THEIRS = f"""
SELECT {STUDY.sql},
       ARRAY(SELECT membership.role FROM studies_membership membership
              WHERE membership.study_id = study.id AND membership.person_id = %(person)s)
  FROM studies_study study WHERE study.slug = %(slug)s
"""  # noqa: S608 - of column names


def study_for(
    request: HttpRequest | Request, slug: str, *, roles: Collection[str] = ANY_ROLE
) -> "WithAnnotations[Study, HasRoles]":
    """The study, if the request's person has one of `roles` in it, in one query; the person's roles are on `.roles`.

    Raises Http404 where the person has no role at all, PermissionDenied where none of theirs suffices.
    """
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    row = fetch_one(THEIRS, {"person": person.pk, "slug": slug})
    if row is None or not row[-1]:
        raise Http404(_("There is no study “%(slug)s” that you take part in.") % {"slug": slug})
    study: WithAnnotations[Study, HasRoles] = STUDY.instance(row)  # type: ignore[assignment]
    study.roles = row[-1]
    if not allows(study, roles):
        raise PermissionDenied(_("Your role in this study does not allow this."))
    return study


def may_make_studies(person: "User") -> bool:
    """Whoever answers for a study already, and the superusers who make the first (decision 014)."""
    return person.is_superuser or Membership.objects.filter(person=person, role__in=MAY_CONFIGURE).exists()


def require_study_maker(request: HttpRequest) -> "User":
    """The person, if they may make studies. Raises PermissionDenied."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    if not may_make_studies(person):
        raise PermissionDenied(_("Only researchers and admins of a study can make new studies. Ask one of them."))
    return person


def grantable(roles: Collection[str]) -> frozenset[str]:
    """The roles that somebody with these roles gives to others, in the same study, and takes from them."""
    return frozenset().union(*(GRANTS.get(role, frozenset()) for role in roles))


def require_grant(study: "WithAnnotations[Study, HasRoles]", role: str) -> None:
    """Raises PermissionDenied where the asking person does not give or take this role in the study."""
    if role not in grantable(study.roles):
        raise PermissionDenied(_("Only an admin of the study can grant or revoke this role."))


def may_give(giver: "User | None", study: Study, role: str) -> bool:
    """Return whether `giver` may give this role at this moment. None is whoever operates the server.

    The rows of the giver's roles are locked, so that none of them is taken away before the transaction ends.
    """
    if giver is None or not giver.is_active:
        return giver is None
    if giver.is_superuser:
        return True
    held = Membership.objects.select_for_update().filter(study=study, person=giver).order_by("pk")
    return role in grantable([membership.role for membership in held])


#: Rules of higher apps: whether a person has a right that no admin of a study gives, such as a safety officer's.
guarded_people: "list[Callable[[User], bool]]" = []
#: Whoever has one of these roles sees what no admin may see. No admin may reach it by resetting a password.
ONLY_SUPERUSERS_RESET = frozenset({Role.WELLBEING_CONTACT})


def only_superusers_reset(person: "User") -> bool:
    """Return whether a superuser alone resets this person's password, whatever roles others give.

    Every kind of right that no admin of a study gives belongs here or into `guarded_people`.
    """
    roles = {role for _study_id, role in _roles_held_or_offered(person)}
    if person.is_superuser or person.is_staff or not roles.isdisjoint(ONLY_SUPERUSERS_RESET):
        return True
    return any(rule(person) for rule in guarded_people)


def may_reset_password(actor: "User", person: "User") -> bool:
    """Return whether `actor` may replace the person's password by a one-time one.

    Whoever has that password is the person everywhere. So `actor` must be a superuser, or give each role that the
    person has or is invited to, in each study, among them the study that made the account and that the person still
    is in. One's own password is changed with the old one instead.
    """
    if actor.pk == person.pk or actor.is_superuser:
        return actor.pk != person.pk
    theirs = _roles_held_or_offered(person)
    if only_superusers_reset(person) or not Membership.objects.filter(person=person, made_account=True).exists():
        return False
    own: dict[int, list[str]] = {}
    for study_id, role in Membership.objects.filter(person=actor).values_list("study_id", "role"):
        own.setdefault(study_id, []).append(role)
    return all(role in grantable(own.get(study_id, [])) for study_id, role in theirs)


def _roles_held_or_offered(person: "User") -> set[tuple[int, str]]:
    """Return the person's roles by study, and those that they would have after accepting an open invitation."""
    held = Membership.objects.filter(person=person).values_list("study_id", "role")
    offered = Invitation.objects.filter(person=person, state=Invitation.State.OPEN).values_list("study_id", "role")
    return {*held, *offered}


def require_password_reset(actor: "User", person: "User") -> None:
    """Raises PermissionDenied where `may_reset_password` says no."""
    if not may_reset_password(actor, person):
        raise PermissionDenied(
            _(
                "You cannot reset this password. The account was not made in a study that you run, or the "
                "person has a role that you cannot grant. Ask a superuser of this installation."
            )
        )
