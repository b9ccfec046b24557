"""The dashboard: a study's progress, for the people responsible for its data."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import Seat
from catalog import media_progress
from catalog.models import Video
from figures import study_counts
from figures.permissions import allowed_links, dashboard_study
from media.models import Asset
from studies.models import Study

#: The most failed videos that the page lists with their reasons. The library lists all of them.
MOST_FAILED = 100


@require_safe
@never_cache
@login_required
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the study's progress, failed media with their reasons, and links to the data."""
    study = dashboard_study(request, slug)
    failed = (
        Video.objects.filter(study=study, asset__state=Asset.State.FAILED)
        .select_related("asset", "prompt")
        .order_by("pk")
    )
    counts, counted_at = study_counts.counts_of(study)
    links = allowed_links(study)
    preparing = bool(counts.media_waiting or counts.media_running)
    return render(
        request,
        "figures/dashboard.html",
        {
            "study": study,
            "progress": counts,
            "counted_at": counted_at,
            "pace": media_progress.pace(study) if preparing else media_progress.UNKNOWN,
            "troubles": media_progress.troubles(study) if preparing else [],
            "failed": failed[:MOST_FAILED] if counts.media_failed else [],
            "most_failed": MOST_FAILED,
            "rows": rows_behind(study, links) | stopped_behind(study, links),
            "stopped": stopped(study),
            **links,
        },
    )


def stopped(study: Study) -> dict[str, int]:
    """Return how many people are paused by a rule, and how many are suspended. One query of few rows."""
    paused, suspended = (Count("pk", filter=Q(**{f"{name}_at__isnull": False})) for name in ("paused", "suspended"))
    return Seat.objects.filter(study=study).aggregate(paused=paused, suspended=suspended)


def stopped_behind(study: Study, links: dict[str, bool]) -> dict[str, str]:
    """Return for each number of `stopped` the address of its list, if the person may see that list."""
    paused = {"paused": reverse("suspensions:pauses", args=[study.slug])}
    suspended = {"suspended": f"{reverse('suspensions:suspensions', args=[study.slug])}?state=in_force"}
    return (paused if links["may_count_work"] else {}) | (suspended if links["may_suspend"] else {})


def rows_behind(study: Study, links: dict[str, bool]) -> dict[str, str]:
    """Return for each count on the page the address of the list with its rows, if the person may see that list.

    Args:
        links: what the person may do, as `qc.permissions.allowed_links` returns it.
    """
    people = {"people": f"{reverse('answers:people_progress', args=[study.slug])}?answered=yes"}
    return (_material_behind(study) if links["may_browse"] else {}) | (people if links["may_count_work"] else {})


def _material_behind(study: Study) -> dict[str, str]:
    prompts, videos, pairs = (reverse(f"catalog:{name}", args=[study.slug]) for name in ("prompts", "videos", "pairs"))
    answers = reverse("answers:list", args=[study.slug])
    return {
        "prompts": prompts,
        "videos": videos,
        "media_done": f"{videos}?state=ready",
        "media_waiting": f"{videos}?state=waiting",
        "media_running": f"{videos}?state=running",
        "media_failed": f"{videos}?state=failed",
        "media_delayed": f"{videos}?state=delayed",
        "pairs": f"{pairs}?state=not_held&kind=real",
        "pairs_held": f"{pairs}?state=held&kind=real",
        "pairs_preparing": f"{pairs}?state=preparing&kind=real",
        "pairs_done": f"{pairs}?state=answered&kind=real",
        "pairs_leased": f"{pairs}?state=leased&kind=real",
        "answers_counted": f"{answers}?standing=counted&held=no&kind=real",
        "answers_surplus": f"{answers}?standing=uncounted&kind=real",
        "answers_invalid": f"{answers}?standing=invalid&kind=real",
    }
