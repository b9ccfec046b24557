"""API tokens and how a request proves who sends it.

Tokens are django-rest-knox's: a random string handed out once, stored as SHA-512, with an expiry. Ours also
carry scopes; a session has every scope, a token only those it was issued with.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts.models import AccessToken, User

#: What a token may be used for. `read`: see one's studies; `annotate`: lease and answer; `review`: check answers;
#: `export`: download answers; `manage`: change studies and people.
SCOPES = ("read", "annotate", "review", "export", "manage")
LIFETIME = timedelta(days=90)


def issue_token(user: User, *, scopes: Iterable[str], name: str = "", lifetime: timedelta = LIFETIME) -> str:
    """A new token's text, which is shown once and cannot be read again. Raises ValueError for an unknown scope."""
    chosen = [scope for scope in SCOPES if scope in set(scopes)]
    if unknown := set(scopes) - set(chosen):
        raise ValueError(f"Unknown token scopes: {', '.join(sorted(unknown))}. Known: {', '.join(SCOPES)}.")
    _row, text = AccessToken.objects.create(user=user, expiry=lifetime, scopes=chosen, name=name)
    return str(text)


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Token …`."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """Refuse what cannot be one of our tokens before the database sees it. Raises AuthenticationFailed."""
        if not token.isalnum():
            raise exceptions.AuthenticationFailed(_("Invalid token."))
        return super().authenticate_credentials(token)

    def _cleanup_token(self, auth_token: AccessToken) -> bool:
        """Whether the token has expired. Its row stays: authenticating must not write."""
        return auth_token.expiry < timezone.now()


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session cookie, with CSRF protection; a missing sign-in answers 401 rather than 403."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        signed_in = super().authenticate(request)
        if signed_in and signed_in[0].must_change_password:
            raise exceptions.PermissionDenied(
                _("Choose a password of your own first: sign in with the browser."),
                "password_change_required",
            )
        return signed_in

    def authenticate_header(self, request: Request) -> str:
        return "Session"
