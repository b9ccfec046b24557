"""The workspace: one page on which an annotator spends the day."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation import consent, protocol
from annotation.permissions import annotated_study
from annotation.progress import active_today_ms, latest_answered


@require_safe
@never_cache
@login_required
def workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """The page itself, without a pair: its script leases one, so that opening it twice takes nothing."""
    study = annotated_study(request, slug)
    if not consent.in_force(request.user, study):  # type: ignore[arg-type]
        return redirect("annotation:consent", slug=study.slug)
    # The time before the answers, so that an answer that arrives in between is not counted twice.
    active_ms = active_today_ms(study, request.user.pk)
    answered, latest = latest_answered(study, request.user.pk)
    return render(
        request,
        "annotation/workspace.html",
        {
            "study": study,
            "questions": protocol.SUB_DIMENSIONS,
            "helpfulness_overall": protocol.HELPFULNESS_OVERALL,
            "harmlessness_overall": protocol.HARMLESSNESS_OVERALL,
            "harms": harm_choices(),
            "skip_reasons": protocol.SKIP_REASONS,
            "sides": protocol.SIDES,
            "answered": answered,
            "latest_answered": latest,
            "active_today_ms": active_ms,
        },
    )


def harm_choices() -> list[dict[str, Any]]:
    """The twelve tags with their label and what they cover, in the page's language."""
    return [{"code": harm.code, "key": harm.key, "label": harm.label, "covers": harm.covers} for harm in protocol.HARMS]
