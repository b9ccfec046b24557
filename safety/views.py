"""The pages for safety officers. Each page requires an appointment and a second factor. Each viewing is recorded.

An officer of only some of the studies that use the file sees its state and the pairs of these studies. For everybody
else, including admins, a report does not exist.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import second_factor
from accounts.views_second_factor import person_of, require_code
from catalog.models import Pair, Video
from catalog.readiness import pairs_of
from diptych.database.natural import Natural
from diptych.refusals import Refused
from media import names
from media.views import NEVER_KEEP, answer
from safety import quarantine as quarantines
from safety.forms import ReasonForm, ReferralForm
from safety.models import Officer, Quarantine, RefusedFile
from safety.permissions import decides_reports, officers_studies, quarantine_for, require_officer, sees_reports
from studies.models import Study

MOST_PAIRS_SHOWN = 100
MOST_REPORTS_SHOWN = 200
tickets = TimestampSigner(salt="safety.views.video")

View = Callable[..., HttpResponseBase]


def of_one_report(seconds: int = second_factor.OPENS_PAGES_S, *, deciding: bool = True) -> Callable[[View], View]:
    """Return a decorator that passes the quarantine to the view.

    The person must be allowed to decide about it, or, without `deciding`, to see its state. They must have given a
    code within `seconds`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @never_cache
        @login_required
        def guarded(request: HttpRequest, quarantine_id: int) -> HttpResponseBase:
            found = quarantine_for(request, quarantine_id, deciding=deciding)
            code_page = require_code(request, seconds, back_to=page_of(found))
            return code_page or view(request, found)

        return guarded

    return decorate


def page_of(quarantine: Quarantine) -> str:
    """Return the address of the page of a report."""
    return reverse("safety:report", args=[quarantine.pk])


@require_safe
@never_cache
@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """List the reports from the person's studies, newest first, and the files that imports refused."""
    require_officer(request)
    code_page = require_code(request, second_factor.OPENS_PAGES_S, back_to=reverse("safety:reports"))
    if code_page is not None:
        return code_page
    person, studies = person_of(request), officers_studies(request)
    found = Quarantine.objects.filter(sees_reports(person.pk)).annotate(
        people=Count("reports__person", distinct=True), told=Count("referrals", distinct=True)
    )
    shown = list(found.order_by(F("released_at").desc(nulls_first=True), "-opened_at")[:MOST_REPORTS_SHOWN])
    decided = set(
        Quarantine.objects.filter(decides_reports(person.pk), pk__in=[row.pk for row in shown]).values_list(
            "pk", flat=True
        )
    )
    titles = titles_by_asset([row.asset_id for row in shown], studies)
    rows = [{"quarantine": row, "studies": titles.get(row.asset_id, []), "decides": row.pk in decided} for row in shown]
    refused = RefusedFile.objects.order_by("-last_at")
    of_installation = Officer.objects.of(person.pk).of_installation().exists()
    if not of_installation:
        refused = refused.filter(study_slug__in=studies.values("slug"))
    context = {
        "rows": rows,
        "refused": refused[:MOST_REPORTS_SHOWN],
        "studies": studies,
        "of_installation": of_installation,
    }
    return render(request, "safety/reports.html", context)


def titles_by_asset(assets: list[int], studies: QuerySet[Study]) -> dict[int, list[str]]:
    """Return, for each asset, the titles of those of the studies that use it."""
    used = Video.objects.filter(asset__in=assets, study__in=studies).order_by(Natural("study__title"), "study__title")
    found: dict[int, list[str]] = {}
    for asset_id, title in used.values_list("asset_id", "study__title").distinct():
        found.setdefault(asset_id, []).append(title)
    return found


@require_safe
@of_one_report(deciding=False)
def report(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Show the facts and decisions of one report, or only its state. The video has a page of its own."""
    if Quarantine.objects.filter(decides_reports(person_of(request).pk), pk=quarantine.pk).exists():
        return render(request, "safety/report.html", facts_of(request, quarantine))
    return render(request, "safety/state.html", state_of(request, quarantine))


def state_of(request: HttpRequest, quarantine: Quarantine) -> dict[str, Any]:
    """Return the context for an officer of only some of the studies: the state, and the pairs of their studies."""
    studies = officers_studies(request).filter(videos__asset=quarantine.asset_id).distinct()
    return {"quarantine": quarantine, "studies": studies} | pairs_in(quarantine, studies)


def pairs_in(quarantine: Quarantine, studies: "QuerySet[Study]") -> dict[str, Any]:
    """Return the pairs of these studies that use the file, and how many there are."""
    pairs = (
        Pair.objects.filter(pairs_of([quarantine.asset_id]), study__in=studies)
        .select_related("study", "batch", "prompt")
        .order_by("study", "pk")
    )
    return {"pairs": pairs[:MOST_PAIRS_SHOWN], "pair_count": pairs.count()}


def facts_of(request: HttpRequest, quarantine: Quarantine, **forms: Any) -> dict[str, Any]:
    """Return the context for an officer of all studies that use the file. Reporters are shown by their code."""
    studies = quarantines.studies_of(quarantine)
    return (
        {
            "quarantine": quarantine,
            "asset": quarantine.asset,
            "reports": quarantine.reports.select_related("person__reporter", "study").order_by("pk"),
            "studies": studies,
            "referrals": quarantine.referrals.select_related("noted_by").order_by("made_at"),
            "acts": quarantine.acts.select_related("officer", "reporter").order_by("pk"),
            "playable": quarantine.asset.state == "done",
            "referral_form": ReferralForm(),
            "hold_form": ReasonForm(auto_id="hold_%s"),
            "release_form": ReasonForm(auto_id="release_%s"),
        }
        | pairs_in(quarantine, studies)
        | forms
    )


@require_POST
@of_one_report(second_factor.OPENS_MEDIA_S)
def view_video(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Open the video once, blurred, on a page of its own, and record who viewed it."""
    person = person_of(request)
    quarantines.record_viewing(quarantine, person)
    address = reverse("safety:video", args=[quarantine.pk], query={"t": tickets.sign(f"{quarantine.pk}.{person.pk}")})
    return render(request, "safety/video.html", {"quarantine": quarantine, "address": address})


@require_safe
@of_one_report(second_factor.OPENS_MEDIA_S)
def video(request: HttpRequest, quarantine: Quarantine) -> HttpResponseBase:
    """Return the playback file to the person for whom `view_video` opened it.

    It works for as long as a code opens media. Caches must not keep it.
    """
    try:
        opened = tickets.unsign(request.GET.get("t", ""), max_age=second_factor.OPENS_MEDIA_S)
    except BadSignature:
        opened = ""
    if opened != f"{quarantine.pk}.{person_of(request).pk}":
        return HttpResponse("Open the video from its page.", status=403, content_type="text/plain", headers=NEVER_KEEP)
    public_id = quarantine.asset.public_id
    apart = names.playback_apart(public_id)  # or at the normal place, if it was not moved yet
    name = apart if default_storage.exists(apart) else names.playback(public_id)
    return answer(request, name, "video/mp4", keep="no-store")


@require_POST
@of_one_report()
def referral(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Record that an authority was notified."""
    form = ReferralForm(request.POST)
    if not form.is_valid():
        return with_errors(request, quarantine, referral_form=form)
    quarantines.note_referral(quarantine, person_of(request), **form.cleaned_data)
    messages.success(request, _("The report to an authority was recorded."))
    return redirect(page_of(quarantine))


@require_POST
@of_one_report()
def confirm(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Confirm that the report was right."""
    try:
        quarantines.confirm(quarantine, person_of(request))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The report is confirmed. The video is quarantined everywhere."))
    return redirect(page_of(quarantine))


@require_POST
@of_one_report()
def legal_hold(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Set or lift the legal hold."""
    form = ReasonForm(request.POST, auto_id="hold_%s")
    if not form.is_valid():
        return with_errors(request, quarantine, hold_form=form)
    holds = request.POST.get("hold") == "set"
    try:
        quarantines.set_legal_hold(quarantine, person_of(request), holds=holds, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The legal hold is set.") if holds else _("The legal hold is lifted."))
    return redirect(page_of(quarantine))


@require_POST
@of_one_report()
def release(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Allow the file to be used again in every study."""
    form = ReasonForm(request.POST, auto_id="release_%s")
    if not form.is_valid():
        return with_errors(request, quarantine, release_form=form)
    try:
        quarantines.release(quarantine, person_of(request), reason=form.cleaned_data["reason"])
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, _("The video is released. Its pairs are back in their earlier state."))
    return redirect(page_of(quarantine))


def with_errors(request: HttpRequest, quarantine: Quarantine, **forms: Any) -> HttpResponse:
    """Return the page again, with the submitted values and the errors."""
    return render(request, "safety/report.html", facts_of(request, quarantine, **forms), status=400)
