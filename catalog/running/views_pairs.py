"""Batches, and changing overlap or priority of pairs while people answer them."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from catalog.models import Batch, PairsChange
from catalog.permissions import MAY_CONFIGURE, study_for
from catalog.running import batching, changes, overlap, showing
from catalog.running.forms import BatchingForm
from catalog.running.forms_pairs import PairsForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def batches(request: HttpRequest, slug: str) -> HttpResponse:
    """The batches and how far each is; makes them anew of what nobody has yet."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    form = BatchingForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            change = changes.make_batches(study, **form.cleaned_data, actor=cast(User, request.user))
        except changes.NotPossible as reason:
            form.add_error(None, str(reason))
        else:
            say_outcome(request, change)
            return redirect("running:batches", slug=slug)
    numbers = Batch.objects.filter(study=study).order_by("number").values_list("number", flat=True)
    page = Paginator(numbers, batching.BATCHES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "rows": batching.batches_of(study, page.number),
        "page": page,
        "form": form,
        "free": batching.count_free(study),
    } | showing.changes_of(study)
    return render(request, "running/batches.html", context, status=400 if form.is_bound else 200)


def say_outcome(request: HttpRequest, change: PairsChange) -> None:
    """Says what came of a change that was carried out at once. Of one that takes longer, the page tells."""
    if change.state == PairsChange.State.DONE:
        messages.success(request, showing.outcome(change))
    elif change.state == PairsChange.State.FAILED:
        messages.error(request, showing.outcome(change))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows what a change of overlap or priority would do to the pairs chosen, and does it when told to.

    The choice stands in the address, so the effect can be looked at again; only the change itself is posted.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    given = request.POST if request.method == "POST" else request.GET
    form = PairsForm(given if "what" in given else None, study=study)
    if request.method == "POST" and form.is_valid():
        here = f"{request.path}?{form.as_query()}"
        seen = form.cleaned_data["seen"] or 0
        try:
            change = changes.change_pairs(study, **form.change, seen=seen, actor=cast(User, request.user))
        except changes.ChangedMeanwhile:
            messages.error(
                request,
                _("Somebody changed overlap or priority meanwhile; nothing was done. This is what yours would do now."),
            )
            return redirect(here)
        except changes.NotPossible as reason:
            messages.error(request, str(reason))
            return redirect(here)
        say_outcome(request, change)
        return redirect("running:batches", slug=slug)
    context: dict[str, Any] = {"study": study, "form": form, "seen": changes.last_change(study)}
    context |= showing.changes_of(study)
    if form.is_bound and form.is_valid():
        values = form.change
        context |= {"effect": overlap.preview(study, **values), "what": values["what"], "value": values["value"]}
    return render(request, "running/pairs.html", context, status=400 if form.is_bound and form.errors else 200)
