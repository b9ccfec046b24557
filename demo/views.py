"""The page of the example study: its steps, and what to look at."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from demo.example import SLUG, progress
from diptych.durations import MINUTE, in_words
from studies.permissions import MAY_EXPORT, study_for


@require_safe
@never_cache
@login_required
def example(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how far the example is. Only the study of the demo has this page."""
    study = study_for(request, slug, roles=MAY_EXPORT)
    if not (study.slug == SLUG and study.is_simulated):
        raise Http404(_("This study is not the example of the demo."))
    steps = progress.steps(study)
    left = progress.seconds_left(steps)
    context = {"study": study, "steps": steps, "left": in_words(left, to=MINUTE) if left else ""}
    return render(request, "demo/example.html", context)
