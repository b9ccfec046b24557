"""The preparation of a study's videos on the page of its jobs: its card, and retrying failed videos."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from catalog import media_progress, media_retry
from jobs.pages import JobCard, grouped
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for


def open_cards(study: Study) -> list[JobCard]:
    """Return the card of the study's videos while some of them wait or are being prepared."""
    return [card for card in [card_of(study)] if card.is_open]


def ended_cards(study: Study, before: datetime | None, most: int) -> list[JobCard]:
    """Return the card of the study's videos if some of them failed and none is left to prepare."""
    failed = media_progress.count_listed(study).failed
    return [] if before or not failed else [card for card in [card_of(study)] if not card.is_open]


def card_of(study: Study) -> JobCard:
    """Return the card that shows how many of the study's videos are ready."""
    counts = media_progress.count_listed(study)
    total = counts.unfinished + counts.done + counts.failed
    state = "running" if counts.unfinished else "failed" if counts.failed else "done"
    values = {"ready": grouped(counts.done), "total": grouped(total)}
    failed = ngettext("%(n)s video could not be prepared.", "%(n)s videos could not be prepared.", counts.failed) % {
        "n": grouped(counts.failed)
    }
    return JobCard(
        title=_("Preparing videos"),
        state=state,
        state_label={"running": _("running"), "failed": _("failed"), "done": _("done")}[state],
        created_at=media_progress.last_finished_at(study) or study.created_at,
        said=_("Being prepared") if counts.unfinished else "",
        note=delay_sentence(study) if counts.unfinished else "",
        how_far=_("%(ready)s of %(total)s videos are ready") % values,
        steps=counts.done,
        total=total,
        outcome=failed if counts.failed else "",
        page=reverse("catalog:videos", args=[study.slug]) + ("?state=failed" if state == "failed" else ""),
        watch=reverse("catalog:media", args=[study.slug]),
        resume=reverse("catalog:retry_media", args=[study.slug]) if counts.failed else "",
        resume_label=_("Prepare failed videos again"),
    )


def delay_sentence(study: Study) -> str:
    """Return a sentence on the problem that delays most videos; empty if they only wait for their turn."""
    troubles = sorted(media_progress.troubles(study), key=lambda one: -one.videos)
    if not troubles:
        return ""
    values = {"n": grouped(troubles[0].videos), "why": troubles[0].trouble}
    return (
        ngettext(
            "%(n)s video is waiting because of a problem on the server: %(why)s.",
            "%(n)s videos are waiting because of a problem on the server: %(why)s.",
            troubles[0].videos,
        )
        % values
    )


@require_safe
@never_cache
@login_required
def progress(request: HttpRequest, slug: str) -> JsonResponse:
    """Return the parts of the card that change while videos are prepared."""
    return JsonResponse(card_of(study_for(request, slug, roles=MAY_CONFIGURE)).live())


@require_POST
@login_required
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Prepare the study's failed videos again, and redirect to the jobs."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    again = media_retry.retry_failed(study, actor=person).videos
    said = ngettext("%(n)s video will be prepared again.", "%(n)s videos will be prepared again.", again)
    messages.success(request, said % {"n": grouped(again)})
    return redirect("studies:jobs", slug=slug)
