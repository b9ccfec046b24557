"""Charts as files: have one drawn, wait for it, download it."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from charts import catalogue, files
from charts.models import ChartFile
from charts.permissions import charts_study
from diptych.refusals import BadInput
from studies.models import Study

CONTENT_TYPES = {ChartFile.Format.PNG: "image/png", ChartFile.Format.SVG: "image/svg+xml"}


@require_POST
@never_cache
@login_required
def draw(request: HttpRequest, slug: str, chart: str) -> HttpResponse:
    """Have a chart drawn as a file, and lead to the page that waits for it. Raise BadInput for an unknown format."""
    study = charts_study(request, slug)
    wanted = request.POST.get("format", "")
    if wanted not in ChartFile.Format.values:
        raise BadInput(_("A chart is drawn as png or svg. Choose one of them."), field="format")
    found = catalogue.find(study, chart, request.GET)
    file = files.ask(study, found, wanted, actor=cast(User, request.user))
    return redirect("charts:chart_file", slug=slug, file_id=file.pk)


@require_safe
@never_cache
@login_required
def file(request: HttpRequest, slug: str, file_id: int) -> HttpResponse:
    """Show the progress of a file, and its link when it is drawn."""
    study = charts_study(request, slug)
    found = get_object_or_404(_files(study), pk=file_id)
    context = {"study": study, "file": found, "underway": files.card(found) if found.is_open else None}
    return render(request, "charts/chart_file.html", context)


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, file_id: int) -> JsonResponse:
    """Return the parts of the page that change while the chart is drawn."""
    return JsonResponse(files.card(get_object_or_404(_files(charts_study(request, slug)), pk=file_id)).live())


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str, file_id: int) -> HttpResponse:
    """Send a drawn chart. Raise Http404 while it is not drawn."""
    drawn = ChartFile.objects.filter(study=charts_study(request, slug), state=ChartFile.State.DONE)
    found = get_object_or_404(drawn, pk=file_id)
    name = f"{found.name}.{found.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(
        bytes(found.content or b""), content_type=CONTENT_TYPES[ChartFile.Format(found.format)], headers=headers
    )


def _files(study: Study) -> QuerySet[ChartFile]:
    return ChartFile.objects.filter(study=study).select_related("study", "asked_by").defer("specification", "content")
