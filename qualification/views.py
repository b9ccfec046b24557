"""Pages with which annotators qualify: where they stand, and the workspace of the training and the test."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from annotation.models import Seat
from annotation.own_progress import NOTHING_YET
from annotation.views import workspace_context
from consent import agreements
from diptych.durations import MINUTE, in_words
from diptych.refusals import Refused
from qualification import attempts, own_page, standing
from qualification.models.sets import Kind
from qualification.permissions import qualifying_study


@require_safe
@never_cache
@login_required
def own(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a person where they stand on their way to qualify, what follows, and their last result by question."""
    study, person = qualifying_study(request, slug), cast(User, request.user)
    if not agreements.in_force(person, study):
        return redirect("consent:page", slug=study.slug)
    seat = Seat.objects.filter(study=study, person=person).first()
    found = standing.standing_of(person, study, seat, timezone.now())
    spent = standing.active_ms(person, study)
    context = {
        "study": study,
        "standing": found,
        "done": found.open.turns.filter(ended_at__isnull=False).count() if found.open else 0,
        "minutes": own_page.minutes(study, found),
        "spent": in_words(spent / 1000, to=MINUTE) if spent else "",
        "result": own_page.result(found.last),
        "wait": in_words((found.wait_until - timezone.now()).total_seconds(), to=MINUTE) if found.wait_until else "",
    }
    return render(request, "qualification/own.html", context)


@require_POST
@never_cache
@login_required
def begin(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Begin the training or the test, or go on with it, and show its first pair."""
    study, person = qualifying_study(request, slug), cast(User, request.user)
    if not agreements.in_force(person, study):
        return redirect("consent:page", slug=study.slug)
    try:
        attempts.begin(person, study, _known(kind))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("qualification:own", slug=slug)
    return redirect("qualification:work", slug=slug, kind=kind)


@require_safe
@never_cache
@login_required
def work(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Show the workspace of an open training or test, without a pair. Its script asks for the next one."""
    study, person = qualifying_study(request, slug), cast(User, request.user)
    found = attempts.attempt_at(person, study, _known(kind))
    if found is None or not agreements.in_force(person, study):
        return redirect("qualification:own", slug=slug)
    seat = Seat.objects.filter(study=study, person=person).first()
    context = workspace_context(study) | {
        "kind": kind,
        "attempt": found,
        "of": len(standing.items_for(found.set, seat)),
        "review_kind": kind,
        "more_ends": "qualification/_ends.html",
        "more_words": "qualification/_work_words.html",
        "answered": 0,
        "latest_answered": [],
        "today": NOTHING_YET,
    }
    return render(request, "qualification/work.html", context)


def _known(kind: str) -> str:
    if kind not in Kind.values:
        raise Http404(_("There is no such part of the qualification."))
    return kind
