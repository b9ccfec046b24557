"""The dashboard: how a study is getting on, for those who answer for its data."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.progress import progress
from catalog import media_progress
from catalog.models import Video
from media.models import Asset
from qc.permissions import overseen_study, ways_on


@require_safe
@never_cache
@login_required
def dashboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Progress, failed media with their reasons, and the way to the data."""
    study = overseen_study(request, slug)
    failed = (
        Video.objects.filter(study=study, asset__state=Asset.State.FAILED)
        .select_related("asset", "prompt")
        .order_by("pk")
    )
    counts = progress(study)
    preparing = bool(counts.media_waiting or counts.media_running)
    return render(
        request,
        "qc/dashboard.html",
        {
            "study": study,
            "progress": counts,
            "pace": media_progress.pace(study) if preparing else media_progress.UNKNOWN,
            "troubles": media_progress.troubles(study) if preparing else [],
            "failed": failed[:100],
            **ways_on(study),
        },
    )
