"""The way in: a person's studies."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.tokens import expiring_tokens
from catalog.calling_officers import duty_of
from catalog.invitations import open_for
from catalog.memberships import notices_for
from catalog.models import Study
from catalog.models.studies import Role
from catalog.permissions import (
    MAY_ANNOTATE,
    MAY_SEE_PROGRESS,
    MAY_SEE_WELLBEING,
    allows,
    may_make_studies,
)


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The person's studies, and what they must decide on or know.

    Who has one study, one thing to do there and nothing to decide on is led straight to it, unless `?all` asks.
    """
    person: User = request.user  # type: ignore[assignment]
    studies = list(Study.objects.of(person.pk).order_by("title"))
    duty = duty_of(request)
    invitations, notices = list(open_for(person)), list(notices_for(person))
    is_led_on = len(studies) == 1 and not (duty.is_officer or invitations or notices or "all" in request.GET)
    if is_led_on:
        held = set(studies[0].roles)
        if held <= MAY_ANNOTATE:
            return redirect("annotation:workspace", slug=studies[0].slug)
        if held <= MAY_SEE_PROGRESS:
            return redirect("qc:dashboard", slug=studies[0].slug)
    rows = [
        {
            "study": study,
            "roles": [Role(role).label for role in sorted(study.roles)],
            "annotates": allows(study, MAY_ANNOTATE),
            "sees_progress": allows(study, MAY_SEE_PROGRESS),
            "tends": allows(study, MAY_SEE_WELLBEING),
        }
        for study in studies
    ]
    context = {
        "studies": rows,
        "makes_studies": may_make_studies(person),
        "duty": duty,
        "invitations": invitations,
        "notices": notices,
        "expiring_tokens": expiring_tokens(person),
    }
    return render(request, "home.html", context)
