"""Permissions in a study, and all sets of roles. No other module decides them.

A study in which a person has no role does not exist for them (404). If their role does not allow an action, it is
forbidden (403). The scopes of a token are checked before (`accounts.tokens.TokenCoversView`).
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from diptych.database.fixed import Columns, fetch_one
from studies.models import Invitation, Membership, Study
from studies.models.memberships import Role
from studies.models.studies import HasRoles

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from accounts.models import User

ANY_ROLE = frozenset(Role.values)
MAY_ANNOTATE = frozenset({Role.ANNOTATOR})
#: Roles that see the progress of a study: everyone except annotators and wellbeing contacts.
MAY_SEE_PROGRESS = frozenset({Role.REVIEWER, Role.RESEARCHER, Role.ADMIN})
#: Roles that configure a study, import material and invite people.
MAY_CONFIGURE = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_IMPORT = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_INVITE = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that delete a study of which nobody was served a pair.
MAY_DELETE = frozenset({Role.ADMIN})
#: Roles that put batches into lots, start their review and decide them.
MAY_DECIDE = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that suspend people from annotating, and lift suspensions.
MAY_SUSPEND = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that set pause rules and end pauses.
MAY_SET_PAUSES = frozenset({Role.ADMIN})
#: Roles that assign waiting answers to reviewers.
MAY_ASSIGN_REVIEWS = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that choose the pairs of a calibration session, open and close it.
MAY_LEAD_CALIBRATION = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that make trainings and tests, and decide who is qualified without one. They see the expected answers.
MAY_QUALIFY = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that choose where events of a study are sent.
MAY_SET_WEBHOOKS = frozenset({Role.ADMIN})
#: Roles that reopen a closed study.
MAY_REOPEN = frozenset({Role.ADMIN})
#: Roles that see which API tokens the study's people have.
MAY_SEE_TOKENS = frozenset({Role.ADMIN})
#: Roles that see how much each person has done: pairs, active time, pace.
MAY_COUNT_WORK = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that see the code of a named person in the study's files.
MAY_SEE_CODES = frozenset({Role.ADMIN})
#: Roles that each role can grant and revoke.
GRANTS: dict[str, frozenset[str]] = {
    Role.RESEARCHER: frozenset({Role.ANNOTATOR, Role.REVIEWER}),
    Role.ADMIN: frozenset(Role.values),
}
#: Roles that see a study's prompts, videos and pairs, including what the protocol hides from annotators.
MAY_BROWSE = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_EXPORT = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that make releases, and that withdraw answers, videos and people's data from them.
MAY_RELEASE = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_WITHDRAW = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that queue and cancel training runs, and whose workers do them.
MAY_TRAIN = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that see people's answers. Annotators and blind reviewers never see those of others (protocol, rule 4).
MAY_SEE_ANSWERS = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that review answers, by kind of review: the QC department reviews, researchers check and decide disputes.
MAY_REVIEW = frozenset({Role.REVIEWER})
MAY_SPOT_CHECK = frozenset({Role.RESEARCHER, Role.ADMIN})
MAY_CONFIRM = MAY_REVIEW | MAY_SPOT_CHECK
MAY_ADJUDICATE = frozenset({Role.RESEARCHER, Role.ADMIN})
#: Roles that take part in calibration: all of quality control and research.
MAY_CALIBRATE = MAY_CONFIRM
#: Roles that watch videos to judge them, and therefore agree to what they see first.
MAY_JUDGE = MAY_ANNOTATE | MAY_CONFIRM
#: Roles that see how much possibly harmful content each person saw, and roles that see it for groups of people.
MAY_SEE_WELLBEING = frozenset({Role.WELLBEING_CONTACT})
MAY_SEE_EXPOSURE = frozenset({Role.RESEARCHER, Role.ADMIN})

#: Roles that can use each scope of an API token.
USES_SCOPE: dict[str, frozenset[str]] = {
    "read": ANY_ROLE,
    "annotate": MAY_ANNOTATE,
    "review": MAY_CONFIRM,
    "export": MAY_EXPORT,
    "manage": MAY_CONFIGURE | MAY_IMPORT,
    "train": MAY_TRAIN,
}


def usable_scopes(person: "User") -> set[str]:
    """Return the scopes that the person's current roles can use, over all their studies."""
    held = set(Membership.objects.filter(person=person).values_list("role", flat=True))
    return {scope for scope, roles in USES_SCOPE.items() if not held.isdisjoint(roles)}


def allows(study: "WithAnnotations[Study, HasRoles]", roles: Collection[str]) -> bool:
    """Return whether one of the person's roles in the study is among `roles`."""
    return not set(roles).isdisjoint(study.roles)


STUDY = Columns(Study, "study")
STUDY_WITH_ROLES = f"""
SELECT {STUDY.sql},
       ARRAY(SELECT membership.role FROM studies_membership membership
              WHERE membership.study_id = study.id AND membership.person_id = %(person)s)
  FROM studies_study study WHERE study.slug = %(slug)s
"""  # noqa: S608 - of column names


def study_for(
    request: HttpRequest | Request, slug: str, *, roles: Collection[str] = ANY_ROLE
) -> "WithAnnotations[Study, HasRoles]":
    """Return the study, with the person's roles as `.roles`, if they have one of `roles`. It runs one query.

    Raises Http404 if the person has no role in the study, and PermissionDenied if none of their roles suffices.
    """
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    row = fetch_one(STUDY_WITH_ROLES, {"person": person.pk, "slug": slug})
    if row is None or not row[-1]:
        raise Http404(_("There is no study “%(slug)s” that you take part in.") % {"slug": slug})
    study: WithAnnotations[Study, HasRoles] = STUDY.instance(row)  # type: ignore[assignment]
    study.roles = row[-1]
    if not allows(study, roles):
        raise PermissionDenied(_("Your role in this study does not allow this."))
    return study


#: Returns the study with this slug, if the person may do something in it, or raises Http404 or PermissionDenied.
Allowed = Callable[[Any, str], Study]


#: A row that has a `study`.
OfStudy = TypeVar("OfStudy", bound=Model)


def row_of_study(request: HttpRequest | Request, rows: QuerySet[OfStudy], allowed: Allowed, missing: str) -> OfStudy:
    """Return the only row of `rows`, with its study as `allowed` returns it.

    A row of a study in which the person has no role is answered like one that does not exist. So nobody learns names of
    other studies by counting ids up.

    Args:
        rows: the rows with the id that was asked for, with `select_related("study")`.
        allowed: a function such as `study_for`. It gets the request and the study's slug.
        missing: what to say when the row does not exist for the person.

    Raises Http404 with `missing`, and PermissionDenied if the person's roles in the study do not suffice.
    """
    found: Any = rows.first()
    if found is None:
        raise Http404(missing)
    try:
        found.study = allowed(request, found.study.slug)
    except Http404:
        raise Http404(missing) from None
    return cast(OfStudy, found)


def may_make_studies(person: "User") -> bool:
    """Return whether the person may make studies: researchers, admins and superusers may (decision 014)."""
    return person.is_superuser or Membership.objects.filter(person=person, role__in=MAY_CONFIGURE).exists()


def require_study_maker(request: HttpRequest) -> "User":
    """Return the person, if they may make studies. Raises PermissionDenied."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    if not may_make_studies(person):
        raise PermissionDenied(_("Only researchers and admins of a study can create new studies. Ask one of them."))
    return person


def grantable(roles: Collection[str]) -> frozenset[str]:
    """Return the roles that a person with these roles can grant and revoke in the same study."""
    return frozenset().union(*(GRANTS.get(role, frozenset()) for role in roles))


def require_grant(study: "WithAnnotations[Study, HasRoles]", role: str) -> None:
    """Raise PermissionDenied if the person cannot grant or revoke this role in the study."""
    if role not in grantable(study.roles):
        raise PermissionDenied(_("Only an admin of the study can grant or revoke this role."))


def may_give(giver: "User | None", study: Study, role: str) -> bool:
    """Return whether `giver` may grant this role now. None means the operator of the server.

    The rows of the giver's roles are locked, so that none of them is revoked before the transaction ends.
    """
    if giver is None or not giver.is_active:
        return giver is None
    if giver.is_superuser:
        return True
    held = Membership.objects.select_for_update().filter(study=study, person=giver).order_by("pk")
    return role in grantable([membership.role for membership in held])


#: Rules of higher apps: whether a person has a right that no admin of a study can grant, such as a safety officer.
guarded_people: "list[Callable[[User], bool]]" = []
#: Roles that see what no admin may see. Admins must not reach it by resetting a password.
ONLY_SUPERUSERS_RESET = frozenset({Role.WELLBEING_CONTACT})


def only_superusers_reset(person: "User") -> bool:
    """Return whether only a superuser may reset this person's password, whatever roles others can grant.

    Every right that no admin of a study can grant must be covered here or in `guarded_people`.
    """
    roles = {role for _study_id, role in _roles_held_or_offered(person)}
    if person.is_superuser or person.is_staff or not roles.isdisjoint(ONLY_SUPERUSERS_RESET):
        return True
    return any(rule(person) for rule in guarded_people)


def may_reset_password(actor: "User", person: "User") -> bool:
    """Return whether `actor` may replace the person's password with a one-time password.

    With that password, `actor` could sign in as the person everywhere. So `actor` must be a superuser, or be able to
    grant each role that the person has or is invited to, in every study. The study that made the account must be
    among these studies. People change their own password with the old one instead.
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
    """Return the person's roles by study, including those of open invitations."""
    held = Membership.objects.filter(person=person).values_list("study_id", "role")
    offered = Invitation.objects.filter(person=person, state=Invitation.State.OPEN).values_list("study_id", "role")
    return {*held, *offered}


def require_password_reset(actor: "User", person: "User") -> None:
    """Raise PermissionDenied if `may_reset_password` is false."""
    if not may_reset_password(actor, person):
        raise PermissionDenied(
            _(
                "You cannot reset this password. The account was not created in a study that you run, or the "
                "person has a role that you cannot grant. Ask a superuser of this installation."
            )
        )
