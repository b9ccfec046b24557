"""Batches, and changing overlap or priority of pairs while people answer them."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from catalog.models import Batch
from catalog.permissions import MAY_CONFIGURE, study_for
from catalog.running import batching, overlap
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
            done = batching.regroup(study, **form.cleaned_data, actor=cast(User, request.user))
        except batching.NotRegrouped as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, what_was_made(done))
            return redirect("running:batches", slug=slug)
    numbers = Batch.objects.filter(study=study).order_by("number").values_list("number", flat=True)
    page = Paginator(numbers, batching.BATCHES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "rows": batching.batches_of(study, page.number),
        "page": page,
        "form": form,
        "free": batching.count_free(study),
    }
    return render(request, "running/batches.html", context, status=400 if form.is_bound else 200)


def what_was_made(done: batching.Regrouped) -> str:
    """A sentence about it."""
    pairs = ngettext("%(n)s pair", "%(n)s pairs", done.pairs) % {"n": done.pairs}
    said = {"pairs": pairs, "first": done.first, "last": done.first + done.batches - 1}
    if done.batches == 1:
        return _("%(pairs)s are in batch %(first)s now.") % said
    return _("%(pairs)s are in batches %(first)s to %(last)s now.") % said


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
        values = form.change
        try:
            count = overlap.change(study, **values, seen=form.cleaned_data["seen"] or 0, actor=cast(User, request.user))
        except overlap.ChangedMeanwhile:
            messages.error(
                request,
                _("Somebody changed overlap or priority meanwhile; nothing was done. This is what yours would do now."),
            )
            return redirect(f"{request.path}?{form.as_query()}")
        said = ngettext("%(n)s pair is changed.", "%(n)s pairs are changed.", count) % {"n": count}
        messages.success(request, said)
        return redirect("running:batches", slug=slug)
    context: dict[str, Any] = {"study": study, "form": form, "seen": overlap.last_change(study)}
    if form.is_bound and form.is_valid():
        values = form.change
        context |= {"effect": overlap.preview(study, **values), "what": values["what"], "value": values["value"]}
    return render(request, "running/pairs.html", context, status=400 if form.is_bound and form.errors else 200)
