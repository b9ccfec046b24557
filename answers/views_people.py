"""Progress, active time and pace of each person, for the people who run the study."""

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from accounts.models import User
from annotation.models import Seat
from answers import people_progress
from answers.forms import DaysForm
from answers.people_progress import Figures
from answers.permissions import people_progress_study
from diptych import downloads
from studies.models import Membership, Study
from studies.models.memberships import Role
from studies.models.studies import HasRoles
from studies.permissions import MAY_SEE_CODES, allows
from studies.pseudonyms import pseudonym

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    Theirs = WithAnnotations[Study, HasRoles]

PEOPLE_A_PAGE = 100
#: The value of the parameter `answered` that leaves out people without answers.
ANSWERED = "yes"


def spans(today: date) -> list[tuple[str, date | None, date | None]]:
    """Return the predefined spans of days: their names, first and last days."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    last_month = first - timedelta(days=1)
    return [
        (_("All days"), None, None),
        (_("Today"), today, today),
        (_("This week"), monday, today),
        (_("This month"), first, today),
        (_("Last month"), last_month.replace(day=1), last_month),
    ]


def shared_context(request: HttpRequest, study: "Theirs") -> dict[str, Any]:
    """Return the context that the pages on people's progress have in common."""
    form = DaysForm(request.GET)
    parameters = QueryDict(mutable=True)
    for name in ("first", "last"):
        if form.is_valid() and request.GET.get(name):
            parameters[name] = request.GET[name]
    wanted = (form.days.first, form.days.last)
    return {
        "study": study,
        "form": form,
        "days": form.days,
        "query": parameters.urlencode(),
        "spans": [(name, first, last, (first, last) == wanted) for name, first, last in spans(timezone.localdate())],
        "time_zone": timezone.get_current_timezone_name(),
        "sees_codes": allows(study, MAY_SEE_CODES),
    }


@require_safe
@never_cache
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Show everybody who annotates in the study, with pairs, active time and pace."""
    study = people_progress_study(request, slug)
    context = shared_context(request, study)
    only_answered = request.GET.get("answered") == ANSWERED
    rows = people_progress.people(study, context["days"], only_answered=only_answered)
    sort = request.GET.get("sort", "name")
    sort = sort if sort in people_progress.SORTS else "name"
    page = Paginator(people_progress.sorted_by(rows, sort), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    codes = {row.person_id: pseudonym(study, row.person_id) for row in page.object_list if context["sees_codes"]}
    context |= {
        "page": page,
        "rows": [(row, codes.get(row.person_id)) for row in page.object_list],
        "total": sum((row.figures for row in rows), Figures()),
        "sort": sort,
        "sorts": people_progress.SORTS.items(),
        "answered": ANSWERED if only_answered else "",
    }
    status = 200 if context["form"].is_valid() else 400
    return render(request, "answers/people_progress.html", context, status=status)


@require_safe
@never_cache
@login_required
def person(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show one person's figures by day."""
    study = people_progress_study(request, slug)
    annotators = Q(pk__in=Membership.objects.filter(study=study, role=Role.ANNOTATOR).values("person"))
    former = Q(pk__in=Seat.objects.filter(study=study).values("person"))
    user = get_object_or_404(User.objects.filter(annotators | former), pk=person_id)
    context = shared_context(request, study)
    rows = people_progress.by_day(study, context["days"], person_id=user.pk)
    context |= {
        "whom": user,
        "code": pseudonym(study, user.pk) if context["sees_codes"] else "",
        "rows": rows,
        "total": sum((row.figures for row in rows), Figures()),
    }
    status = 200 if context["form"].is_valid() else 400
    return render(request, "answers/person_progress.html", context, status=status)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str, *, by_day: bool) -> HttpResponseBase:
    """Send the list as CSV: a line for each person, or for each person and day. Raise Http404 for invalid days."""
    study = people_progress_study(request, slug)
    form = DaysForm(request.GET)
    if not form.is_valid():
        raise Http404(_("The dates in the address cannot be read. Write them as YYYY-MM-DD."))
    days, with_codes = form.days, allows(study, MAY_SEE_CODES)
    only_answered = request.GET.get("answered") == ANSWERED
    of_people = partial(people_progress.copy_as_csv, only_answered=only_answered)
    copy = people_progress.copy_days_as_csv if by_day else of_people
    span = "-".join(day.isoformat() if day else "open" for day in (days.first, days.last))
    after = {name: value for name, value in form.cleaned_data.items() if value}
    after = {name: day.isoformat() for name, day in after.items()} | {"by_day": by_day, "codes": with_codes}
    return downloads.send(
        request,
        lambda target: copy(study, days, target, with_codes=with_codes),
        name=f"{study.slug}-people{'-by-day' if by_day else ''}-{span}.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "people.downloaded", study, actor=cast(User, request.user), study_slug=study.slug, after=after
        ),
    )
