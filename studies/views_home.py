"""The home page: a person's studies."""

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
from studies.models.memberships import Role
from studies.permissions import MAY_ANNOTATE, allows, may_make_studies


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the person's studies, and what they must decide on or know.

    A person with one study, one task in it and nothing to decide is redirected to it, unless `?all` is given.
    """
    person: User = request.user  # type: ignore[assignment]
    every = list(Study.objects.of(person.pk).order_by(Natural("title"), "slug"))
    archived = [study for study in every if study.archived_at is not None]
    shows_archived = "archived" in request.GET and bool(archived)
    studies = archived if shows_archived else [study for study in every if study.archived_at is None]
    duties = duties_of(request)
    invitations, notices = list(open_for(person)), list(notices_for(person))
    if len(studies) == 1 and not (duties or invitations or notices or shows_archived or "all" in request.GET):
        page = first_page(studies[0])
        if page is not None:
            return redirect(page.address)
    titles = Counter(study.title for study in studies)
    annotated = [study for study in studies if allows(study, MAY_ANNOTATE)]
    own = own_lines_of(person, annotated) if annotated else {}
    rows = [
        {
            "study": study,
            "same_title": titles[study.title] > 1,
            "own": own.get(study.pk, []),
            "roles": [Role(role).label for role in sorted(study.roles)],
            "links": links_at(Place.HOME, study),
        }
        for study in studies
    ]
    context = {
        "studies": rows,
        "archived_count": len(archived),
        "shows_archived": shows_archived,
        "makes_studies": may_make_studies(person),
        # Otherwise the card that replaces the empty list has the button.
        "makes_above": bool(studies or duties or invitations),
        "any_study": bool(studies) or Study.objects.exists(),
        "duties": duties,
        "invitations": invitations,
        "notices": notices,
        "expiring_tokens": expiring_tokens(person),
    }
    return render(request, "studies/home.html", context)
