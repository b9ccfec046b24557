"""The base class of all API views, with the headers that they share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from accounts import days
from accounts.models import AccessToken, User
from diptych.parameters import DeclaredParameters

#: In a request: the person for whom the sending page was made. In a response: the person who is signed in.
PERSON_HEADER = "X-Diptych-Person"
#: In a response: the date of the person's running day, and when that day ends (`accounts.days`).
DAY_HEADER = "X-Diptych-Day"
#: In a response to a request with a token that expires soon: when.
EXPIRES_HEADER = "Diptych-Token-Expires"


class SignedInView(DeclaredParameters):
    """An endpoint for somebody who is signed in, by session or token."""

    #: The scope that a token needs, by method. A method without a scope accepts no tokens (`TokenCoversView`).
    scopes: ClassVar[Mapping[str, str]] = {}
    asks: User | None = None

    @property
    def person(self) -> User:
        """Return the person who sends the request."""
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a request that a page sends for another person than the one signed in: 403 `somebody_else`."""
        super().initial(request, *args, **kwargs)
        self.asks = self.person
        meant = request.headers.get(PERSON_HEADER)
        if meant is not None and meant != str(self.asks.pk):
            name = self.asks.get_username()
            raise PermissionDenied(_("This browser is signed in as %(name)s.") % {"name": name}, "somebody_else")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Forbid caches to keep the response, name the person in it, and warn of a token that expires soon."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.asks is not None:
            now = timezone.now()
            response.headers[PERSON_HEADER] = str(self.asks.pk)
            day, end = days.day_of(self.asks, now), days.end_of_day(self.asks, now)
            response.headers[DAY_HEADER] = f"{day.isoformat()} {end.isoformat()}"
            token = request.auth
            if isinstance(token, AccessToken) and token.ends_soon:
                response.headers[EXPIRES_HEADER] = token.expiry.isoformat()
        return response
