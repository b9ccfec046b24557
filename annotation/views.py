"""The workspace: one page on which an annotator spends the day."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from annotation import consent, exposure, protocol
from annotation.own_progress import NOTHING_YET, own_progress
from annotation.permissions import annotated_study
from annotation.progress import latest_answered
from studies.models import Study


@require_safe
@never_cache
@login_required
def workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """The page itself, without a pair: its script leases one, so that opening it twice takes nothing."""
    study = annotated_study(request, slug)
    if not consent.in_force(request.user, study):  # type: ignore[arg-type]
        return redirect("annotation:consent", slug=study.slug)
    # The time before the answers, so that an answer that arrives in between is not counted twice.
    person: User = request.user  # type: ignore[assignment]  # signed in
    day_began = exposure.day_began(person, timezone.now())
    today = own_progress(person, [study.pk], day_began).get(study.pk, NOTHING_YET)
    answered, latest = latest_answered(study, request.user.pk)
    return render(
        request,
        "annotation/workspace.html",
        page_of(study) | {"answered": answered, "latest_answered": latest, "today": today},
    )


def page_of(study: Study) -> dict[str, Any]:
    """Return what the template needs of the study and of the protocol."""
    return {
        "study": study,
        "questions": protocol.SUB_DIMENSIONS,
        "helpfulness_overall": protocol.HELPFULNESS_OVERALL,
        "harmlessness_overall": protocol.HARMLESSNESS_OVERALL,
        "harms": harm_choices(),
        "skip_reasons": protocol.SKIP_REASONS,
        "sides": protocol.SIDES,
    }


def harm_choices() -> list[dict[str, Any]]:
    """The twelve tags with their label in the page's language."""
    return [{"code": harm.code, "key": harm.key, "label": harm.label} for harm in protocol.HARMS]
