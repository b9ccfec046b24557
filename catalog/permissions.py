"""Who may see or do what in the catalog; the only place in the room that decides it.

A study that a person has no role in does not exist for them (404); one in which their role, or the token they
signed in with, does not cover the act is forbidden (403).
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import AccessToken
from catalog.models import Study
from catalog.models.studies import HasRoles, Role

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from accounts.models import User

ANY_ROLE = frozenset(Role.values)
MAY_ANNOTATE = frozenset({Role.ANNOTATOR})
#: Who sees how a study is getting on: everyone who works on its answers rather than gives them.
MAY_SEE_PROGRESS = frozenset({Role.REVIEWER, Role.RESEARCHER, Role.ADMIN})
MAY_EXPORT = frozenset({Role.RESEARCHER, Role.ADMIN})


def allows(study: "WithAnnotations[Study, HasRoles]", roles: Collection[str]) -> bool:
    """Whether one of the asking person's roles in the study is among `roles`."""
    return not set(roles).isdisjoint(study.roles)


def study_for(
    request: HttpRequest | Request, slug: str, *, roles: Collection[str] = ANY_ROLE, scope: str = "read"
) -> "WithAnnotations[Study, HasRoles]":
    """The study, if the request's person has one of `roles` in it, in one query; the person's roles are on `.roles`.

    Raises Http404 where the person has no role at all, PermissionDenied where none of theirs, or their token's
    scopes, suffices.
    """
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    study = Study.objects.of(person.pk).filter(slug=slug).first()
    if study is None:
        raise Http404(_("There is no study “%(slug)s” that you take part in.") % {"slug": slug})
    if not allows(study, roles):
        raise PermissionDenied(_("Your role in this study does not allow this."))
    require_scope(request, scope)
    return study


def require_scope(request: HttpRequest | Request, scope: str) -> None:
    """Raises PermissionDenied if the request was signed in with a token that does not cover `scope`."""
    token = getattr(request, "auth", None)
    if isinstance(token, AccessToken) and scope not in token.scopes:
        raise PermissionDenied(_("This token was not issued for “%(scope)s”.") % {"scope": scope})
