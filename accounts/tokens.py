"""API tokens, and how a request proves who sends it.

Tokens are django-rest-knox's: a random string that is shown once, stored as SHA-512, with an expiry. Ours also have
scopes. A request with a token may do only what both the token's scopes and the person's current roles allow. Nothing
adds a scope to a token or moves its expiry.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.models import get_digest_token
from knox.settings import CONSTANTS
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from accounts import audit
from accounts.models import WARNING_DAYS, AccessToken, User
from diptych.refusals import BadInput

if TYPE_CHECKING:
    from rest_framework.views import APIView

#: The scopes, with a description of each.
SCOPE_LABELS = {
    "read": gettext_lazy("See your studies and their progress"),
    "annotate": gettext_lazy("Fetch pairs and send answers on your behalf"),
    "review": gettext_lazy("Review answers"),
    "export": gettext_lazy("Download answers"),
    "manage": gettext_lazy("Import material and change studies"),
    "train": gettext_lazy("Train models as a worker: take runs, report their progress, upload the models"),
}
SCOPES = tuple(SCOPE_LABELS)
LIFETIME = timedelta(days=90)
#: Lifetimes in days that people can choose.
LIFETIMES_DAYS = (7, 30, 90, 365)
MOST_TOKENS = 50

#: Functions that return the scopes that a person's current roles can use. Apps that know roles add theirs in `ready()`.
scope_rules: list[Callable[[User], Collection[str]]] = []


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token: its text, which is shown once and cannot be read again, and its row."""

    text: str = field(repr=False)
    row: AccessToken


def usable_scopes(person: User) -> list[str]:
    """Return the scopes that the person's current roles can use, in the order of `SCOPES`."""
    usable = {scope for rule in scope_rules for scope in rule(person)}
    return [scope for scope in SCOPES if scope in usable]


@transaction.atomic
def create_tokens(
    wanted: Sequence[tuple[User, Collection[str]]],
    *,
    name: str = "",
    lifetime: timedelta = LIFETIME,
    actor: User | None = None,
    study_slug: str = "",
) -> list[NewToken]:
    """Make a token for each person, with the scopes given for them. Raises ValueError for an unknown scope."""
    made = []
    for user, scopes in wanted:
        if unknown := set(scopes) - set(SCOPES):
            raise ValueError(f"Unknown token scopes: {', '.join(sorted(unknown))}. Known: {', '.join(SCOPES)}.")
        digest, text = get_digest_token()
        row = AccessToken(
            user=user,
            digest=digest,
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
            expiry=timezone.now() + lifetime,
            scopes=[scope for scope in SCOPES if scope in scopes],
            name=name,
        )
        made.append(NewToken(text, row))
    AccessToken.objects.bulk_create([token.row for token in made])
    facts: list[tuple[Model, dict[str, Any]]] = [(token.row.user, _facts(token.row)) for token in made]
    audit.record_each("token.issued", facts, actor=actor, study_slug=study_slug)
    return made


def create_token(user: User, *, scopes: Collection[str], **about: Any) -> NewToken:
    """Make one token. See `create_tokens`."""
    return create_tokens([(user, scopes)], **about)[0]


def issue_token(user: User, *, scopes: Collection[str], name: str = "", lifetime: timedelta = LIFETIME) -> str:
    """Make a token and return its text only. Raises ValueError for an unknown scope."""
    return create_token(user, scopes=scopes, name=name, lifetime=lifetime).text


@transaction.atomic
def make_named_token(
    person: User, *, scopes: Collection[str], name: str, days: int, actor: User | None = None
) -> NewToken:
    """Make a token that a person asked for, with scopes that their current roles can use.

    The person's row is locked. If the password was replaced since `person` was read, no token is made. Otherwise a
    session that a reset has ended could still make a token.

    Raises BadInput.
    """
    present = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    if present.password != person.password or not present.is_active:
        raise BadInput(_("This account was changed during your request. Sign in again."))
    if unusable := sorted(set(scopes) - set(usable_scopes(present))):
        about = {"name": present.username, "scopes": ", ".join(unusable)}
        raise BadInput(_("No role of %(name)s can use these scopes: %(scopes)s. Leave them out.") % about)
    if AccessToken.objects.filter(user=present, name=name).exists():
        raise BadInput(_("There is already a token called “%(name)s”. Choose another name.") % {"name": name})
    if AccessToken.objects.filter(user=present).count() >= MOST_TOKENS:
        sentence = _("A person can have at most %(most)s tokens. Revoke a token that is no longer used.")
        raise BadInput(sentence % {"most": MOST_TOKENS})
    return create_token(present, scopes=scopes, name=name, lifetime=timedelta(days=days), actor=actor)


def expiring_tokens(person: User) -> list[AccessToken]:
    """Return the used tokens of the person that expire within `WARNING_DAYS`, the earliest first."""
    now = timezone.now()
    soon = {"expiry__gte": now, "expiry__lt": now + timedelta(days=WARNING_DAYS)}
    return list(AccessToken.objects.filter(user=person, last_used_on__isnull=False, **soon).order_by("expiry"))


@transaction.atomic
def revoke(token: AccessToken, *, actor: User | None) -> bool:
    """End a token immediately. Return False if somebody ended it before."""
    deleted, _rows = AccessToken.objects.filter(pk=token.pk).delete()
    if deleted:
        audit.record("token.revoked", token.user, actor=actor, before=_facts(token))
    return bool(deleted)


@transaction.atomic
def revoke_all(person: User, *, actor: User | None) -> int:
    """End all tokens of the person immediately. Return how many there were."""
    rows = list(AccessToken.objects.select_for_update().filter(user=person).order_by("pk"))
    return sum(revoke(row, actor=actor) for row in rows)


def _facts(token: AccessToken) -> dict[str, Any]:
    return {"token": token.public_id, "name": token.name, "scopes": token.scopes, "expires": token.expiry}


class TokenAuthentication(KnoxAuthentication):
    """Authentication by the header `Authorization: Token …`."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AccessToken]:
        """Return who sends the request. The first request of a day records that the token was used on that day.

        Text that cannot be one of our tokens is refused before the database sees it. Raises AuthenticationFailed.
        """
        if not token.isalnum():
            raise exceptions.AuthenticationFailed(_("Invalid token."))
        person, row = super().authenticate_credentials(token)
        today = datetime.now(UTC).date()
        if row.last_used_on != today:
            AccessToken.objects.filter(pk=row.pk).exclude(last_used_on=today).update(last_used_on=today)
        return person, row

    def _cleanup_token(self, auth_token: AccessToken) -> bool:
        """Return whether the token has expired. Its row stays, so that its owner can see when it expired."""
        return auth_token.expiry < timezone.now()


class TokenCoversView(permissions.BasePermission):
    """A permission: one of the token's scopes must be the scope that the view declares.

    A view declares `scopes`, the scope by method, such as `{"GET": "read", "POST": "manage"}`. A view or a method
    without a scope accepts no tokens. The check runs before anything is looked up.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        token = request.auth
        if not isinstance(token, AccessToken):
            return True
        declared: dict[str, str] = getattr(view, "scopes", {})
        method = request.method or ""
        if not hasattr(view, method.lower()):
            return True  # the view refuses the method itself
        if method == "OPTIONS":
            return not set(token.scopes).isdisjoint(declared.values())
        scope = declared.get(method) or (declared.get("GET") if method == "HEAD" else None)
        if scope is None:
            raise exceptions.PermissionDenied(_("This address does not accept API tokens."))
        if scope not in token.scopes:
            raise exceptions.PermissionDenied(_("This token was not issued for “%(scope)s”.") % {"scope": scope})
        return True


class SessionAuthentication(authentication.SessionAuthentication):
    """Authentication by the session cookie, with CSRF protection. A missing sign-in gives 401 instead of 403."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        signed_in = super().authenticate(request)
        if signed_in and signed_in[0].must_change_password:
            raise exceptions.PermissionDenied(
                _("First sign in with a browser and choose your own password."),
                "password_change_required",
            )
        return signed_in

    def authenticate_header(self, request: Request) -> str:
        return "Session"
