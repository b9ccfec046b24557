"""The pages of annotators: the list, one annotator, the reviewed answers behind a figure, and the CSV file."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.models import User
from answers.words import QUESTIONS
from diptych import downloads
from diptych.refusals import NotThere
from figures import figure_cards, figure_jobs
from figures.annotators import rows, tables
from figures.annotators.controls import controls_of
from figures.models import StudyFigures
from figures.permissions import allowed_figure_links, annotators_study, names_people
from studies.harms import HARMS

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    from studies.models import Study
    from studies.models.studies import HasRoles

KIND = StudyFigures.Kind.ANNOTATORS
ROWS_A_PAGE = 100


@require_safe
@never_cache
@login_required
def annotators(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the newest figures of each annotator, in the order of their codes."""
    study = annotators_study(request, slug)
    context: dict[str, Any] = {"study": study, "names": names_people(study)}
    context |= figure_cards.about(study, KIND) | allowed_figure_links(study)
    if result := context["result"]:
        found = tables.people(study, result, with_names=context["names"])
        page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
        controls = controls_of(study)
        for row in page.object_list:
            row["controls"] = controls.get(row["person"], [])
        context |= {"page": page, "rows": page.object_list, "has_controls": bool(controls)}
    return render(request, "figures/annotators.html", context)


@require_safe
@never_cache
@login_required
def annotator(request: HttpRequest, slug: str, author: str) -> HttpResponse:
    """Show all figures of one annotator, by question, tag and week."""
    study = annotators_study(request, slug)
    found, context = _one(study, author)
    subjects = [*QUESTIONS.items(), *((harm.key, harm.label) for harm in HARMS)]
    context |= {
        "reliability": [(key, label, one) for key, label in subjects if (one := found["reliability"].get(key))],
        "questions": [(key, label, found["left"][key], found["blind"][key]) for key, label in QUESTIONS.items()],
        "controls": controls_of(study).get(found["person"], []),
    }
    return render(request, "figures/annotator.html", context)


@require_safe
@never_cache
@login_required
def reviewed(request: HttpRequest, slug: str, author: str) -> HttpResponse:
    """List the reviewed answers behind a figure of one annotator. `part` and `question` in the address choose them."""
    study = annotators_study(request, slug)
    found, context = _one(study, author)
    part, question = request.GET.get("part", "blind"), request.GET.get("question", "")
    if part not in rows.PARTS or (question and question not in QUESTIONS):
        raise Http404(_("There is no such list."))
    page = Paginator(rows.items(study, found["person"], part, question), ROWS_A_PAGE)
    context |= {
        "title": rows.PARTS[part][0],
        "question": QUESTIONS.get(question, ""),
        "page": page.get_page(request.GET.get("page")),
    }
    return render(request, "figures/annotator_answers.html", context)


def _one(study: "WithAnnotations[Study, HasRoles]", author: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the annotator with this code, and the context of their pages. Raise Http404."""
    context: dict[str, Any] = {"study": study, "names": names_people(study)}
    context |= figure_cards.about(study, KIND) | allowed_figure_links(study)
    result = context["result"]
    found = tables.person(study, result, author, with_names=context["names"]) if result else None
    if found is None:
        raise Http404(_("There are no figures of such an annotator. Compute them again."))
    return found, context | {"row": found}


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send all figures of annotators as CSV. Raise NotThere if nobody has computed them yet."""
    study = annotators_study(request, slug)
    computed = figure_jobs.newest(study, KIND)
    if computed is None:
        raise NotThere(_("Nobody has computed these figures yet."))
    names, person = names_people(study), cast(User, request.user)
    return downloads.send(
        request,
        lambda target: tables.copy_as_csv(study, computed.result, target, with_names=names),
        name=f"{study.slug}-annotators.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "figures.downloaded", study, actor=person, study_slug=study.slug, after={"kind": KIND, "names": names}
        ),
    )
