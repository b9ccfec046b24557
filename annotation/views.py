"""The workspace: the page on which annotators compare pairs."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.days import day_began
from accounts.models import User
from annotation import protocol
from annotation.first_steps import first_step
from annotation.own_pages import addresses
from annotation.own_progress import NOTHING_YET, latest_answered, own_progress
from annotation.permissions import annotated_study
from studies.models import Study


@require_safe
@never_cache
@login_required
def workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the page without a pair. Its script leases one, so that opening the page twice leases nothing twice."""
    study = annotated_study(request, slug)
    if address := first_step(request.user, study):  # type: ignore[arg-type]  # signed in
        return redirect(address)
    # Read the time before the answers, so that an answer that arrives in between is not counted twice.
    person: User = request.user  # type: ignore[assignment]  # signed in
    began = day_began(person, timezone.now())
    today = own_progress(person, [study.pk], began).get(study.pk, NOTHING_YET)
    answered, latest = latest_answered(study, request.user.pk)
    return render(
        request,
        "annotation/workspace.html",
        workspace_context(study) | {"answered": answered, "latest_answered": latest, "today": today},
    )


def workspace_context(study: Study) -> dict[str, Any]:
    """Return the context of the template: the study, the protocol, and the addresses of the person's own pages."""
    return {
        "study": study,
        "questions": protocol.SUB_DIMENSIONS,
        "helpfulness_overall": protocol.HELPFULNESS_OVERALL,
        "harmlessness_overall": protocol.HARMLESSNESS_OVERALL,
        "harms": harm_choices(),
        "skip_reasons": protocol.SKIP_REASONS,
        "sides": protocol.SIDES,
        "own_pages": addresses(study),
    }


def harm_choices() -> list[dict[str, Any]]:
    """Return the twelve tags with their label and what they cover, in the page's language."""
    return [{"code": harm.code, "key": harm.key, "label": harm.label, "covers": harm.covers} for harm in protocol.HARMS]
