"""Pages of suspensions: the list, the form with its preview, one suspension with its answers, and lifting it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.models import User
from diptych import downloads
from diptych.refusals import BadInput, Refused
from studies.pseudonyms import pseudonym
from suspensions import suspending, suspension_pages, suspension_work
from suspensions.forms import ChoiceForm, LiftForm
from suspensions.models import SuspendedAnswer, Suspension
from suspensions.permissions import suspending_study, suspension_of

ROWS_A_PAGE = 100


@require_safe
@never_cache
@login_required
def suspensions(request: HttpRequest, slug: str) -> HttpResponse:
    """List the suspensions of the study, those in force first."""
    study = suspending_study(request, slug)
    found = Suspension.objects.filter(study=study).select_related("person", "asked_by", "lifted_by", "lot", "study")
    state = request.GET.get("state", "")
    if state in ("in_force", "lifted"):
        found = found.filter(lifted_at__isnull=state == "in_force")
    page = Paginator(found.order_by("-pk"), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [(one, suspension_pages.what_in_words(one), one.answers.count()) for one in page.object_list]
    context = {"study": study, "page": page, "rows": rows, "state": state, "underway": open_card(study)}
    return render(request, "suspensions/suspensions.html", context)


def open_card(study: Any) -> Any:
    """Return the card of the job that is being carried out, or None."""
    return next(iter(suspension_pages.JOBS.open(study)), None)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def suspend(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show what a suspension would do, with the choice in the address, and suspend the person on POST."""
    study = suspending_study(request, slug)
    whom = get_object_or_404(suspending.annotators(study), pk=person_id)
    there = Suspension.objects.filter(study=study, person=whom, lifted_at=None).first()
    if there is not None and request.method != "POST":
        return redirect("suspensions:suspension", slug=slug, suspension_id=there.pk)
    sent = request.POST if request.method == "POST" else request.GET
    form = ChoiceForm(sent if "what" in sent else None, lots=suspending.lots_with_answers(study, whom))
    effect, trouble = None, ""
    if form.is_valid():
        try:
            effect = suspending.preview(whom, study, form.choice)
            if request.method == "POST":
                actor, why = cast(User, request.user), request.POST.get("reason", "")
                job = suspending.suspend(whom, study, form.choice, why=why, actor=actor)
                if not job.is_open:
                    messages.success(request, _("%(name)s is suspended.") % {"name": whom.username})
                return redirect("suspensions:suspension", slug=slug, suspension_id=job.pk)
        except BadInput as refusal:
            if refusal.field in form.fields:
                form.add_error(refusal.field, refusal.sentence)
            else:
                trouble = refusal.sentence
        except Refused as refusal:
            trouble = refusal.sentence
    context = {
        "study": study,
        "whom": whom,
        "code": pseudonym(study, whom.pk),
        "form": form,
        "chosen": form.data.get("what", "none") if form.is_bound else "none",
        "effect": effect,
        "trouble": trouble,
        "reason": request.POST.get("reason", ""),
        "longest": suspending.MOST_CHARACTERS,
        "right_away": suspending.RIGHT_AWAY,
    }
    wrong = request.method == "POST" or (form.is_bound and not form.is_valid())
    return render(request, "suspensions/suspend.html", context, status=400 if wrong else 200)


@require_safe
@never_cache
@login_required
def suspension(request: HttpRequest, slug: str, suspension_id: int) -> HttpResponse:
    """Show one suspension: what it did, the answers that it returned, and the form that lifts it."""
    return render(request, "suspensions/suspension.html", about(request, suspension_of(request, suspension_id, slug)))


def about(request: HttpRequest, shown: Suspension) -> dict[str, Any]:
    """Return the context of the page of a suspension. Raise Http404 for an unknown filter."""
    outcome = request.GET.get("outcome", "")
    if outcome and outcome not in SuspendedAnswer.Outcome.values:
        raise Http404(_("A suspension has no such answers."))
    page = Paginator(suspension_pages.answers_of(shown, outcome), ROWS_A_PAGE).get_page(request.GET.get("page"))
    counts = suspension_work.counts(shown)
    card = suspension_pages.card(shown)
    return {
        "study": shown.study,
        "suspension": shown,
        "what": suspension_pages.what_in_words(shown),
        "outcome": outcome,
        "outcomes": [(one.value, one.label, counts[one.value]) for one in SuspendedAnswer.Outcome if counts[one.value]],
        "total": counts.total(),
        "page": page,
        "rows": page.object_list,
        "card": card,
        "lift_form": LiftForm(initial={"restore": True}),
    }


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str, suspension_id: int) -> HttpResponseBase:
    """Send the answers of a suspension as CSV, with the filter in the address."""
    shown = suspension_of(request, suspension_id, slug)
    outcome = request.GET.get("outcome", "")
    rows = suspension_pages.answers_of(shown, outcome if outcome in SuspendedAnswer.Outcome.values else "")
    after = {"list": "suspended_answers", "outcome": outcome}
    return downloads.send(
        request,
        lambda target: suspension_pages.copy_as_csv(rows, target),
        name=f"{shown.study.slug}-suspension-{shown.pk}.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "library.downloaded", shown, actor=cast(User, request.user), study_slug=shown.study.slug, after=after
        ),
    )


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, suspension_id: int) -> JsonResponse:
    """Return the parts of the page that change while the job waits or is in progress."""
    return JsonResponse(suspension_pages.card(suspension_of(request, suspension_id, slug)).live())


@require_POST
@never_cache
@login_required
def lift(request: HttpRequest, slug: str, suspension_id: int) -> HttpResponse:
    """Lift a suspension, and return to its page."""
    shown = suspension_of(request, suspension_id, slug)
    form = LiftForm(request.POST)
    restore = form.is_valid() and form.cleaned_data["restore"]
    reason = form.cleaned_data.get("reason", "") if form.is_bound else ""
    try:
        job = suspending.lift(shown, why=reason, restore=restore, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        if not job.is_open:
            messages.success(request, _("The suspension is lifted. The person gets pairs again."))
    return redirect("suspensions:suspension", slug=slug, suspension_id=suspension_id)


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, slug: str, suspension_id: int) -> HttpResponse:
    """Stop the job of a suspension, and return to its page."""
    suspending.cancel(suspension_of(request, suspension_id, slug), actor=cast(User, request.user))
    return redirect("suspensions:suspension", slug=slug, suspension_id=suspension_id)


@require_POST
@never_cache
@login_required
def resume(request: HttpRequest, slug: str, suspension_id: int) -> HttpResponse:
    """Continue the job of a suspension that failed or was stopped, and return to its page."""
    shown = suspension_of(request, suspension_id, slug)
    try:
        suspending.resume(shown, actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("suspensions:suspension", slug=slug, suspension_id=suspension_id)
