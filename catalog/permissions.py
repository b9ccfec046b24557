"""Who may see or do what in the catalog; the only place in the room that decides it.

A study that a person has no role in does not exist for them (404); one in which their role, or the token they
signed in with, does not cover the act is forbidden (403).
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, TypedDict

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from accounts.models import AccessToken
from catalog.models import Membership, Study
from catalog.models.studies import Role

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class HasRoles(TypedDict):
    """What `study_for` adds to a study: the asking person's roles in it."""

    roles: list[str]


ANY_ROLE = frozenset(Role.values)
#: Who sees how a study is getting on: everyone who works on its answers rather than gives them.
MAY_SEE_PROGRESS = frozenset({Role.REVIEWER, Role.RESEARCHER, Role.ADMIN})


def study_for(
    request: HttpRequest | Request, slug: str, *, roles: Collection[str] = ANY_ROLE, scope: str = "read"
) -> "WithAnnotations[Study, HasRoles]":
    """The study, if the request's person has one of `roles` in it, in one query; the person's roles are on `.roles`.

    Raises Http404 where the person has no role at all, PermissionDenied where none of theirs, or their token's
    scopes, suffices.
    """
    held = Membership.objects.filter(study=OuterRef("pk"), person_id=request.user.pk).values("role")
    study = Study.objects.filter(slug=slug).annotate(roles=ArraySubquery(held)).first()
    if study is None or not study.roles:
        raise Http404(_("There is no study “%(slug)s” that you take part in.") % {"slug": slug})
    if not set(study.roles) & set(roles):
        raise PermissionDenied(_("Your role in this study does not allow this."))
    require_scope(request, scope)
    return study


def require_scope(request: HttpRequest | Request, scope: str) -> None:
    """Raises PermissionDenied if the request was signed in with a token that does not cover `scope`."""
    token = getattr(request, "auth", None)
    if isinstance(token, AccessToken) and scope not in token.scopes:
        raise PermissionDenied(_("This token was not issued for “%(scope)s”.") % {"scope": scope})
