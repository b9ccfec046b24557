"""Computations of figures: ask for one, follow it, cancel it."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from diptych.refusals import Refused
from figures import figure_cards, figure_jobs
from figures.models import StudyFigures
from figures.permissions import agreement_study, computing_study, require_figures


@require_POST
@never_cache
@login_required
def compute(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Have figures of one kind computed, and return to their page."""
    study = computing_study(request, slug)
    try:
        figure_jobs.compute(study, kind, actor=cast(User, request.user))
    except Refused as reason:
        messages.error(request, str(reason))
    return redirect(f"figures:{kind}", slug=slug)


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, job_id: int) -> JsonResponse:
    """Return the parts of the page that change while a computation waits or runs."""
    study = agreement_study(request, slug)
    job = get_object_or_404(_jobs(), pk=job_id, study=study)
    require_figures(study, job.kind)
    return JsonResponse(figure_cards.card(job).live())


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, slug: str, job_id: int) -> HttpResponse:
    """Cancel a computation, and return to its page."""
    job = get_object_or_404(_jobs(), pk=job_id, study=computing_study(request, slug))
    figure_jobs.cancel(job, actor=cast(User, request.user))
    return redirect(f"figures:{job.kind}", slug=slug)


def _jobs() -> QuerySet[StudyFigures]:
    return StudyFigures.objects.select_related("study", "asked_by").defer("result")
