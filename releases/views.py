"""Pages of releases: the list, one release, a new one, and withdrawals."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from catalog.library.files import send_list
from diptych.paging import PAGE_LIMIT_S, TookTooLong, within
from diptych.refusals import BadInput, Refused
from diptych.spreadsheet import write_rows
from releases import (
    automatic,
    charts,
    funnel,
    latest,
    licence_rows,
    making,
    page_parts,
    pages,
    tables,
    uses,
    videos,
    withdrawing,
    words,
)
from releases.forms import FilterForm, NewReleaseForm, SubjectForm, initial
from releases.models import Release
from releases.permissions import makes_releases, numbered, releases_study, releasing_study, withdrawing_study
from studies.models import Study

ROWS_A_PAGE = 50


def _of_study(study: Study) -> Any:
    return Release.objects.filter(study=study).select_related("study", "parent", "asked_by").order_by("-number")


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the study's releases, latest first, and what was withdrawn from them."""
    study = releases_study(request, slug)
    page = Paginator(_of_study(study), ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    withdrawn = latest.withdrawn(rows)
    open_one = next((release for release in rows if release.is_open), None)
    context = {
        "study": study,
        "page": page,
        "rows": [(one, pages.state(one, is_withdrawn=one.pk in withdrawn), one.pk in withdrawn) for one in rows],
        "latest": latest.latest(study),
        "underway": pages.card(open_one) if open_one else None,
        "makes": makes_releases(study),
        "automatic": automatic.of_study(study),
    }
    return render(request, "releases/list.html", context)


@require_POST
@never_cache
@login_required
def automatic_releases(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch automatic releases on or off, as `on` says, and return to the list."""
    study = releasing_study(request, slug)
    automatic.switch(study, on=request.POST.get("on") == "1", actor=cast(User, request.user))
    return redirect("releases:list", slug=slug)


@require_safe
@never_cache
@login_required
def listed_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the list of releases as CSV."""
    study = releases_study(request, slug)
    rows = list(_of_study(study))
    withdrawn = latest.withdrawn(rows)
    columns = ("release", "state", "withdrawn", "answers", "revisions", "parent", "licence", "asked_for", "frozen")
    lines = [
        (
            *(one.number, one.state, "yes" if one.pk in withdrawn else "no"),
            *(one.counts.get("answers", ""), one.counts.get("revisions", "")),
            *(one.parent.number if one.parent else "", one.licence),
            *(one.created_at.isoformat(), one.frozen_at.isoformat() if one.frozen_at else ""),
        )
        for one in rows
    ]
    about = {"list": "releases"}
    return send_list(request, study, lambda file: write_rows(columns, lines, file), name="releases", about=about)


@require_safe
@never_cache
@login_required
def release(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one release: its progress, its files, its funnel, and what was withdrawn from it."""
    study = releases_study(request, slug)
    shown = numbered(study, number)
    tombstones = list(shown.tombstones.select_related("withdrawal").order_by("pk"))
    files, single_videos = pages.files(shown) if shown.state == Release.State.DONE and not tombstones else ([], 0)
    context = {
        "study": study,
        "release": shown,
        "state": pages.state(shown, is_withdrawn=bool(tombstones)),
        "underway": pages.card(shown) if shown.is_open else None,
        "outcome": pages.outcome(shown),
        "files": files,
        "single_videos": single_videos,
        "with_videos": videos.WITH_FILES,
        "quarantined": bool(files) and videos.in_quarantine(shown) > 0,
        "funnel": words.funnel(shown.funnel),
        "parts": words.parts(shown),
        "filter": words.filter_in_words(shown.filter),
        "formats": pages.format_names(shown),
        "columns": pages.columns_in_words(shown),
        "links": page_parts.links_of(shown) if files else [],
        "sections": page_parts.sections_of(shown) if files else [],
        "successors": shown.successors.filter(state=Release.State.DONE).order_by("number"),
        "tombstones": tombstones,
        "uses": uses.uses_of(shown),
        "cite": pages.how_to_cite(shown),
        "makes": makes_releases(study),
        "chart": charts.funnel(shown),
        "licences": tables.licences(shown.about.get("card", {}).get("licences", [])),
    }
    return render(request, "releases/release.html", context)


@require_safe
@never_cache
@login_required
def funnel_csv(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send the funnel of a release as CSV: a row for each stage, and one for each reason."""
    study = releases_study(request, slug)
    shown = numbered(study, number)
    rows = [
        (stage["stage"], reason, answers)
        for stage in shown.funnel
        for reason, answers in (("", stage["answers"]), *sorted(stage["left_out"].items()))
    ]
    about = {"list": "funnel", "release": number}
    columns = ("stage", "left_out_because", "answers")
    name = f"release-{number}-funnel"
    return send_list(request, study, lambda file: write_rows(columns, rows, file), name=name, about=about)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a new release, with a preview of its funnel once it is asked for. Make the release on POST."""
    study = releasing_study(request, slug)
    asked_like = request.GET.get("from", "")
    is_number = asked_like.isascii() and asked_like.isdigit() and len(asked_like) < 9
    like = numbered(study, int(asked_like)) if is_number else None
    first = initial(study, like)
    making_form = NewReleaseForm(request.POST if request.method == "POST" else None, study=study, initial=first)
    if request.method == "POST" and making_form.is_valid():
        try:
            made = making.ask(study, making_form.wanted, actor=cast(User, request.user))
        except BadInput as wrong:
            making_form.add_error(wrong.field or None, wrong.sentence)
        except Refused as refusal:
            making_form.add_error(None, refusal.sentence)
        else:
            return redirect("releases:release", slug=slug, number=made.number)
    asked = request.POST if request.method == "POST" else request.GET if "reviewed" in request.GET else None
    form = FilterForm(asked, study=study, initial=first)
    context: dict[str, Any] = {"study": study, "form": form, "making_form": making_form, "like": like}
    if asked is not None and form.is_valid():
        context |= _preview(study, form)
    wrong_form = (form.is_bound and not form.is_valid()) or making_form.is_bound
    return render(request, "releases/new.html", context, status=400 if wrong_form else 200)


def _preview(study: Study, form: FilterForm) -> dict[str, Any]:
    """Return the funnel of a release that would be made now, and why it cannot be made if it would be empty."""
    try:
        with within(PAGE_LIMIT_S):
            stages = funnel.preview(study, form.cleaned_data["filter"])
            material = licence_rows.planned(study, form.cleaned_data["filter"])
    except TookTooLong:
        return {"too_long": True}
    given = cast(QueryDict, form.data)
    about: dict[str, Any] = {
        "funnel": words.funnel([stage.as_json() for stage in stages]),
        "released": stages[-1].passed,
        "licences": tables.licences([one.as_json() for one in material]),
        "hidden": [(name, value) for name, values in given.lists() for value in values if name in form.fields],
    }
    try:
        funnel.refuse_empty(stages)
    except Refused as refusal:
        about["empty"] = refusal.sentence
    return about


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str, number: int) -> JsonResponse:
    """Return the parts of the page that change while a release waits or is made."""
    return JsonResponse(pages.card(numbered(releases_study(request, slug), number)).live())


@require_POST
@never_cache
@login_required
def cancel(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Cancel a release, and return to its page."""
    making.cancel(numbered(releasing_study(request, slug), number), actor=cast(User, request.user))
    return redirect("releases:release", slug=slug, number=number)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Show which releases have an answer, a video or a person's answers, and withdraw them on POST."""
    study = withdrawing_study(request, slug)
    given = request.POST if request.method == "POST" else request.GET
    form = SubjectForm(given if "key" in given else None, study=study, initial={"kind": given.get("kind", "answer")})
    context: dict[str, Any] = {"study": study, "form": form, "longest": withdrawing.LONGEST_REASON}
    context["withdrawals"] = withdrawing.earlier(study)
    if form.is_bound and form.is_valid():
        of = form.cleaned_data["subject"]
        used = withdrawing.used_in(study, of).items()
        context |= {"subject": of, "used": [(one, number, uses.uses_of(one)) for one, number in used]}
        if request.method == "POST":
            try:
                made = withdrawing.withdraw(
                    study, of, reason=request.POST.get("reason", ""), actor=cast(User, request.user)
                )
            except BadInput as wrong:
                context["trouble"] = wrong.sentence
            else:
                messages.success(request, _ended(made.tombstones.count()))
                return redirect("releases:list", slug=slug)
    status = 400 if context.get("trouble") or (form.is_bound and not form.is_valid()) else 200
    return render(request, "releases/withdraw.html", context, status=status)


@require_safe
@never_cache
@login_required
def withdrawals_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send what was withdrawn from the study's releases as CSV."""
    study = withdrawing_study(request, slug)
    found = withdrawing.earlier(study).values_list("withdrawn_at", "kind", "reason", "numbers")
    rows = [(at.date().isoformat(), kind, reason, " ".join(map(str, numbers))) for at, kind, reason, numbers in found]
    columns = ("withdrawn_on", "kind", "reason", "releases")
    about = {"list": "withdrawals"}
    return send_list(request, study, lambda file: write_rows(columns, rows, file), name="withdrawals", about=about)


def _ended(number: int) -> str:
    """Return what to say after a withdrawal that ended the downloads of so many releases."""
    if not number:
        return _("The withdrawal is done. No release had these answers.")
    done = ngettext(
        "The answers were withdrawn. %(n)s release can no longer be downloaded.",
        "The answers were withdrawn. %(n)s releases can no longer be downloaded.",
        number,
    )
    return done % {"n": number}
