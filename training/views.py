"""Pages of training: the runs of a study, one run, and a new one."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from diptych.refusals import BadInput, Refused
from releases import latest
from releases.models import Release
from releases.permissions import numbered
from studies.models import Study
from training import curves, pages, queueing
from training.finishing import files_of
from training.forms import RunForm
from training.models import ModelVersion, Run
from training.permissions import own_run, run_for, runs_study, training_study, trains

ROWS_A_PAGE = 50
#: Releases that the form offers, the latest ones.
MOST_RELEASES = 100


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the training runs of a study, latest first."""
    study = runs_study(request, slug)
    page = Paginator(pages.runs_of(study), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [(run, pages.family_name(run.family), pages.state(run), pages.duration(run)) for run in page.object_list]
    context = {
        "study": study,
        "page": page,
        "rows": rows,
        "trains": trains(study),
        "workers": queueing.known_workers(study),
        "can_train": bool(_releases(study)),
    }
    return render(request, "training/list.html", context)


@require_safe
@never_cache
@login_required
def run(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Show one run: its progress, loss, figures, log, files and what it used."""
    shown = run_for(request, run_id, slug)
    points = curves.of_run(shown)
    context = {
        "study": shown.study,
        "run": shown,
        "title": pages.title(shown),
        "family": pages.family_name(shown.family),
        "state": pages.state(shown),
        "underway": pages.card(shown) if shown.is_open else None,
        "outcome": pages.outcome(shown),
        "duration": pages.duration(shown),
        "figures": pages.figures(shown),
        "chart": curves.chart(shown.study, shown, points),
        "points": curves.rows(points),
        "log": pages.log_end(shown),
        "resources": pages.resources(shown),
        "files": files_of(shown) if shown.state == Run.State.DONE else [],
        "version": ModelVersion.objects.filter(run=shown).select_related("family").first(),
        "trains": trains(shown.study),  # type: ignore[arg-type]  # `run_for` reads the roles
        "preflight": sorted((shown.preflight or {}).items()),
    }
    return render(request, "training/run.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a new run, and queue it on POST."""
    study = training_study(request, slug)
    releases = _releases(study)
    backbones = queueing.backbones(study)
    first = {"release": request.GET.get("release", ""), "train": ["helpfulness"]}
    data = request.POST if request.method == "POST" else None
    form = RunForm(data, releases=releases, backbones=backbones, initial=first)
    if request.method == "POST" and form.is_valid():
        release = numbered(study, int(form.cleaned_data["release"]))
        release.study = study
        try:
            made = queueing.ask(release, form.wanted, actor=cast(User, request.user))
        except BadInput as wrong:
            form.add_error(wrong.field if wrong.field in form.fields else None, wrong.sentence)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return redirect("training:run", slug=slug, run_id=made.pk)
    context = {"study": study, "form": form, "releases": releases}
    return render(request, "training/new.html", context, status=400 if form.is_bound else 200)


@require_safe
@never_cache
@login_required
def from_release(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Lead from the page of a release to the form of a run on it."""
    numbered(training_study(request, slug), number)
    return redirect(f"{reverse('training:new', args=[slug])}?release={number}")


def _releases(study: Study) -> list[Release]:
    """Return the releases on which a run can be queued, latest first."""
    complete = list(Release.objects.filter(study=study, state=Release.State.DONE).order_by("-number")[:MOST_RELEASES])
    withdrawn = latest.withdrawn(complete)
    return [one for one in complete if one.pk not in withdrawn]


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, run_id: int) -> JsonResponse:
    """Return the parts of the page that change while a run waits or is done."""
    shown = run_for(request, run_id, slug)
    return JsonResponse(pages.card(shown).live() | {"reported": pages.reported(shown)})


@require_safe
@never_cache
@login_required
def curve(request: HttpRequest, slug: str, run_id: int) -> JsonResponse:
    """Return the loss curve of a run as a chart and as rows of its table, and the end of its log."""
    shown = run_for(request, run_id, slug)
    points = curves.of_run(shown)
    chart = curves.chart(shown.study, shown, points)
    return JsonResponse(
        {
            "chart": chart.for_page if points else None,
            "about": chart.specification["description"],
            "rows": curves.rows(points),
            "log": pages.log_end(shown),
        }
    )


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Cancel a run, and return to its page."""
    queueing.cancel(own_run(request, run_id, slug), actor=cast(User, request.user))
    return redirect("training:run", slug=slug, run_id=run_id)


@require_POST
@never_cache
@login_required
def again(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Let a run that failed or was cancelled run again, and return to its page."""
    try:
        queueing.again(own_run(request, run_id, slug), actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("training:run", slug=slug, run_id=run_id)
