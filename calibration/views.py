"""Pages of calibration: the sessions of a study, one session, and the page on which people judge its pairs."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import audit
from accounts.models import User
from annotation.own_progress import NOTHING_YET
from annotation.views import workspace_context
from calibration import preparing, turns
from calibration.models import CalibrationItem, CalibrationSession
from calibration.permissions import calibrated_study, calibration_of, leading_study, leads_calibration
from consent import agreements
from diptych import downloads
from diptych.refusals import Refused
from diptych.spreadsheet import write_rows
from qc.review_data import question_of

Origin = CalibrationItem.Origin
ROWS_A_PAGE = 50
#: The most verdicts that the page of a draft offers.
MOST_OFFERED = 100


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def sessions(request: HttpRequest, slug: str) -> HttpResponse:
    """List the sessions of a study, and what waits for one. On POST, make a draft session."""
    study = calibrated_study(request, slug)
    if request.method == "POST":
        return make(request, slug)
    found = CalibrationSession.objects.filter(study=study).select_related("follows").order_by("-number")
    leads = leads_calibration(study)
    found = found if leads else found.exclude(state=CalibrationSession.State.DRAFT)
    page = Paginator(found.annotate(pairs=Count("items")), ROWS_A_PAGE).get_page(request.GET.get("page"))
    person = cast(User, request.user)
    context = {
        "study": study,
        "leads": leads,
        "page": page,
        "rows": [(one, turns.has_judged(person, one)) for one in page.object_list],
        "waiting": {
            origin.value: preparing.candidates(study, origin).count() for origin in (Origin.UNCLEAR, Origin.DISPUTED)
        }
        if leads
        else {},
        "may_follow": found.filter(state=CalibrationSession.State.CLOSED, followed_by=None),
    }
    return render(request, "calibration/calibrations.html", context)


def make(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a draft session, and show it."""
    study = leading_study(request, slug)
    follows = request.POST.get("follows", "")
    earlier = (
        calibration_of(study, int(follows)) if follows.isascii() and follows.isdigit() and len(follows) < 9 else None
    )
    try:
        made = preparing.make(study, request.POST.get("topic", ""), actor=cast(User, request.user), follows=earlier)
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("calibration:calibrations", slug=slug)
    return redirect("calibration:calibration", slug=slug, number=made.number)


@require_safe
@never_cache
@login_required
def session(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one session: the choice of its pairs, who has judged, and the results for those who may see them."""
    study = calibrated_study(request, slug)
    return render_session(request, study, calibration_of(study, number))


def render_session(request: HttpRequest, study: Any, found: CalibrationSession, *, status: int = 200) -> HttpResponse:
    """Return the page of one session. After a refusal, a draft has the ids that the person typed."""
    context: dict[str, Any] = {"study": study, "session": found, "leads": leads_calibration(study)}
    if found.state == CalibrationSession.State.DRAFT:
        context["offered"] = [
            (origin, [(one, question_of(one.row, "video_0")) for one in waiting[:MOST_OFFERED]])
            for origin in (Origin.UNCLEAR, Origin.DISPUTED)
            if (waiting := preparing.candidates(study, origin))
        ]
        context["items"] = found.items.select_related("pair", "verdict").order_by("place")
        context["typed"] = request.POST.get("pairs", "")
        return render(request, "calibration/calibration.html", context, status=status)
    person = cast(User, request.user)
    context |= {
        "judged": turns.has_judged(person, found),
        "sees": turns.sees_results(person, found),
        "people_judged": len(preparing.people_of(found)),
        "pairs": found.items.count(),
        "versions": preparing.later_versions(found),
        "followed_by": CalibrationSession.objects.filter(follows=found).first(),
    }
    if context["sees"]:
        context |= results(person, found)
    return render(request, "calibration/calibration.html", context)


def results(person: User, shown: CalibrationSession) -> dict[str, Any]:
    """Return the answers side by side, and the agreement of the session, of the one before and of the one after."""
    from calibration import outcomes  # it loads numpy, which a web process needs for results only

    people, compared = outcomes.compared(shown)
    linked = [shown.follows, shown, CalibrationSession.objects.filter(follows=shown).select_related("study").first()]
    seen = [one for one in linked if one is not None and turns.sees_results(person, one)]
    return {
        "people": people,
        "compared": compared,
        "agreements": [(one, outcomes.agreement_of(one)) for one in seen],
        "table": outcomes.table([outcomes.agreement_of(one) for one in seen]),
    }


@require_POST
@never_cache
@login_required
def change(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Change a session as `act` says: add or remove pairs, open or close it, conclude, or link the guideline."""
    study = leading_study(request, slug)
    found = calibration_of(study, number)
    act = request.POST.get("act", "")
    try:
        said = ACTS[act](found, request.POST, cast(User, request.user))
    except KeyError:
        messages.error(request, _("Use the buttons of the page."))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        if act == "add" and found.state == CalibrationSession.State.DRAFT:
            return render_session(request, study, found, status=400)
    else:
        messages.success(request, said)
    return redirect("calibration:calibration", slug=slug, number=number)


def number_in(sent: Any, name: str) -> int:
    """Return a whole number of a form, or 0."""
    value = sent.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _add(found: CalibrationSession, sent: Any, actor: User) -> str:
    keys = [int(one) for one in sent.getlist("verdicts") if one.isascii() and one.isdigit() and len(one) < 19]
    number = preparing.add(found, verdicts=keys, pairs=sent.get("pairs", "").split(), actor=actor)
    return ngettext("%(n)s pair was added.", "%(n)s pairs were added.", number) % {"n": number}


def _remove(found: CalibrationSession, sent: Any, actor: User) -> str:
    preparing.remove(found, number_in(sent, "item"), actor=actor)
    return _("The pair was removed.")


def _open(found: CalibrationSession, _sent: Any, actor: User) -> str:
    preparing.open_session(found, actor=actor)
    return _("The session is open. All reviewers, researchers and admins can judge its pairs now.")


def _close(found: CalibrationSession, _sent: Any, actor: User) -> str:
    preparing.close(found, actor=actor)
    return _("The session is closed. Everybody sees the results now.")


def _conclude(found: CalibrationSession, sent: Any, actor: User) -> str:
    preparing.conclude(found, number_in(sent, "item"), sent.get("outcome", ""), actor=actor)
    return _("The conclusion is saved.")


def _link(found: CalibrationSession, sent: Any, actor: User) -> str:
    preparing.link_guideline(found, number_in(sent, "version") or None, actor=actor)
    return _("The version of the guideline is saved.")


ACTS = {"add": _add, "remove": _remove, "open": _open, "close": _close, "conclude": _conclude, "link": _link}


@require_safe
@never_cache
@login_required
def judge(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show the page on which a person judges the pairs of an open session, blind. Its script asks for the next pair."""
    study = calibrated_study(request, slug)
    found = calibration_of(study, number)
    if not agreements.in_force(request.user, study):  # type: ignore[arg-type]  # signed in
        return redirect("consent:page", slug=study.slug)
    context = workspace_context(study) | {
        "session": found,
        "lot": None,
        "review_kind": "calibration",
        "kind_name": _("calibration"),
        "rulings": [],
        "codes": [],
        "more_ends": "calibration/_calibration_ends.html",
        "more_words": "qc/_review_words.html",
        "answered": 0,
        "latest_answered": [],
        "today": NOTHING_YET,
    }
    return render(request, "calibration/calibrate.html", context)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Send the answers of a session side by side as CSV, for those who see its results."""
    study = calibrated_study(request, slug)
    found = calibration_of(study, number)
    person = cast(User, request.user)
    turns.require_results(person, found)
    from calibration import outcomes  # as above

    people, compared = outcomes.compared(found)
    rows = outcomes.lines(compared)
    return downloads.send(
        request,
        lambda target: write_rows([*outcomes.COLUMNS, *(one.username for one in people)], rows, target),
        name=f"{study.slug}-calibration-{found.number}.csv",
        content_type=downloads.CSV,
        record=lambda: audit.record("calibration.downloaded", found, actor=person, study_slug=study.slug),
    )
