"""The page of a study's background jobs."""

from contextlib import suppress
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studies import job_lists
from studies.permissions import MAY_CONFIGURE, study_for
from studies.setting_groups import GROUPS

A_PAGE = 50


@require_safe
@never_cache
@login_required
def jobs(request: HttpRequest, slug: str) -> HttpResponse:
    """Show all open jobs, and ended jobs with the newest first. `?before=` shows earlier ones."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    before = moment(request.GET.get("before", ""))
    ended = job_lists.ended_jobs(study, before, A_PAGE + 1)
    context = {
        "study": study,
        "groups": GROUPS,
        "open": [] if before else job_lists.open_jobs(study),
        "ended": ended[:A_PAGE],
        "before": ended[A_PAGE - 1].created_at if len(ended) > A_PAGE else None,
        "continued": before is not None,
    }
    return render(request, "studies/jobs.html", context)


def moment(text: str) -> datetime | None:
    """Return the moment in the address, or None if there is none."""
    with suppress(ValueError, OverflowError):
        named = datetime.fromisoformat(text)
        return timezone.make_aware(named) if timezone.is_naive(named) else named
    return None
