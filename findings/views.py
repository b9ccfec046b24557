"""Pages of findings: the list, its CSV file, single findings, and runs of rules."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog.library.files import refuse, send_list
from catalog.library.views import Address
from diptych.numbers import grouped
from diptych.paging import PAGE_LIMIT_S, TookTooLong, counted, page, within
from diptych.refusals import NotThere, Refused
from findings import dismissing, evidence, lists, pages, runs, switches
from findings.lists import ORDERS, FindingFilters
from findings.models import Finding, FindingsRun
from findings.permissions import findings_study, rules_study
from findings.rules import RULES
from studies.models import Study
from studies.pseudonyms import pseudonym


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a page of the findings, with the filters and the order in the address, and how many each rule has."""
    study = findings_study(request, slug)
    filters = FindingFilters(request.GET, study=study)
    order = next((one for one in ORDERS if one.name == request.GET.get("sort", "")), ORDERS[0])
    address = Address(request.GET)
    about: dict[str, Any] = {
        "study": study,
        "filters": filters,
        "order": order,
        "orders": [(one, address.having("sort", one.name)) for one in ORDERS],
        "address": address,
        "csv": "findings:findings_csv",
        "longest": dismissing.LONGEST_REASON,
        "most_at_once": dismissing.MOST_AT_ONCE,
    }
    if not filters.is_valid():
        return render(request, "findings/findings.html", about | {"wrong": True}, status=400)
    everything = lists.findings(study, cast(User, request.user))
    narrowed = filters.narrow(everything)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        with within(PAGE_LIMIT_S):
            about["summary"] = summary(study, lists.counts(everything))
            found = page(narrowed, lists.with_pairs(everything), order, after=after, before=before, key="pk")
    except TookTooLong:
        return render(request, "findings/findings.html", about | {"too_long": True}, status=503)
    except NotThere:  # the first row of the page may be in quarantine now
        found = page(narrowed, lists.with_pairs(everything), order, key="pk")
    about |= {"page": found, "count": counted(narrowed, found), "rows": [row(study, one) for one in found.rows]}
    return render(request, "findings/findings.html", about | runs_of(study))


def summary(study: Study, numbers: dict[str, int]) -> list[dict[str, Any]]:
    """Return each rule with how many findings are in force, whether it is on, and whether it makes answers invalid."""
    rules = switches.rules_of(study)
    return [
        {
            "rule": rule,
            "number": numbers.get(code, 0),
            "is_on": code in rules.on,
            "invalidates": code in rules.invalidating,
        }
        for code, rule in RULES.items()
    ]


def runs_of(study: Study) -> dict[str, Any]:
    """Return the run in progress, the last ended ones, and the rules that have not seen all answers."""
    underway = pages.RUNS.open(study)
    behind = switches.not_yet_run(switches.rules_of(study))
    return {
        "underway": next(iter(underway), None),
        "ended": pages.RUNS.ended(study, None, 3),
        "behind": [RULES[code] for code in behind],
    }


def row(study: Study, finding: Finding) -> dict[str, Any]:
    """Return the context of one line of the list."""
    return {
        "finding": finding,
        "rule": RULES[finding.rule],
        "pair": finding.assignment.pair,
        "code": pseudonym(study, finding.person_id),
        "evidence": evidence.in_words(finding),
        "state": lists.state_of(finding),
    }


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the whole list as CSV, with the filters in the address, in the order in which findings were made."""
    study = findings_study(request, slug)
    filters = FindingFilters(request.GET, study=study)
    if not filters.is_valid():
        return refuse(filters)
    person = cast(User, request.user)
    wanted = {name: value for name, value in filters.cleaned_data.items() if value not in ("", None)}
    rows = filters.narrow(lists.findings(study, person))
    after = {"list": "findings", "filters": wanted}
    return send_list(
        request, study, lambda target: lists.copy_as_csv(study, rows, target), name="findings", about=after
    )


@require_POST
@never_cache
@login_required
def act(request: HttpRequest, slug: str, finding_id: int) -> HttpResponse:
    """Dismiss a finding, or bring it back, and return to the list."""
    study = findings_study(request, slug)
    person = cast(User, request.user)
    finding = get_object_or_404(lists.findings(study, person), pk=finding_id)
    try:
        if request.POST.get("act") == "bring_back":
            dismissing.bring_back(finding, actor=person)
        else:
            dismissing.dismiss(finding, because=request.POST.get("because", ""), actor=person)
    except Refused as reason:
        messages.error(request, str(reason))
    return redirect(f"{reverse('findings:findings', args=[slug])}{Address(request.GET).here}")


@require_POST
@never_cache
@login_required
def dismiss_many(request: HttpRequest, slug: str) -> HttpResponse:
    """Dismiss the chosen findings, or all that match the filters, with one reason. Then return to the list."""
    study = findings_study(request, slug)
    person = cast(User, request.user)
    filters = FindingFilters(request.GET, study=study)
    rows = lists.findings(study, person)
    chosen = [int(key) for key in request.POST.getlist("findings") if key.isascii() and key.isdigit() and len(key) < 19]
    if request.POST.get("which") == "all" and filters.is_valid():
        rows = filters.narrow(rows)
    else:
        rows = rows.filter(pk__in=chosen)
    try:
        number = dismissing.dismiss_many(rows, because=request.POST.get("because", ""), study=study, actor=person)
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        done = ngettext("%(n)s finding was dismissed.", "%(n)s findings were dismissed.", number)
        messages.success(request, done % {"n": grouped(number)})
    return redirect(f"{reverse('findings:findings', args=[slug])}{Address(request.GET)}")


@require_POST
@never_cache
@login_required
def run(request: HttpRequest, slug: str) -> HttpResponse:
    """Run all rules that are on, or one of them, over all answers. Then return to the list."""
    study = rules_study(request, slug)
    chosen = request.POST.get("rule", "")
    try:
        job = runs.run_rules(study, [chosen] if chosen else [], actor=cast(User, request.user))
    except Refused as reason:
        messages.error(request, str(reason))
    else:
        if not job.is_open:
            add = messages.success if job.state == FindingsRun.State.DONE else messages.error
            add(request, pages.outcome(job))
    return redirect("findings:findings", slug=slug)


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
    """Cancel a run, and return to the list."""
    runs.cancel(run_for(request, slug, run_id), actor=cast(User, request.user))
    return redirect("findings:findings", slug=slug)


def run_for(request: HttpRequest, slug: str, run_id: int) -> FindingsRun:
    """Return the run for a person who may configure its study. Raises Http404 and PermissionDenied."""
    study = rules_study(request, slug)
    return get_object_or_404(FindingsRun.objects.select_related("study", "asked_by"), study=study, pk=run_id)
