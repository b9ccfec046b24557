"""The way in: a person's studies."""

from collections import Counter

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.tokens import expiring_tokens
from diptych.database.natural import Natural
from studies.home import duties_of, own_lines_of
from studies.invitations import open_for
from studies.links import Place, first_page, links_at
from studies.memberships import notices_for
from studies.models import Study
from studies.models.studies import Role
from studies.permissions import MAY_ANNOTATE, allows, may_make_studies


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The person's studies, and what they must decide on or know.

    Who has one study, one thing to do there and nothing to decide on is led straight to it, unless `?all` asks.
    """
    person: User = request.user  # type: ignore[assignment]
    studies = list(Study.objects.of(person.pk).order_by(Natural("title"), "slug"))
    duties = duties_of(request)
    invitations, notices = list(open_for(person)), list(notices_for(person))
    if len(studies) == 1 and not (duties or invitations or notices or "all" in request.GET):
        page = first_page(studies[0])
        if page is not None:
            return redirect(page.address)
    annotated = [study for study in studies if allows(study, MAY_ANNOTATE)]
    own = own_lines_of(person, annotated) if annotated else {}
    titles = Counter(study.title for study in studies)
    rows = [
        {
            "study": study,
            "own": own.get(study.pk, []),
            "same_title": titles[study.title] > 1,
            "roles": [Role(role).label for role in sorted(study.roles)],
            "links": links_at(Place.HOME, study),
        }
        for study in studies
    ]
    context = {
        "studies": rows,
        "makes_studies": may_make_studies(person),
        # Otherwise the card in place of the studies has the button.
        "makes_above": bool(studies or duties or invitations),
        "any_study": bool(studies) or Study.objects.exists(),
        "duties": duties,
        "invitations": invitations,
        "notices": notices,
        "expiring_tokens": expiring_tokens(person),
    }
    return render(request, "studies/home.html", context)
