"""Pages about API tokens: the own tokens, and those of everybody for superusers.

The text of a token is only in the response to the request that made it.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms import ResetPasswordForm, TokenForm
from accounts.models import AccessToken, User
from accounts.people import new_password, reset_password
from accounts.tokens import NewToken, make_named_token, revoke, usable_scopes
from diptych.database.natural import Natural
from diptych.refusals import BadInput

TOKENS_A_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Show the own tokens and the form that makes a new one."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    form = TokenForm(request.POST if request.method == "POST" else None, scopes=usable_scopes(person))
    made: NewToken | None = None
    if form.is_valid():
        try:
            made = make_named_token(person, actor=person, **form.cleaned_data)
        except BadInput as trouble:
            form.add_error(None, str(trouble))
        else:
            form = TokenForm(None, scopes=usable_scopes(person))
    rows = AccessToken.objects.filter(user=person).order_by("-created")
    context = {"form": form, "made": made, "tokens": rows, "can_make": bool(usable_scopes(person))}
    return render(request, "accounts/tokens.html", context, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def revoke_token(request: HttpRequest, token_id: str) -> HttpResponse:
    """Ask for confirmation, then end a token. Only its owner and superusers can see it."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    known = AccessToken.objects.select_related("user")
    if not person.is_superuser:
        known = known.filter(user=person)
    token = get_object_or_404(known, public_id=token_id)
    is_own = token.user_id == person.pk
    back = "accounts:tokens" if is_own else "accounts:all_tokens"
    if request.method != "POST":
        return render(request, "accounts/token_revoke.html", {"token": token, "is_own": is_own, "back": back})
    revoke(token, actor=person)
    messages.success(request, _("The token “%(name)s” was revoked and no longer works.") % {"name": token.name})
    return redirect(back)


def require_superuser(request: HttpRequest) -> User:
    """Return the person, if they are a superuser. Raises PermissionDenied."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    if not person.is_superuser:
        raise PermissionDenied(_("Only superusers of this installation can open this page."))
    return person


@require_safe
@never_cache
@login_required
def all_tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens of everybody, for superusers."""
    require_superuser(request)
    search = request.GET.get("q", "").strip()
    rows = AccessToken.objects.select_related("user").order_by(Natural("user__username"), "user_id", "expiry")
    if search:
        rows = rows.filter(user__username__icontains=search)
    page = Paginator(rows, TOKENS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/all_tokens.html", {"page": page, "tokens": page.object_list, "search": search})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def reset(request: HttpRequest) -> HttpResponse:
    """Replace a person's password with a one-time password and show it once, for superusers."""
    actor = require_superuser(request)
    form = ResetPasswordForm(request.POST if request.method == "POST" else None, actor=actor)
    if not form.is_valid():
        return render(request, "accounts/reset_password.html", {"form": form}, status=400 if form.is_bound else 200)
    whom, password = form.person, new_password()
    reset_password(whom, password, actor=actor)
    return render(request, "accounts/reset_password.html", {"whom": whom, "password": password.text})
