"""Pages about reviewers: how far they agree, and the pairs behind it."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from catalog.library.files import send_list
from diptych.statistics.figures import NotDefined
from qc import reviewer_agreement
from qc.permissions import deciding_study

ROWS_A_PAGE = 100


def _asked_row(request: HttpRequest) -> str:
    """Return the row of the address on which the listed pairs differ, or an empty text. Raise Http404."""
    row = request.GET.get("differs", "")
    if row and row not in reviewer_agreement.ROW_NAMES:
        raise Http404(_("There is no such row."))
    return row


@require_safe
@never_cache
@login_required
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how far reviewers agree, and the pairs that two of them answered blind."""
    study = deciding_study(request, slug)
    row = _asked_row(request)
    found = reviewer_agreement.reviewer_agreement(study)
    pairs = reviewer_agreement.compared(study, differing=row)
    page = Paginator(pairs, ROWS_A_PAGE).get_page(request.GET.get("page"))
    names = reviewer_agreement.ROW_NAMES
    context = {
        "study": study,
        "found": found,
        "fewest": reviewer_agreement.FEWEST,
        "figures": [
            {
                "row": one.row,
                "name": names[one.row],
                "share": one.figure.value,
                "all_alike": one.figure.interval == NotDefined.ALL_ALIKE,
                "bounds": None if isinstance(one.figure.interval, NotDefined) else one.figure.interval,
            }
            for one in found.rows
        ],
        "differs": row,
        "row_name": names.get(row, ""),
        "names": names.items(),
        "page": page,
        "pairs": [
            (one, [names[differing] for differing in reviewer_agreement.differences(one)]) for one in page.object_list
        ],
    }
    return render(request, "qc/reviewers.html", context)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the pairs that two reviewers answered blind as CSV, with the filter in the address."""
    study = deciding_study(request, slug)
    row = _asked_row(request)
    after = {"list": "reviewer agreement", "filters": {"differs": row} if row else {}}
    cast(User, request.user)
    return send_list(
        request,
        study,
        lambda target: reviewer_agreement.copy_as_csv(reviewer_agreement.compared(study, differing=row), target),
        name="reviewers",
        about=after,
    )
