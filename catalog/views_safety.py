"""The safety officer's pages. Each asks for the role first, then for a second factor; each look at a video is recorded.

What is not a safety officer's does not exist for anybody, admins included.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner
from django.db.models import Count, Exists, F, OuterRef
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import second_factor
from accounts.models import AuditEvent
from accounts.views_second_factor import demand, person_of
from catalog import quarantine as quarantines
from catalog.forms_safety import ReasonForm, ReferralForm
from catalog.media import names
from catalog.media.views import NEVER_KEEP, answer
from catalog.models import Pair, Quarantine, RefusedFile
from catalog.permissions import officers_studies, quarantine_for
from catalog.transcoding import pairs_of

#: What each kind of audit row is called on the page.
ACTS = {
    "asset.quarantined": gettext_lazy("taken out of everything"),
    "quarantine.viewed": gettext_lazy("looked at"),
    "quarantine.referred": gettext_lazy("report to an authority noted"),
    "quarantine.legal_hold_set": gettext_lazy("legal hold set"),
    "quarantine.legal_hold_lifted": gettext_lazy("legal hold lifted"),
    "quarantine.released": gettext_lazy("released"),
}
MOST_PAIRS_SHOWN = 100
tickets = TimestampSigner(salt="catalog.views_safety.video")

View = Callable[..., HttpResponseBase]


def of_one_report(seconds: int = second_factor.OPENS_PAGES_S) -> Callable[[View], View]:
    """The view gets the quarantine, once the person has the role and gave a code within so many seconds."""

    def decorate(view: View) -> View:
        @wraps(view)
        @never_cache
        @login_required
        def guarded(request: HttpRequest, quarantine_id: int) -> HttpResponseBase:
            found = quarantine_for(request, quarantine_id)
            way = demand(request, seconds, back_to=page_of(found))
            return way or view(request, found)

        return guarded

    return decorate


def page_of(quarantine: Quarantine) -> str:
    """The address of its page."""
    return reverse("safety:report", args=[quarantine.pk])


@require_safe
@never_cache
@login_required
def reports(request: HttpRequest) -> HttpResponse:
    """What was reported in the person's studies, newest first, and which files imports were refused."""
    studies = officers_studies(request)
    way = demand(request, second_factor.OPENS_PAGES_S, back_to=reverse("safety:reports"))
    if way is not None:
        return way
    theirs = studies.filter(videos__asset=OuterRef("asset"))
    found = Quarantine.objects.filter(Exists(theirs)).annotate(
        people=Count("reports", distinct=True), told=Count("referrals", distinct=True)
    )
    rows = [
        {"quarantine": row, "studies": studies.filter(videos__asset=row.asset_id).distinct()}
        for row in found.order_by(F("released_at").desc(nulls_first=True), "-opened_at")[:200]
    ]
    refused = RefusedFile.objects.filter(study_slug__in=studies.values("slug")).order_by("-last_at")[:200]
    return render(request, "catalog/safety.html", {"rows": rows, "refused": refused, "studies": studies})


@require_safe
@of_one_report()
def report(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Facts, people and decisions of one report. The video itself takes a press of its own."""
    return render(request, "catalog/safety_report.html", facts_of(request, quarantine))


def facts_of(request: HttpRequest, quarantine: Quarantine, **forms: Any) -> dict[str, Any]:
    """What the page shows: of studies that are not the person's only how many there are."""
    studies = officers_studies(request).filter(videos__asset=quarantine.asset_id).distinct()
    pairs = (
        Pair.objects.filter(pairs_of([quarantine.asset_id]), study__in=studies)
        .select_related("study", "batch", "prompt")
        .order_by("study", "pk")
    )
    record = AuditEvent.objects.filter(
        subject=Quarantine._meta.db_table, subject_id=str(quarantine.pk), study_slug=studies[0].slug
    ).select_related("actor")
    return {
        "quarantine": quarantine,
        "asset": quarantine.asset,
        "reports": quarantine.reports.filter(study__in=studies).select_related("person", "study").order_by("pk"),
        "reports_elsewhere": quarantine.reports.exclude(study__in=studies).count(),
        "studies": studies,
        "studies_elsewhere": quarantines.studies_of(quarantine).exclude(pk__in=studies).count(),
        "pairs": pairs[:MOST_PAIRS_SHOWN],
        "pair_count": pairs.count(),
        "referrals": quarantine.referrals.select_related("noted_by").order_by("made_at"),
        "record": [{"event": event, "act": ACTS.get(event.action, event.action)} for event in record.order_by("pk")],
        "playable": quarantine.asset.state == "ready",
        "referral_form": ReferralForm(),
        "hold_form": ReasonForm(auto_id="hold_%s"),
        "release_form": ReasonForm(auto_id="release_%s"),
    } | forms


@require_POST
@of_one_report(second_factor.OPENS_MEDIA_S)
def view_video(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Opens the video once, blurred, on a page of its own, and records who looked."""
    person = person_of(request)
    quarantines.record_viewing(quarantine, person)
    address = reverse("safety:video", args=[quarantine.pk], query={"t": tickets.sign(f"{quarantine.pk}.{person.pk}")})
    return render(request, "catalog/safety_video.html", {"quarantine": quarantine, "address": address})


@require_safe
@of_one_report(second_factor.OPENS_MEDIA_S)
def video(request: HttpRequest, quarantine: Quarantine) -> HttpResponseBase:
    """The playback file for whom `view_video` opened it, for as long as a code opens media; kept by no cache."""
    try:
        opened = tickets.unsign(request.GET.get("t", ""), max_age=second_factor.OPENS_MEDIA_S)
    except BadSignature:
        opened = ""
    if opened != f"{quarantine.pk}.{person_of(request).pk}":
        return HttpResponse("open it from its page", status=403, content_type="text/plain", headers=NEVER_KEEP)
    public_id = quarantine.asset.public_id
    apart = names.playback_apart(public_id)  # or where it was, as long as nobody has moved it
    name = apart if default_storage.exists(apart) else names.playback(public_id)
    return answer(request, name, "video/mp4", keep="no-store")


@require_POST
@of_one_report()
def referral(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Notes that an authority was told."""
    form = ReferralForm(request.POST)
    if not form.is_valid():
        return with_errors(request, quarantine, referral_form=form)
    quarantines.note_referral(quarantine, person_of(request), **form.cleaned_data)
    messages.success(request, _("The report to an authority is noted."))
    return redirect(page_of(quarantine))


@require_POST
@of_one_report()
def legal_hold(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Sets the legal hold, or lifts it."""
    form = ReasonForm(request.POST, auto_id="hold_%s")
    if not form.is_valid():
        return with_errors(request, quarantine, hold_form=form)
    holds = request.POST.get("hold") == "set"
    try:
        quarantines.set_legal_hold(quarantine, person_of(request), holds=holds, reason=form.cleaned_data["reason"])
    except quarantines.Refused:
        messages.error(request, _("It was released before; a legal hold comes too late."))
    else:
        messages.success(request, _("The legal hold is set.") if holds else _("The legal hold is lifted."))
    return redirect(page_of(quarantine))


@require_POST
@of_one_report()
def release(request: HttpRequest, quarantine: Quarantine) -> HttpResponse:
    """Lets the bytes be used again, in every study."""
    form = ReasonForm(request.POST, auto_id="release_%s")
    if not form.is_valid():
        return with_errors(request, quarantine, release_form=form)
    try:
        quarantines.release(quarantine, person_of(request), reason=form.cleaned_data["reason"])
    except quarantines.Refused:
        messages.error(request, _("A legal hold stands: lift it first. Nothing was released."))
    else:
        messages.success(request, _("It is released, and its pairs are as they were before."))
    return redirect(page_of(quarantine))


def with_errors(request: HttpRequest, quarantine: Quarantine, **forms: Any) -> HttpResponse:
    """The page again, with what was typed and what is wrong with it."""
    return render(request, "catalog/safety_report.html", facts_of(request, quarantine, **forms), status=400)
