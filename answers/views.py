"""The list of a study's answers, for the people who run the study."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from annotation.models import Standing
from answers import lists
from answers.lists import ORDERS, AnswerFilters
from answers.permissions import answers_study
from answers.words import QUESTIONS, RevisionLine, why_asked, why_invalid, why_uncounted
from catalog.library.files import refuse, send_list
from catalog.library.views import Address
from catalog.slots import AskedBecause
from diptych.paging import PAGE_LIMIT_S, TookTooLong, counted, page, within
from diptych.refusals import NotThere
from studies.models import Study
from studies.permissions import MAY_ANNOTATE, allows
from studies.pseudonyms import pseudonym


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a page of the answers, with the filters and the order in the address."""
    study = answers_study(request, slug)
    filters = AnswerFilters(request.GET, study=study)
    order = next((one for one in ORDERS if one.name == request.GET.get("sort", "")), ORDERS[0])
    address = Address(request.GET)
    about: dict[str, Any] = {
        "study": study,
        "tab": "answers",
        "filters": filters,
        "order": order,
        "orders": [(one, address.having("sort", one.name)) for one in ORDERS],
        "address": address,
        "csv": "answers:list_csv",
        "questions": QUESTIONS.values(),
        "answers_first": allows(study, MAY_ANNOTATE),
    }
    if not filters.is_valid():
        return render(request, "answers/answers.html", about | {"wrong": True}, status=400)
    everything = lists.answers(study, cast(User, request.user))
    narrowed = filters.narrow(everything)
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    try:
        with within(PAGE_LIMIT_S):
            found = page(narrowed, everything, order, after=after, before=before, key="pk")
    except TookTooLong:
        return render(request, "answers/answers.html", about | {"too_long": True}, status=503)
    except NotThere:  # the first row of the page may be in quarantine now
        found = page(narrowed, everything, order, key="pk")
    about |= {"page": found, "count": counted(narrowed, found), "rows": [row(study, one) for one in found.rows]}
    return render(request, "answers/answers.html", about)


def row(study: Study, standing: Standing) -> dict[str, Any]:
    """Return the context of one line of the list."""
    return {
        "standing": standing,
        "pair": standing.assignment.pair,
        "code": pseudonym(study, standing.assignment.person_id),
        "line": RevisionLine(standing.current, stands=True),
        "why_asked": "" if standing.assignment.asked_because == AskedBecause.PLAN else why_asked(standing),
        "why_uncounted": why_uncounted(standing),
        "why_invalid": why_invalid(standing),
    }


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the whole list as CSV, with the filters in the address, in the order in which pairs were given."""
    study = answers_study(request, slug)
    filters = AnswerFilters(request.GET, study=study)
    if not filters.is_valid():
        return refuse(filters)
    person = cast(User, request.user)
    wanted = {name: value for name, value in filters.cleaned_data.items() if value not in ("", None)}
    rows = filters.narrow(lists.answers(study, person))
    after = {"list": "answers", "filters": wanted}
    return send_list(request, study, lambda target: lists.copy_as_csv(study, rows, target), name="answers", about=after)
