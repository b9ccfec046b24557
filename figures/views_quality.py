"""The page Quality of a study, the lists behind its numbers, their CSV files, and the assignment of reviews."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.models import User
from catalog.library.views import Address
from diptych import downloads
from diptych.refusals import Refused
from diptych.sentences import joined
from figures.overview import defects, lists, page, stored
from figures.overview.forms import (
    AssignForm,
    DecidedForm,
    DefectsForm,
    ReviewedForm,
    SpanForm,
    WaitingForm,
    last_weeks,
)
from figures.overview.reader import Reader
from figures.overview.tables import Table, copy_as_csv
from figures.permissions import overview_study
from qc import assigning, waiting
from qc.permissions import assigning_study, decides, deciding_study
from studies.models import Study

ROWS_A_PAGE = 50
#: The most rows that a page looks for, and the most of a file.
MOST_LISTED = 1000
MOST_IN_FILES = 200_000


def reader_of(request: HttpRequest, study: Any, form: SpanForm) -> Reader:
    """Return the reader of the page, for a valid form."""
    return Reader(study, form.span, stored.figures_of(study), decides(study), timezone.now())


@require_safe
@never_cache
@login_required
def quality(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what waits for review, what reviews found, and how long it takes, for one lot or all, from a day on."""
    study = overview_study(request, slug)
    form = SpanForm(request.GET, study=study)
    context: dict[str, Any] = {"study": study, "filters": form, "address": Address(request.GET)}
    if not form.is_valid():
        return render(request, "figures/quality.html", context | {"wrong": True}, status=400)
    reader = reader_of(request, study, form)
    context |= {
        "figures": reader.figures,
        "sections": page.sections(reader),
        "decides": reader.decides,
        "mine": sum(waiting.waiting_for(study, cast(User, request.user)).values()),
        "spans": [(weeks, last_weeks(weeks).isoformat()) for weeks in (4, 12, 52)],
    }
    return render(request, "figures/quality.html", context)


@require_safe
@never_cache
@login_required
def table_csv(request: HttpRequest, slug: str, table: str) -> HttpResponseBase:
    """Send one table of the page as CSV, with the filters in the address."""
    study = overview_study(request, slug)
    form = SpanForm(request.GET, study=study)
    if not form.is_valid():
        raise Http404(_("The filters in the address cannot be read."))
    found = page.table(reader_of(request, study, form), table)
    if found is None:
        raise Http404(_("This page has no such table."))
    return sent(request, study, found)


def sent(request: HttpRequest, study: Study, table: Table) -> HttpResponseBase:
    """Return the response with a table as CSV. The download is recorded."""
    about = {"list": table.name, "filters": request.GET.dict()}
    return downloads.send(
        request,
        lambda target: copy_as_csv(table, target),
        name=f"{study.slug}-{table.name}.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record(
            "quality.downloaded", study, actor=cast(User, request.user), study_slug=study.slug, after=about
        ),
    )


@require_POST
@never_cache
@login_required
def recount(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for new figures, and return to the page."""
    study = overview_study(request, slug)
    stored.ask(study)
    messages.success(request, _("The figures are being counted. Reload the page in a few seconds."))
    return redirect(f"{reverse('figures:quality', args=[slug])}{Address(request.GET)}")


# --- The lists behind the numbers ------------------------------------------------------------------------------


def shown(request: HttpRequest, study: Study, form: Any, rows: Any, make: Any, *, csv: str, title: str) -> HttpResponse:
    """Show a page of the rows of a list as a table.

    Args:
        make: a function that makes a `Table` of the rows of the page.
        csv: name of the address of the file.
    """
    pages = Paginator(rows, ROWS_A_PAGE)
    chosen = pages.get_page(request.GET.get("page"))
    context = {
        "study": study,
        "filters": form,
        "title": title,
        "page": chosen,
        "more": pages.count >= MOST_LISTED,
        "table": make(list(chosen.object_list)),
        "csv": f"{reverse(csv, args=[study.slug])}{Address(request.GET)}",
    }
    return render(request, "figures/quality_rows.html", context | assigned_form(study, form))


def assigned_form(study: Study, form: Any) -> dict[str, Any]:
    """Return the form that assigns waiting answers, for their list. Other lists have none."""
    if not isinstance(form, WaitingForm):
        return {}
    people = assigning.reviewers(study, form.wanted.kind)
    return {"assign": AssignForm(people=people), "people": people}


def refused(request: HttpRequest, study: Study, form: Any, title: str) -> HttpResponse:
    """Show the filters that cannot be read."""
    context = {"study": study, "filters": form, "title": title, "wrong": True}
    return render(request, "figures/quality_rows.html", context, status=400)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def waiting_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """Show waiting answers. On POST, assign them to a reviewer, or take assignments back."""
    study = assigning_study(request, slug)
    form = WaitingForm(request.GET or {"kind": waiting.KINDS[0]}, study=study)
    title = _("Waiting for review")
    if not form.is_valid():
        return refused(request, study, form, title)
    if request.method == "POST":
        return assign(request, study, form)
    now = timezone.now()
    found = waiting.listed(study, form.wanted, most=MOST_LISTED, now=now)
    kind = form.wanted.kind
    return shown(
        request,
        study,
        form,
        found,
        lambda rows: lists.waiting_table(study, rows, kind, now),
        csv="figures:waiting_csv",
        title=title,
    )


def assign(request: HttpRequest, study: Study, form: WaitingForm) -> HttpResponse:
    """Assign or free the chosen answers, say what happened, and return to the list."""
    keys = [int(key) for key in request.POST.getlist("items") if key.isascii() and key.isdigit() and len(key) < 19]
    back = redirect(f"{reverse('figures:waiting', args=[study.slug])}{Address(request.GET)}")
    person = cast(User, request.user)
    if request.POST.get("act") == "free":
        number = assigning.unassign(study, form.wanted, actor=person, items=keys)
        words = ngettext("%(n)s assignment was taken back.", "%(n)s assignments were taken back.", number)
        messages.success(request, words % {"n": number})
        return back
    given = AssignForm(request.POST, people=assigning.reviewers(study, form.wanted.kind), items=keys)
    if not given.is_valid():
        messages.error(request, joined(word for words in given.errors.values() for word in words))
        return back
    try:
        done = assigning.assign(
            study,
            form.wanted,
            given.cleaned_data["reviewer"],
            actor=person,
            days=given.cleaned_data["days"],
            items=keys,
            most=assigning.MOST if keys else given.cleaned_data["most"] or ROWS_A_PAGE,
        )
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return back
    messages.success(request, assigned_words(done, given.cleaned_data["reviewer"]))
    return back


def assigned_words(done: assigning.Done, reviewer: User) -> str:
    """Return what an assignment did, in words."""
    words = ngettext(
        "%(n)s answer is assigned to %(who)s.", "%(n)s answers are assigned to %(who)s.", done.assigned
    ) % {"n": done.assigned, "who": reviewer.username}
    if done.left_out:
        left = ngettext(
            "%(n)s was left out, because this person may not review it or somebody is reviewing it now.",
            "%(n)s were left out, because this person may not review them or somebody is reviewing them now.",
            done.left_out,
        )
        words = f"{words} {left % {'n': done.left_out}}"
    return words


@require_safe
@never_cache
@login_required
def waiting_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send all waiting answers as CSV, with the filters in the address."""
    study, now = assigning_study(request, slug), timezone.now()
    form = WaitingForm(request.GET or {"kind": waiting.KINDS[0]}, study=study)
    require_valid(form)
    rows = waiting.listed(study, form.wanted, most=MOST_IN_FILES, now=now)
    return sent(request, study, lists.waiting_table(study, rows, form.wanted.kind, now))


def require_valid(form: Any) -> None:
    """Raise Http404 for filters that cannot be read."""
    if not form.is_valid():
        raise Http404(_("The filters in the address cannot be read."))


def found_defects(study: Any, form: DefectsForm) -> Any:
    """Return the defects that the filters mean."""
    given = {name: form.cleaned_data[name] for name in ("code", "question", "week")}
    return defects.narrowed(defects.defects(study, form.span, decides=True), **given)


@require_safe
@never_cache
@login_required
def defect_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """Show confirmed defects, for people who decide lots."""
    study = deciding_study(request, slug)
    form = DefectsForm(request.GET, study=study)
    title = _("Confirmed defects")
    if not form.is_valid():
        return refused(request, study, form, title)
    rows = found_defects(study, form)
    make = lambda found: lists.defects_table(study, found)  # noqa: E731
    return shown(request, study, form, rows, make, csv="figures:defects_csv", title=title)


@require_safe
@never_cache
@login_required
def defects_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send confirmed defects as CSV, with the filters in the address."""
    study = deciding_study(request, slug)
    form = DefectsForm(request.GET, study=study)
    require_valid(form)
    return sent(request, study, lists.defects_table(study, found_defects(study, form)))


@require_safe
@never_cache
@login_required
def decided_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the batches of decided lots, with how long their decision took."""
    study = overview_study(request, slug)
    form = DecidedForm(request.GET, study=study)
    title = _("Batches of decided lots")
    if not form.is_valid():
        return refused(request, study, form, title)
    make = lambda found: lists.decided_table(study, found)  # noqa: E731
    rows = lists.batches_of(study, form)
    return shown(request, study, form, rows, make, csv="figures:decided_csv", title=title)


@require_safe
@never_cache
@login_required
def decided_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the batches of decided lots as CSV, with the filters in the address."""
    study = overview_study(request, slug)
    form = DecidedForm(request.GET, study=study)
    require_valid(form)
    return sent(request, study, lists.decided_table(study, lists.batches_of(study, form)))


@require_safe
@never_cache
@login_required
def reviewed_rows(request: HttpRequest, slug: str) -> HttpResponse:
    """Show finished reviews, for people who decide lots."""
    study = deciding_study(request, slug)
    form = ReviewedForm(request.GET or {"kind": waiting.KINDS[0]}, study=study)
    title = _("Finished reviews")
    if not form.is_valid():
        return refused(request, study, form, title)
    rows = lists.reviewed(study, form.cleaned_data, most=MOST_LISTED)
    make = lambda found: lists.reviewed_table(study, found, form.cleaned_data["kind"])  # noqa: E731
    return shown(request, study, form, rows, make, csv="figures:reviewed_csv", title=title)


@require_safe
@never_cache
@login_required
def reviewed_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send finished reviews as CSV, with the filters in the address."""
    study = deciding_study(request, slug)
    form = ReviewedForm(request.GET or {"kind": waiting.KINDS[0]}, study=study)
    require_valid(form)
    rows = lists.reviewed(study, form.cleaned_data, most=MOST_IN_FILES)
    return sent(request, study, lists.reviewed_table(study, rows, form.cleaned_data["kind"]))
