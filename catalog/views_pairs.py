"""Pages of batches, and of changes of many pairs: overlap, priority, regrouping, holds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from catalog import batching
from catalog.library.filters import PairFilters
from catalog.library.views import Address
from catalog.models import PairsChange
from catalog.pair_changes import effects, orders, pages
from catalog.pair_changes.forms import BatchingForm, PairsForm
from diptych.refusals import Refused
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def batches(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the batches with their progress, and regroup pairs that no one has answered or leased."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    form = BatchingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            change = orders.make_batches(study, **form.cleaned_data, actor=cast(User, request.user))
        except Refused as reason:
            form.add_error(None, str(reason))
        else:
            add_outcome_message(request, change)
            return redirect("catalog:batches", slug=slug)
    page = Paginator(batching.batches_of(study), batching.BATCHES_A_PAGE).get_page(request.GET.get("page"))
    answers = batching.answer_counts_of(list(page.object_list))
    context = {
        "study": study,
        "rows": [(batch, answers[batch.pk]) for batch in page.object_list],
        "page": page,
        "form": form,
        "free": batching.count_free(study),
    } | pages.changes_of(study)
    return render(request, "catalog/batches.html", context, status=400 if form.is_bound else 200)


def add_outcome_message(request: HttpRequest, change: PairsChange) -> None:
    """Add a message with the outcome of a change that is already done. The page shows the progress of others."""
    if change.state == PairsChange.State.DONE:
        messages.success(request, pages.outcome(change))
    elif change.state == PairsChange.State.FAILED:
        messages.error(request, pages.outcome(change))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """Preview a change of overlap or priority of the selected pairs, and carry it out on POST.

    The selection is in the address, so the preview can be reloaded and shared.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    given = request.POST if request.method == "POST" else request.GET
    form = PairsForm(given if "what" in given else None, study=study)
    chosen = form.change if form.is_valid() else {}
    if request.method == "POST" and chosen:
        seen = form.cleaned_data["seen"] or 0
        try:
            change = orders.change_pairs(study, **chosen, seen=seen, actor=cast(User, request.user))
        except Refused as reason:
            messages.error(request, str(reason))
            return redirect(f"{request.path}?{form.as_query()}")
        add_outcome_message(request, change)
        return redirect("catalog:batches", slug=slug)
    context: dict[str, Any] = {"study": study, "form": form, "seen": orders.last_change(study)}
    context |= chosen | pages.changes_of(study)
    if chosen:
        context["effect"] = effects.preview(study, **chosen)
        context["chosen_rows"] = f"{reverse('catalog:pairs', args=[slug])}?{form.rows()}"
    return render(request, "catalog/change_pairs.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def hold_listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how many pairs a list of the library has, and hold or release all of them on POST."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    address = Address(request.GET)
    filters = {name: value for name, value in address.query.dict().items() if name in PairFilters.base_fields}
    page = f"{reverse('catalog:pairs', args=[slug])}{address}"
    wrong = ""
    try:
        if request.method == "POST":
            change = _hold_or_release(request, study, filters)
            if change.is_open:
                return redirect("studies:jobs", slug=slug)
            add_outcome_message(request, change)
            return redirect(page)
        numbers = effects.preview_hold(study, filters)
    except Refused as reason:
        wrong = str(reason)
        numbers = {"pairs": 0, "free": 0, "held": 0}
        with suppress(Refused):
            numbers = effects.preview_hold(study, filters)
    about = pages.about(PairsChange(study=study, what=PairsChange.What.HOLD, choice=filters))
    context = {"study": study, "address": str(address), "page": page, "wrong": wrong, "about": about} | numbers
    return render(request, "catalog/hold_listed.html", context, status=400 if wrong else 200)


def _hold_or_release(request: HttpRequest, study: Study, filters: dict[str, Any]) -> PairsChange:
    actor = cast(User, request.user)
    if request.POST.get("act") == "release":
        return orders.release_listed(study, filters, actor=actor)
    return orders.hold_listed(study, filters, reason=request.POST.get("reason", ""), actor=actor)


def change_for(request: HttpRequest, slug: str, change_id: int) -> PairsChange:
    """Return the change for a person who may configure its study. Raises Http404 and PermissionDenied."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    return get_object_or_404(PairsChange.objects.select_related("study", "asked_by"), study=study, pk=change_id)


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, change_id: int) -> JsonResponse:
    """Return the parts of the page that change while a change of pairs waits or runs."""
    return JsonResponse(pages.card(change_for(request, slug, change_id)).live())


@require_POST
@never_cache
@login_required
def act(request: HttpRequest, slug: str, change_id: int, act: Callable[..., object]) -> HttpResponse:
    """Cancel or resume a change, and redirect to the batches. A message says why it was refused."""
    change = change_for(request, slug, change_id)
    try:
        act(change, actor=cast(User, request.user))
    except Refused as reason:
        messages.error(request, str(reason))
    return redirect("catalog:batches", slug=slug)
