"""Pages of models: the families of a study, the versions of a family, and one version."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog.library.files import send_list
from diptych.refusals import BadInput, Refused
from diptych.spreadsheet import write_rows
from training import registry, registry_charts, registry_tables, registry_waiting, scoring, version_details
from training import registry_words as words
from training.finishing import files_of
from training.kinds import Kind
from training.models import ModelFamily, ModelVersion
from training.permissions import family_of, numbered_version, runs_study, training_study, trains
from training.promotion import ANY_HARM

State = ModelVersion.State
#: The most versions on a page. The CSV has all.
MOST_VERSIONS = 200


def _versions(family: ModelFamily) -> QuerySet[ModelVersion]:
    related = ("family", "run__release", "against", "decided_by")
    return ModelVersion.objects.filter(family=family).select_related(*related).defer("details").order_by("-number")


def _row(version: ModelVersion) -> dict[str, Any]:
    """Return a version with its main figure in words."""
    main = words.main_figure(version)
    figure = main["figure"] if main else ""
    human = words.metric(version, words.HUMAN, main["target"]) if main else None
    ceiling = words.metric(version, words.CEILING, main["target"]) if main else None
    return {
        "version": version,
        "figure": words.FIGURES.get(figure, ""),
        "value": words.number(figure, main["value"]) if main else _("not defined"),
        "low": words.number(figure, main.get("low")) if main else "",
        "high": words.number(figure, main.get("high")) if main and main.get("high") is not None else "",
        "baseline": words.number(figure, main.get("baseline")) if main else "–",
        "people": words.number(words.HUMAN, human.get("value")) if human else "–",
        "ceiling": words.number(words.CEILING, ceiling.get("high")) if ceiling else "–",
        "why": words.why(version),
    }


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the families of models of a study, each with its promoted version and its latest one."""
    study = runs_study(request, slug)
    rows = []
    for family in ModelFamily.objects.filter(study=study).order_by("kind", "targets", "backbone"):
        latest = _versions(family).first()
        if latest is not None:
            promoted = _versions(family).filter(state=State.PROMOTED).first()
            shown = _row(promoted) if promoted else None
            rows.append({"family": family, "name": words.family(family), "promoted": shown, "latest": latest})
    return render(request, "training/models.html", {"study": study, "rows": rows, "trains": trains(study)})


@require_safe
@never_cache
@login_required
def family(request: HttpRequest, slug: str, family_id: int) -> HttpResponse:
    """Show the versions of a family over the releases that they were trained on."""
    study = runs_study(request, slug)
    of = family_of(study, family_id)
    found = list(_versions(of)[: MOST_VERSIONS + 1])
    context = {
        "study": study,
        "family": of,
        "name": words.family(of),
        "rows": [_row(one) for one in found[:MOST_VERSIONS]],
        "is_cut": len(found) > MOST_VERSIONS,
        "chart": registry_charts.versions(study, of),
    }
    return render(request, "training/family.html", context)


@require_safe
@never_cache
@login_required
def versions_csv(request: HttpRequest, slug: str, family_id: int) -> HttpResponseBase:
    """Send the versions of a family as CSV."""
    study = runs_study(request, slug)
    of = family_of(study, family_id)
    columns = ("version", "release", "run", "state", "decision", "k", "low", "high", "clusters", "against")
    figure = ("figure", "value", "value_low", "value_high", "baseline")
    lines = []
    for one in _versions(of):
        main = words.main_figure(one) or {}
        cells = [
            *(one.number, one.run.release.number, one.run_id, one.state, one.decision, one.comparison),
            *(one.low, one.high, one.clusters, one.against.number if one.against else None),
            *(main.get(name) for name in ("figure", "value", "low", "high", "baseline")),
            one.created_at.isoformat(),
        ]
        lines.append(["" if cell is None else cell for cell in cells])
    listing = {"list": "model versions", "family": of.pk}
    return send_list(
        request,
        study,
        lambda file: write_rows((*columns, *figure, "created_at"), lines, file),
        name=f"models-{of.pk}",
        about=listing,
    )


@require_safe
@never_cache
@login_required
def version(request: HttpRequest, slug: str, family_id: int, number: int) -> HttpResponse:
    """Show one version: where it comes from, its metrics, its comparison, the decision, and its files."""
    study = runs_study(request, slug)
    shown = numbered_version(study, family_id, number)
    return render(request, "training/version.html", _about(request, study, shown))


def _about(request: HttpRequest, study: Any, shown: ModelVersion) -> dict[str, Any]:
    family = shown.family
    targets = [ANY_HARM] if family.kind == Kind.MODERATION else family.targets
    present = registry.promoted(family)
    return {
        "study": study,
        "version": shown,
        "name": words.family(family),
        "row": _row(shown),
        "metrics": registry_tables.metrics(shown),
        "tags": registry_tables.tags(shown),
        "reliability": [
            {
                "target": words.tag(target) if target == ANY_HARM else words.target(target),
                "key": target,
                "chart": registry_charts.reliability(study, shown, target),
                "table": registry_tables.reliability(shown, target),
            }
            for target in targets
            if (shown.reliability or {}).get(target)
        ],
        "details": version_details.of_version(study, shown, request.GET),
        "difference": words.points((shown.low + shown.high) / 2)
        if shown.low is not None and shown.high is not None
        else "",
        "low": words.signed(shown.low) if shown.low is not None else "",
        "high": words.points(shown.high) if shown.high is not None else "",
        "files": [] if shown.state == State.WITHDRAWN else files_of(shown.run),
        "trains": trains(study),
        "scoring": scoring.progress(shown) if shown.state == State.PROMOTED else None,
        "evaluation": registry_waiting.evaluation_of(shown),
        "can_compare_again": registry_waiting.can_compare_again(shown),
        "promotable": not registry.why_not_promotable(shown, present),
        "longest": registry.LONGEST_REASON,
    }


ACTIONS = {"promote": registry.promote, "take_back": registry.take_back, "withdraw": registry.withdraw}


@require_POST
@never_cache
@login_required
def decide(request: HttpRequest, slug: str, family_id: int, number: int) -> HttpResponse:
    """Promote a version, take its promotion back, or withdraw it, with a reason."""
    study = training_study(request, slug)
    shown = numbered_version(study, family_id, number)
    act = ACTIONS.get(request.POST.get("act", ""))
    if act is None:
        raise BadInput(_("Choose what to do: promote, take_back or withdraw."), field="act")
    try:
        act(shown, reason=request.POST.get("reason", ""), actor=cast(User, request.user))
    except BadInput as wrong:
        context = _about(request, study, shown) | {"trouble": wrong.sentence}
        return render(request, "training/version.html", context, status=400)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Saved."))
    return redirect("models:version", slug=slug, family_id=family_id, number=number)


@require_POST
@never_cache
@login_required
def compare_again(request: HttpRequest, slug: str, family_id: int, number: int) -> HttpResponse:
    """Have a version whose comparison could not be made compared again, and return to its page."""
    study = training_study(request, slug)
    shown = numbered_version(study, family_id, number)
    try:
        registry_waiting.compare_again(shown, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The version is compared again. This page shows the decision."))
    return redirect("models:version", slug=slug, family_id=family_id, number=number)


@require_POST
@never_cache
@login_required
def score(request: HttpRequest, slug: str, family_id: int, number: int) -> HttpResponse:
    """Have new videos scored with a promoted version, and return to its page."""
    study = training_study(request, slug)
    shown = numbered_version(study, family_id, number)
    try:
        scoring.ask(shown, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The videos are scored by the next free worker."))
    return redirect("models:version", slug=slug, family_id=family_id, number=number)
