"""Pages of results: by person, of one person, by expected answer, and the answers behind them. Each with its CSV."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog.library.files import send_list
from diptych.durations import MINUTE, in_words
from diptych.refusals import Refused
from diptych.spreadsheet import write_rows
from qualification import deciding, results, sets, standing
from qualification.models.sets import Kind
from qualification.permissions import person_of, sets_study
from qualification.set_words import expected_in_words, question_in_words, value_in_words
from qualification.views_sets import number_in
from studies.durations import percent
from studies.models import Study

ROWS_A_PAGE = 100


def _stage(request: HttpRequest) -> str:
    chosen = request.GET.get("state", "")
    return chosen if chosen in results.STATES else ""


def _kind(request: HttpRequest) -> str:
    chosen = request.GET.get("set", "")
    return chosen if chosen in Kind.values else ""


@require_safe
@never_cache
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Show where each annotator of the study stands, filtered by state."""
    study = sets_study(request, slug)
    stage = _stage(request)
    page = Paginator(results.people(study, stage), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [(row, "" if row.share is None else percent(round(row.share, 3))) for row in page.object_list]
    context = {"study": study, "page": page, "rows": rows, "stage": stage, "stages": results.STATES.items()}
    context["test"] = sets.in_force(study, Kind.TEST)
    return render(request, "qualification/people.html", context)


@require_safe
@never_cache
@login_required
def people_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the list of people as CSV, filtered as the address says."""
    study = sets_study(request, slug)
    rows = results.people_lines(results.people(study, _stage(request)))
    return _send(request, study, results.PEOPLE_COLUMNS, rows, "qualification-people", {"state": _stage(request)})


def _send(
    request: HttpRequest, study: Study, columns: Iterable[str], rows: Iterable[Any], name: str, filters: dict[str, Any]
) -> HttpResponseBase:
    about = {"list": name, "filters": filters}
    return send_list(request, study, lambda target: write_rows([*columns], rows, target), name=name, about=about)


@require_safe
@never_cache
@login_required
def person(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show everything about one person's qualification, and what can be decided about it."""
    study = sets_study(request, slug)
    whom = person_of(study, person_id)
    found = results.history(study, whom)
    row = results.person_row(study, whom)
    context = {
        "study": study,
        "whom": whom,
        "row": row,
        "attempts": [(one, "" if one.share is None else percent(round(one.share, 3))) for one in found.pop("attempts")],
        "longest": deciding.LONGEST_REASON,
        "may_allow": row.standing.stage in (standing.FAILED, standing.WAIT),
        "is_qualified": row.standing.stage == standing.QUALIFIED,
        "is_oneself": whom.pk == request.user.pk,
        "spent": in_words(standing.active_ms(whom, study) / 1000, to=MINUTE),
        **found,
    }
    return render(request, "qualification/person.html", context)


@require_POST
@never_cache
@login_required
def decide(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Waive the test, take a qualification back or allow one more attempt, as `act` says, and show the person."""
    study = sets_study(request, slug)
    whom = person_of(study, person_id)
    act = request.POST.get("act", "")
    try:
        deciding.ACTS[act](study, whom, request.POST.get("reason", ""), actor=cast(User, request.user))
    except KeyError:
        messages.error(request, _("Use the buttons of the page."))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("Saved."))
    return redirect("qualification:person", slug=slug, person_id=person_id)


@require_safe
@never_cache
@login_required
def questions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which expected answers of the versions in force people miss most often."""
    study = sets_study(request, slug)
    kind = _kind(request)
    page = Paginator(results.questions(study, kind), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "line": line,
            "question": question_in_words(line.expected.row),
            "expected": expected_in_words(line.expected),
            "share": percent(round(line.share or 0.0, 3)),
        }
        for line in page.object_list
    ]
    context = {"study": study, "page": page, "rows": rows, "kind": kind, "kinds": Kind.choices}
    return render(request, "qualification/questions.html", context)


@require_safe
@never_cache
@login_required
def questions_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the list of expected answers as CSV, filtered as the address says."""
    study = sets_study(request, slug)
    rows = results.question_lines(results.questions(study, _kind(request)))
    filters = {"set": _kind(request)}
    return _send(request, study, results.QUESTION_COLUMNS, rows, "qualification-questions", filters)


def _chosen(request: HttpRequest) -> dict[str, int | None]:
    return {name: number_in(request.GET, name) or None for name in ("expected", "attempt")}


@require_safe
@never_cache
@login_required
def answers(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the answers of one attempt, or all answers to one expected answer."""
    study = sets_study(request, slug)
    chosen = _chosen(request)
    page = Paginator(results.answers(study, **chosen), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "one": one,
            "question": question_in_words(one.judged.row),
            "answer": value_in_words(one.judged.row, one.judged.value),
            "expected": expected_in_words(one.judged.expected),
        }
        for one in page.object_list
    ]
    return render(request, "qualification/answers.html", {"study": study, "page": page, "rows": rows, **chosen})


@require_safe
@never_cache
@login_required
def answers_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the list of answers as CSV, filtered as the address says."""
    study = sets_study(request, slug)
    chosen = _chosen(request)
    rows = results.answer_lines(results.answers(study, **chosen))
    return _send(request, study, results.ANSWER_COLUMNS, rows, "qualification-answers", dict(chosen))
