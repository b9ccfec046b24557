"""The workspace: one page on which an annotator spends the day."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation import protocol
from annotation.permissions import annotated_study
from annotation.progress import own_answers


@require_safe
@never_cache
@login_required
def workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """The page itself, without a pair: its script leases one, so that opening it twice takes nothing."""
    study = annotated_study(request, slug)
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
            "answered": own_answers(study, request.user.pk),
        },
    )


def harm_choices() -> list[dict[str, Any]]:
    """The twelve tags with their label in the page's language."""
    chinese = (get_language() or "").startswith("zh")
    return [
        {"code": harm.code, "key": harm.key, "label": harm.chinese if chinese else harm.english}
        for harm in protocol.HARMS
    ]
