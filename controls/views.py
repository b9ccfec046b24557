"""Pages of a study's controls: what there is, make more, withdraw one, and the results of people."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog.library.files import refuse, send_list
from catalog.library.filters import Filters
from catalog.library.views import Address
from controls import figures, lists, making, pages, withdrawing
from controls.control_kinds import KINDS
from controls.lists import ORDERS, ControlFilters, ResultFilters
from controls.models import LONGEST_REASON, Control, ControlResult, ControlsRun
from controls.permissions import controls_study
from diptych.downloads import CopyFile
from diptych.numbers import grouped
from diptych.paging import PAGE_LIMIT_S, TookTooLong, counted, page, within
from diptych.refusals import NotThere, Refused
from diptych.sentences import joined
from studies.models import Study
from studies.pseudonyms import pseudonym

#: What the page says about each alarm.
ALARMS = {figures.RANDOM_CLICKING: "random", figures.BELOW_HONEST: "below"}


@require_safe
@never_cache
@login_required
def controls(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what there is by kind, how many more are possible of the kind in `preview`, and the list of controls."""
    study = controls_study(request, slug)
    about: dict[str, Any] = {"study": study, "kinds": KINDS.values(), "most": making.MOST, "longest": LONGEST_REASON}
    about |= {"preview": request.GET.get("preview", ""), "number": request.GET.get("number", "")}
    try:
        with within(PAGE_LIMIT_S):
            if about["preview"] in KINDS:
                about |= {"possible": making.possible(study, about["preview"]), "previewed": KINDS[about["preview"]]}
            about["summary"] = lists.summary(study)
        about["has_controls"] = any(one.in_use or one.withdrawn for one in about["summary"])
    except TookTooLong:
        return render(request, "controls/controls.html", about | {"too_long": True}, status=503)
    about |= {"underway": next(iter(pages.RUNS.open(study)), None), "ended": pages.RUNS.ended(study, None, 3)}
    # The last run is also said above if it failed, because the list of earlier runs is at the end of the page.
    last = next(iter(about["ended"]), None)
    about["failed"] = last if last and last.state == ControlsRun.State.FAILED and not about["underway"] else None
    filters = ControlFilters(request.GET, study=study)
    context, status = listed(request, filters, lists.controls(study), about | {"csv": "controls:controls_csv"})
    if "page" in context:
        context["rows"] = with_results(study, context["page"].rows)
    return render(request, "controls/controls.html", context, status=status)


def with_results(study: Study, rows: list[Any]) -> list[dict[str, Any]]:
    """Return the context of each control of a page: what is expected, and how many answers on it were right."""
    found: dict[int, list[int]] = {}
    keys = [control.pk for control in rows]
    for control, right in ControlResult.objects.filter(study=study, control__in=keys).values_list("control", "right"):
        numbers = found.setdefault(control, [0, 0])
        numbers[0] += right
        numbers[1] += 1
    return [
        {
            "control": one,
            "kind": KINDS[one.kind],
            "expected": lists.in_words(one),
            "right": found.get(one.pk, [0, 0])[0],
            "answers": found.get(one.pk, [0, 0])[1],
        }
        for one in rows
    ]


def listed(
    request: HttpRequest, filters: Filters, everything: QuerySet[Any], about: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return the context of a list with filters and pages, and the status of the response."""
    order = next((one for one in ORDERS if one.name == request.GET.get("sort", "")), ORDERS[0])
    address = Address(request.GET)
    about |= {"filters": filters, "order": order, "address": address}
    about["orders"] = [(one, address.having("sort", one.name)) for one in ORDERS]
    if not filters.is_valid():
        return about | {"wrong": True}, 400
    found = filters.narrow(everything)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        with within(PAGE_LIMIT_S):
            shown = page(found, everything, order, after=after, before=before, key="pk")
    except TookTooLong:
        return about | {"too_long": True}, 503
    except NotThere:
        shown = page(found, everything, order, key="pk")
    return about | {"page": shown, "count": counted(found, shown)}, 200


@require_POST
@never_cache
@login_required
def make(request: HttpRequest, slug: str) -> HttpResponse:
    """Make controls of one kind, and return to the page."""
    study = controls_study(request, slug)
    number = request.POST.get("number", "")
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
    try:
        job = making.make(study, request.POST.get("kind", ""), wanted, actor=cast(User, request.user))
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        if not job.is_open:
            add = messages.success if job.state == ControlsRun.State.DONE else messages.error
            add(request, pages.outcome(job))
    return redirect("controls:controls", slug=slug)


@require_POST
@never_cache
@login_required
def withdraw(request: HttpRequest, slug: str, control_id: int) -> HttpResponse:
    """Withdraw a control with a reason, and return to the list."""
    study = controls_study(request, slug)
    control = get_object_or_404(lists.controls(study), pk=control_id)
    try:
        people = withdrawing.withdraw(control, because=request.POST.get("because", ""), actor=cast(User, request.user))
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, what_followed(control, people))
    return redirect(f"{reverse('controls:controls', args=[slug])}{Address(request.GET).here}")


def what_followed(control: Control, people: list[int]) -> str:
    """Return sentences about the people whose figures changed, and about what rested on the control."""
    if not people:
        return _("The control is withdrawn. Nobody’s figures change.")
    words = ngettext(
        "The control is withdrawn. The figures of %(n)s person leave it out from now on.",
        "The control is withdrawn. The figures of %(n)s people leave it out from now on.",
        len(people),
    )
    told = [sentence(control) for sentence in withdrawing.consequences]
    return joined([words % {"n": grouped(len(people))}, *filter(None, told)])


@require_safe
@never_cache
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Show everybody's figures by kind, by code."""
    study = controls_study(request, slug)
    context = {"study": study, "rows": lists.people(study), "alarms": ALARMS}
    return render(request, "controls/control_people.html", context)


@require_safe
@never_cache
@login_required
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """List single results, with the filters in the address."""
    study = controls_study(request, slug)
    about = {"study": study, "csv": "controls:control_results_csv"}
    filters = ResultFilters(request.GET, study=study)
    context, status = listed(request, filters, lists.results(study), about)
    if "page" in context:
        codes: dict[int, str] = {}
        context["rows"] = [
            {
                "result": one,
                "kind": KINDS[one.kind],
                "code": codes.setdefault(one.person_id, pseudonym(study, one.person_id)),
            }
            for one in context["page"].rows
        ]
    return render(request, "controls/control_results.html", context, status=status)


# --- Files ----------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@login_required
def controls_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the controls as CSV, with the filters in the address."""
    study = controls_study(request, slug)
    filters = ControlFilters(request.GET, study=study)
    if not filters.is_valid():
        return refuse(filters)
    rows = filters.narrow(lists.controls(study))
    return _send(request, study, "controls", lambda target: lists.copy_controls(rows, target))


@require_safe
@never_cache
@login_required
def people_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send everybody's figures as CSV."""
    study = controls_study(request, slug)
    return _send(request, study, "control-people", lambda target: lists.copy_people(study, target))


@require_safe
@never_cache
@login_required
def results_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send single results as CSV, with the filters in the address."""
    study = controls_study(request, slug)
    filters = ResultFilters(request.GET, study=study)
    if not filters.is_valid():
        return refuse(filters)
    rows = filters.narrow(lists.results(study))
    return _send(request, study, "control-results", lambda target: lists.copy_results(study, rows, target))


def _send(request: HttpRequest, study: Study, name: str, copy: Callable[[CopyFile], None]) -> HttpResponseBase:
    return send_list(request, study, copy, name=name, about={"list": name, "filters": request.GET.dict()})


# --- Runs -----------------------------------------------------------------------------------------------------


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, run_id: int) -> JsonResponse:
    """Return the parts of the page that change while a run waits or is in progress."""
    return JsonResponse(pages.card(run_for(request, slug, run_id)).live())


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """Cancel a run, and return to the page."""
    making.cancel(run_for(request, slug, run_id), actor=cast(User, request.user))
    return redirect("controls:controls", slug=slug)


def run_for(request: HttpRequest, slug: str, run_id: int) -> ControlsRun:
    """Return the run for a person who may make controls in its study. Raise Http404 or PermissionDenied."""
    study = controls_study(request, slug)
    return get_object_or_404(ControlsRun.objects.select_related("study", "asked_by"), study=study, pk=run_id)
