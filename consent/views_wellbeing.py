"""Pages on exposure. The wellbeing contact sees people by name, and each view is recorded. Managers see groups."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import audit
from consent import agreements, exposure_groups, wellbeing
from consent.permissions import managed_study, wellbeing_study

PEOPLE_A_PAGE = 50


@require_safe
@never_cache
@login_required
@transaction.atomic
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the exposure of everybody in the study, for its wellbeing contact."""
    study = wellbeing_study(request, slug)
    order = request.GET.get("order", wellbeing.BY_NAME)
    if order not in wellbeing.ORDERS:
        order = wellbeing.BY_NAME
    last = wellbeing.last_day(study)
    page = Paginator(wellbeing.people(study, last, order), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    found = wellbeing.summaries(study, list(page.object_list), last)
    after = {"page": page.number, "people": len(found)}
    audit.record("wellbeing.viewed", study, actor=request.user, study_slug=study.slug, after=after)  # type: ignore[arg-type]
    context = {"study": study, "summaries": found, "page": page, "order": order, "last": last, "days": wellbeing.DAYS}
    return render(request, "consent/wellbeing.html", context)


@require_safe
@never_cache
@login_required
@transaction.atomic
def person(request: HttpRequest, slug: str, person_id: int) -> HttpResponse:
    """Show one person's exposure by day, for the study's wellbeing contact."""
    study = wellbeing_study(request, slug)
    last = wellbeing.last_day(study)
    user = get_object_or_404(wellbeing.people(study, last), pk=person_id)
    [summary] = wellbeing.summaries(study, [user], last)
    audit.record("wellbeing.person_viewed", user, actor=request.user, study_slug=study.slug)  # type: ignore[arg-type]
    context = {"study": study, "summary": summary, "agreement": agreements.agreement(user, study)}
    return render(request, "consent/wellbeing_person.html", context)


@require_safe
@never_cache
@login_required
def groups(request: HttpRequest, slug: str) -> HttpResponse:
    """Show weekly figures of groups of at least five people, without names, for managers."""
    study = managed_study(request, slug)
    context = {
        "study": study,
        "weeks": exposure_groups.weeks(study),
        "leaving_out": exposure_groups.leaving_out(study),
        "least": exposure_groups.LEAST,
    }
    return render(request, "consent/exposure.html", context)
