"""The page that compares generators: by people, and beside them by the models of the study."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from answers.words import QUESTIONS
from catalog.library.files import send_list
from diptych.refusals import NotThere
from release_card.figures import shown
from release_card.figures.tables import category_words
from releases.tables import Table
from studies.models import Study
from training import comparing_generators as comparing
from training import detail_charts, detail_tables
from training.permissions import runs_study


@require_safe
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who wins and how much is harmful, by generator. The address says of which question and of which prompts."""
    study = runs_study(request, slug)
    context: dict[str, Any] = {"study": study} | _wins(study, request.GET) | _harm(study, request.GET)
    return render(request, "training/generators.html", context)


def _wins(study: Study, query: Any) -> dict[str, Any]:
    question, by_question = comparing.chosen_question(query), comparing.by_question(study)
    version = comparing.version_for(study, question)
    all_questions = detail_tables.all_questions(by_question)
    return {
        "questions": QUESTIONS.items(),
        "question": question,
        "version": version,
        "wins": detail_tables.win_rates(comparing.win_rates(version), question) if version else None,
        "wins_charts": [detail_charts.wins(study, version, question, one) for one in comparing.SIDES if version],
        "all_questions": all_questions if all_questions.rows else None,
        "all_charts": [detail_charts.questions(study, by_question, one) for one in comparing.SIDES],
        "missing": [QUESTIONS[one] for one in QUESTIONS if one not in by_question],
    }


def _harm(study: Study, query: Any) -> dict[str, Any]:
    found, category = comparing.harm(study), comparing.chosen_category(query)
    if found is None:
        return {"harm": None}
    return {
        "harm": found,
        "harm_table": detail_tables.harm(found.rows, category),
        "harm_chart": detail_charts.harm(study, found.rows, category),
        "category": category,
        "categories": shown.categories({"figures": {"harm": found.rows}}),
    }


def _all_wins(study: Study) -> Table:
    return detail_tables.all_questions(comparing.by_question(study))


def _all_harm(study: Study) -> Table:
    found = comparing.harm(study)
    tables = [detail_tables.harm(found.rows if found else [], one) for one in category_words()]
    return Table(tables[0].columns, [row for table in tables for row in table.rows], tables[0].words)


def _wins_of(question: str) -> Callable[[Study], Table]:
    def made(study: Study) -> Table:
        version = comparing.version_for(study, question)
        return detail_tables.win_rates(comparing.win_rates(version) if version else _NONE, question)

    return made


_NONE: Any = {"people": [], "model": []}
#: The tables of the page, as the addresses of their CSV files have it.
TABLES: dict[str, Callable[[Study], Table]] = {
    "questions": _all_wins,
    "harm": _all_harm,
    **{f"wins-{question}": _wins_of(question) for question in QUESTIONS},
}


@require_safe
@never_cache
@login_required
def csv(request: HttpRequest, slug: str, figure: str) -> HttpResponseBase:
    """Send a table of the page as CSV. Raise NotThere if there is no such table."""
    study = runs_study(request, slug)
    if figure not in TABLES:
        raise NotThere(_("There is no such figure."))
    about = {"list": "generators", "figure": figure}
    return send_list(request, study, TABLES[figure](study).copy_as_csv, name=f"generators-{figure}", about=about)
