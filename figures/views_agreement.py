"""The page “Agreement”, its CSV file, and the pairs behind its figures."""

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.models import User
from catalog.library.files import refuse, send_list
from diptych import downloads
from diptych.paging import PAGE_LIMIT_S, Page, TookTooLong, within
from diptych.refusals import NotThere
from figures import figure_cards, figure_charts, figure_jobs
from figures.agreement import rows, tables
from figures.agreement.rows import RowFilters
from figures.models import StudyFigures
from figures.permissions import agreement_study, allowed_figure_links
from findings.permissions import findings_study

KIND = StudyFigures.Kind.AGREEMENT


@require_safe
@never_cache
@login_required
def agreement(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the newest figures of agreement. The address says of which answers, by which groups and which measure."""
    study = agreement_study(request, slug)
    context = {"study": study} | figure_cards.about(study, KIND) | allowed_figure_links(study)
    if result := context["result"]:
        used = _chosen(request, "answers", tables.ANSWERS)
        by = _chosen(request, "by", tables.GROUPS)
        measure = _chosen(request, "measure", tables.MEASURES)
        context |= {
            "figures": result[used],
            "used": used,
            "answer_sets": tables.ANSWERS.items(),
            "preferences": tables.preferences(result[used]),
            "tags": tables.tags(result[used]),
            "by": by,
            "kinds": tables.GROUPS.items(),
            "measure": measure,
            "measures": tables.MEASURES.items(),
            "questions": tables.QUESTIONS.values(),
            "groups": tables.groups(result, by, measure),
            "charts": {
                "questions": figure_charts.of_agreement(study, result, used),
                "weeks": figure_charts.of_weeks(study, result),
            },
        }
    return render(request, "figures/agreement.html", context)


def _chosen(request: HttpRequest, name: str, choices: Any) -> str:
    """Return the value of a parameter if it is one of the choices, and the first choice otherwise."""
    value = request.GET.get(name, "")
    return value if value in choices else next(iter(choices))


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send all figures of agreement as CSV. Raise NotThere if nobody has computed them yet."""
    study = agreement_study(request, slug)
    computed = figure_jobs.newest(study, KIND)
    if computed is None:
        raise NotThere(_("Nobody has computed these figures yet."))
    person = cast(User, request.user)
    return downloads.send(
        request,
        lambda target: tables.copy_as_csv(computed.result, target),
        name=f"{study.slug}-agreement.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "figures.downloaded", study, actor=person, study_slug=study.slug, after={"kind": KIND}
        ),
    )


@require_safe
@never_cache
@login_required
def pairs(request: HttpRequest, slug: str) -> HttpResponse:
    """List the pairs behind a figure, with the filters in the address."""
    study = findings_study(request, slug)
    filters = RowFilters(request.GET)
    context: dict[str, Any] = {"study": study, "filters": filters}
    if not filters.is_valid():
        return render(request, "figures/agreement_pairs.html", context | {"wrong": True}, status=400)
    after = request.GET.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    try:
        with within(PAGE_LIMIT_S):
            found = rows.rows(study, cast(User, request.user), filters, after=start, most=rows.PAGE + 1)
    except TookTooLong:
        return render(request, "figures/agreement_pairs.html", context | {"too_long": True}, status=503)
    shown = found[: rows.PAGE]
    context |= {
        "rows": shown,
        "page": Page(shown, previous="", next=str(shown[-1].key) if len(found) > len(shown) else ""),
        "later": bool(start),
        "subject": dict(filters.fields["subject"].choices)[filters.about],  # type: ignore[attr-defined]
        "query": request.GET.urlencode(),
    }
    return render(request, "figures/agreement_pairs.html", context)


@require_safe
@never_cache
@login_required
def download_pairs(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the whole list of pairs as CSV, with the filters in the address."""
    study = findings_study(request, slug)
    filters = RowFilters(request.GET)
    if not filters.is_valid():
        return refuse(filters)
    person = cast(User, request.user)
    return send_list(
        request,
        study,
        lambda target: rows.copy_as_csv(study, person, filters, target),
        name="agreement-pairs",
        about={"list": "agreement", "filters": dict(rows.wanted(filters))},
    )
