"""The dashboard: how a study is getting on, for those who answer for its data."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.progress import progress
from catalog.models import Asset, Video
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
    return render(
        request,
        "qc/dashboard.html",
        {
            "study": study,
            "progress": progress(study),
            "failed": failed[:100],
            **ways_on(study),
        },
    )
