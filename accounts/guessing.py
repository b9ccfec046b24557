"""Limit how many wrong passwords one address may send, over all user names.

django-axes makes a user name wait after ten wrong passwords from one address. An attacker who invents a new name each
time never reaches that limit. So all failures of an address are also counted together.

Only failures count, because a whole office may sign in from one address. A successful sign-in removes the failures of
its user name. A browser in which the person has signed in before is never stopped: a cookie in it names the person.
"""

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Min, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.models import User
from diptych.try_again import TryAgain

#: Failures of one address within AXES_COOLOFF_TIME after which the address must wait.
MOST_FAILURES = 100
COOKIE = "known_browser"
COOKIE_KEPT_S = 365 * 24 * 3600


def check_address(address: str | None, *, known: bool) -> None:
    """Raise TryAgain if too many wrong passwords came from the address, unless the browser is `known`."""
    if known or address is None:
        return
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    attempts = AccessAttempt.objects.filter(ip_address=address, attempt_time__gt=since)
    found = attempts.aggregate(failures=Sum("failures_since_start"), first=Min("attempt_time"))
    if (found["failures"] or 0) >= MOST_FAILURES:
        raise TryAgain(
            _("Too many wrong passwords came from your network."),
            _(
                "Wait 15 minutes, then try again. You do not have to wait in a browser in which you have "
                "signed in before."
            ),
            "too_many_failures",
            status=429,
            retry_after_s=1 + int((found["first"] - since).total_seconds()),
        )


def is_known(request: HttpRequest, username: str) -> bool:
    """Return whether this person has signed in with this browser before."""
    return constant_time_compare(request.COOKIES.get(COOKIE, ""), _mark(username))


def remember_browser(response: HttpResponse, person: User) -> None:
    """Set the cookie that shows at the next sign-in that this person has signed in with this browser."""
    response.set_cookie(
        COOKIE,
        _mark(person.get_username()),
        max_age=COOKIE_KEPT_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _mark(username: str) -> str:
    name = get_user_model().normalize_username(username)
    return salted_hmac("accounts.guessing.known_browser", name, algorithm="sha256").hexdigest()
