"""A change of many pairs that is being carried out: how far it is, cancelling it, and letting one that failed go on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog.models import PairsChange
from catalog.permissions import MAY_CONFIGURE, study_for
from catalog.running import changes, showing

View = Callable[..., HttpResponseBase]


def of_one_change(view: View) -> View:
    """The view gets the change, for who configures its study."""

    @wraps(view)
    @never_cache
    @login_required
    def guarded(request: HttpRequest, slug: str, change_id: int) -> HttpResponseBase:
        study = study_for(request, slug, roles=MAY_CONFIGURE)
        return view(request, get_object_or_404(PairsChange, study=study, pk=change_id))

    return guarded


@require_safe
@of_one_change
def progress(request: HttpRequest, change: PairsChange) -> JsonResponse:
    """What of the page changes while it waits or runs."""
    return JsonResponse(showing.progress(change))


@require_POST
@of_one_change
def cancel(request: HttpRequest, change: PairsChange) -> HttpResponse:
    """Ends it before its next step."""
    return _attempt(request, change, changes.cancel)


@require_POST
@of_one_change
def resume(request: HttpRequest, change: PairsChange) -> HttpResponse:
    """Lets it go on where it failed."""
    return _attempt(request, change, changes.resume)


def _attempt(request: HttpRequest, change: PairsChange, act: Callable[..., Any]) -> HttpResponse:
    """Does it and leads to the page of the batches, which also says why it could not be done."""
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    try:
        act(change, actor=person)
    except changes.NotPossible as why:
        messages.error(request, str(why))
    return redirect("running:batches", slug=change.study.slug)
