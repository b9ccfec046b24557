"""The page with a person's own work."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import User
from annotation.permissions import annotated_study
from answers import my_work


@require_safe
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the person's progress and time, their exposure and limits today, and their answers."""
    study = annotated_study(request, slug)
    person: User = request.user  # type: ignore[assignment]  # signed in
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    found = my_work.recent(study, person, after=after, before=before)
    chinese = (get_language() or "").startswith("zh")
    return render(
        request,
        "answers/my_work.html",
        {
            "study": study,
            "notices": [words for notice in my_work.notices if (words := notice(person, study))],
            "summary": my_work.summary(study, person),
            "care": my_work.care(study, person),
            "page": found,
            "answers": my_work.answers(study, person, found.rows, chinese=chinese),
        },
    )
