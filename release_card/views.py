"""Pages of a release that show what it is like: its data card, and its figures with their tables and charts."""

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
from release_card import sections, stored_card
from release_card.figures import charts, shown, tables
from releases.models import Release
from releases.permissions import numbered, releases_study


def _numbers(release: Release) -> dict[str, Any]:
    """Return what a page shows instead of numbers if there are none: whether the storage is away."""
    try:
        return {"numbers": stored_card.numbers_of(release), "storage_away": False}
    except OSError:
        return {"numbers": None, "storage_away": True}


@require_safe
@never_cache
@login_required
def card(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the data card of a release, in the reader's language."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    context = {"study": study, "release": release} | _numbers(release)
    if context["numbers"]:
        context["sections"] = sections.of_card(context["numbers"])
    return render(request, "release_card/card.html", context)


@require_safe
@never_cache
@login_required
def figures(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the figures of a release. The address says of which question, and of which group of prompts."""
    study = releases_study(request, slug)
    release = numbered(study, number)
    context = {"study": study, "release": release} | _numbers(release)
    if numbers := context["numbers"]:
        context |= {
            "figures": shown.of_release(release, numbers, request.GET),
            "questions": QUESTIONS.items(),
            "question": charts.chosen_question(request.GET),
            "categories": shown.categories(numbers),
            "category": charts.chosen_category(request.GET),
        }
    return render(request, "release_card/figures.html", context)


@require_safe
@never_cache
@login_required
def figure_csv(request: HttpRequest, slug: str, number: int, name: str) -> HttpResponseBase:
    """Send the table of one figure as CSV, with everything that it has. Raise NotThere if there is no such figure."""
    study = releases_study(request, slug)
    numbers = stored_card.numbers_of(numbered(study, number))
    if numbers is None or name not in tables.TABLES:
        raise NotThere(_("There is no such figure."))
    table = tables.TABLES[name](numbers["figures"])
    about = {"list": "release figure", "release": number, "figure": name}
    return send_list(request, study, table.copy_as_csv, name=f"release-{number}-{name}", about=about)
