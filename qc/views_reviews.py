"""Pages of reviews: what waits in each lot, and the page on which a reviewer works."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from annotation.own_progress import NOTHING_YET
from annotation.permissions import annotated_study
from annotation.views import workspace_context
from catalog.library.views import Address
from consent import agreements
from qc import due, replies, waiting
from qc.models import Lot, Verdict
from qc.models.reviews import Kind
from qc.permissions import reviewed_kinds, reviewed_study

LOTS_A_PAGE = 25


@require_safe
@never_cache
@login_required
def reviews(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how many answers of each lot wait for each kind of review that the person may do."""
    study = reviewed_study(request, slug)
    person: User = request.user  # type: ignore[assignment]  # signed in
    kinds = reviewed_kinds(study)
    mine = waiting.waiting_for(study, person)
    page = Paginator(due.lots_to_review(study), LOTS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    counts = due.counts(study, shown, kinds)
    lots = [
        {"lot": lot, "kinds": [(kind, number, mine.get((lot.pk, kind), 0)) for kind, number in counts[lot.pk].items()]}
        for lot in shown
        if lot.state == Lot.State.IN_REVIEW or any(counts[lot.pk].values())
    ]
    names = [Kind(kind).label for kind in Kind.values if kind in kinds]
    asks_consent = not agreements.in_force(person, study)
    context = {"study": study, "lots": lots, "page": page, "kind_names": names, "asks_consent": asks_consent}
    context |= {"most": due.MOST_COUNTED, "address": Address(request.GET)}
    return render(request, "qc/reviews.html", context)


@require_safe
@never_cache
@login_required
def review(request: HttpRequest, slug: str, number: int, kind: str) -> HttpResponse:
    """Show the review page without a pair. Its script leases one, so opening the page twice leases nothing twice."""
    study = reviewed_study(request, slug)
    lot = Lot.objects.filter(study=study, number=number).first()
    if lot is None or kind not in Kind.values:
        raise Http404(_("There is no lot %(id)s.") % {"id": number})
    if kind not in reviewed_kinds(study):
        raise PermissionDenied(_("Your role in this study does not allow this kind of review."))
    if not agreements.in_force(request.user, study):  # type: ignore[arg-type]  # signed in
        return redirect("consent:page", slug=study.slug)
    context = workspace_context(study) | {
        "lot": lot,
        "review_kind": kind,
        "kind_name": Kind(kind).label,
        "rulings": Verdict.Ruling.choices,
        "codes": Verdict.Code.choices,
        "more_ends": "qc/_review_ends.html",
        "more_words": "qc/_review_words.html",
        "answered": 0,
        "latest_answered": [],
        "today": NOTHING_YET,
    }
    return render(request, "qc/review.html", context)


@require_POST
@never_cache
@login_required
def reply(request: HttpRequest, slug: str, item_id: int) -> HttpResponse:
    """Store the annotator's one reply to the review of their answer, and redirect to My work."""
    study = annotated_study(request, slug)
    person: User = request.user  # type: ignore[assignment]  # signed in
    replies.write(person, study, item_id, request.POST.get("text", ""))
    return redirect("answers:my_work", slug=study.slug)
