"""The page with all reports of one person, where an officer can release all of them together."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import second_factor
from accounts.views_second_factor import person_of, require_code
from diptych.refusals import Refused
from safety import report_releases
from safety.forms import ReasonForm
from safety.models import Quarantine, ReporterRelease
from safety.permissions import decides_reports, require_officer
from safety.quarantine import open_reports_of

MOST_REPORTS_SHOWN = 200
MOST_RELEASES_SHOWN = 3

View = Callable[..., HttpResponseBase]


def of_one_code(view: View) -> View:
    """Pass the code, and the reports under it that the officer decides on, to the view. Raises Http404 if there are
    none.
    """

    @wraps(view)
    @never_cache
    @login_required
    def guarded(request: HttpRequest, code: str) -> HttpResponseBase:
        require_officer(request)
        code_page = require_code(request, second_factor.OPENS_PAGES_S, back_to=reverse("safety:reporter", args=[code]))
        if code_page is not None:
            return code_page
        mine = Quarantine.objects.filter(decides_reports(person_of(request).pk), reports__person__reporter__code=code)
        if not mine.exists():
            raise Http404(_("There is no report under the code “%(code)s” that you can decide on.") % {"code": code})
        return view(request, code, mine.distinct())

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@of_one_code
def reporter(request: HttpRequest, code: str, theirs: QuerySet[Quarantine]) -> HttpResponse:
    """Show the reports under one code that wait for this officer, and release all of them on request."""
    person = person_of(request)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return release_all(request, code, form.cleaned_data["reason"])
    waiting = open_reports_of(code, person).order_by("-opened_at")
    context: dict[str, Any] = {
        "code": code,
        "form": form,
        "count": waiting.count(),
        "rows": waiting[:MOST_REPORTS_SHOWN],
        "others": theirs.count() - waiting.count(),
        "underway": report_releases.open_card(code),
        "ended": report_releases.ended_cards(code, MOST_RELEASES_SHOWN),
    }
    return render(request, "safety/reporter.html", context, status=400 if form.is_bound else 200)


def release_all(request: HttpRequest, code: str, decision: str) -> HttpResponse:
    """Release what waits, or let a worker do it. Redirect to the page that shows the result or the progress."""
    try:
        job = report_releases.order(code, person_of(request), decision=decision)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("safety:reporter", code=code)
    if job.is_open:
        return redirect("safety:reporter", code=code)
    messages.success(request, report_releases.card(job, code).outcome)
    return redirect("safety:reports")


@require_safe
@of_one_code
def progress(request: HttpRequest, code: str, theirs: QuerySet[Quarantine]) -> JsonResponse:
    """Return the parts of the page that change while reports are released."""
    job = ReporterRelease.objects.filter(reporter__code=code).select_related("asked_by").order_by("-pk").first()
    if job is None:
        raise Http404(_("Nothing is being released under this code."))
    return JsonResponse(report_releases.card(job, code).live())


@require_POST
@of_one_code
def cancel(request: HttpRequest, code: str, theirs: QuerySet[Quarantine]) -> HttpResponse:
    """Stop the release before its next step. Repeating it is harmless."""
    for job in ReporterRelease.objects.filter(reporter__code=code, finished_at=None):
        report_releases.cancel(job)
    return redirect("safety:reporter", code=code)
