"""The page of a trial: the workspace, for people who may configure the study."""

from contextlib import suppress

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.own_progress import NOTHING_YET
from annotation.views import workspace_context
from trial.permissions import trial_study


@require_safe
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the annotators' page. `?first=` is the key of the pair to begin with."""
    study = trial_study(request, slug)
    start = 0
    with suppress(ValueError):
        start = max(0, int(request.GET.get("first", "0")[:19]))
    context = workspace_context(study) | {
        "trial": True,
        "start": start,
        "more_ends": "trial/_trial_ends.html",
        "more_words": "trial/_trial_words.html",
        "answered": 0,
        "latest_answered": [],
        "today": NOTHING_YET,
    }
    return render(request, "trial/trial.html", context)
