"""What people do with a lot: start its review, draw its sample, decide about it, reopen the decision."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from diptych.refusals import BadInput, Refused
from qc import decisions, lots, quality
from qc.decisions import Wanted
from qc.forms import DecisionForm, ReasonForm
from qc.models import Lot
from qc.permissions import deciding_study
from qc.views_lots import lot_of


def _acted(request: HttpRequest, slug: str, lot: Lot, act: Any, done: str) -> HttpResponse:
    """Call `act`, say what was done or why not, and return to the lot's page."""
    try:
        act(lot)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, done)
    return redirect("qc:lot", slug=slug, number=lot.number)


@require_POST
@login_required
def start(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Start the review of a draft lot."""
    lot = lot_of(deciding_study(request, slug), number)
    actor = cast(User, request.user)
    return _acted(request, slug, lot, lambda one: lots.start(one, actor=actor), _("The review has started."))


@require_POST
@login_required
def dissolve(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Delete a draft lot."""
    lot = lot_of(deciding_study(request, slug), number)
    try:
        lots.dissolve(lot, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("qc:lots", slug=slug)
    messages.success(request, _("The lot was dissolved. Its batches can be put into other lots."))
    return redirect("qc:lots", slug=slug)


@require_POST
@login_required
def draw(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """End the secondary review of a lot, and draw its deciding sample."""
    lot = lot_of(deciding_study(request, slug), number)
    actor, without = cast(User, request.user), "without_rest" in request.POST
    drawn = _("The spot check can begin: its sample is drawn.")
    return _acted(
        request, slug, lot, lambda one: lots.end_secondary_review(one, actor=actor, without_rest=without), drawn
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def decide(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show what the plan says and who answered, and accept or return the lot on POST."""
    study = deciding_study(request, slug)
    lot = lot_of(study, number)
    people = decisions.people_of(lot)
    form = DecisionForm(request.POST if request.method == "POST" else None, people=people)
    if form.is_valid():
        try:
            decisions.decide(lot, wanted_of(form.cleaned_data), actor=cast(User, request.user))
        except BadInput as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.sentence)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            words = _("The lot is accepted.") if lot.state == Lot.State.ACCEPTED else _("The lot is returned.")
            messages.success(request, words)
            return redirect("qc:lot", slug=slug, number=number)
    chosen = set(form.data.getlist("people")) if form.is_bound else set()  # type: ignore[attr-defined]
    context = {
        "study": study,
        "lot": lot,
        "form": form,
        "people": [(row, str(row.person.pk) in chosen) for row in people],
        "figures": quality.quality_of(lot),
        "counting": decisions.counting_now(lot),
    }
    return render(request, "qc/decide.html", context, status=400 if form.is_bound else 200)


def wanted_of(given: dict[str, Any]) -> Wanted:
    """Return the decision of a form. What is asked again belongs to a return only. Raise BadInput."""
    returned = given["outcome"] == Lot.State.RETURNED
    by_people = returned and given["ask_again"] == "people"
    return Wanted(
        outcome=given["outcome"],
        reason=given["reason"],
        ask_again=given["ask_again"] if returned else "",
        people=tuple(given["people"]) if by_people else (),
        against_plan=given["against_plan"],
    )


@require_POST
@login_required
def reopen(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Reopen the decision about a lot."""
    lot = lot_of(deciding_study(request, slug), number)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    actor, done = cast(User, request.user), _("The decision is reopened. The lot is in review again.")
    return _acted(request, slug, lot, lambda one: decisions.reopen(one, reason=reason, actor=actor), done)
