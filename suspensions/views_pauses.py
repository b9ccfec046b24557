"""Pages of pause rules: who is paused and was judged, ending a pause, and the settings page of the rules."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from catalog.library.files import send_list
from diptych.refusals import Refused
from findings import switches
from studies.models import Study
from studies.setting_groups import GROUPS
from suspensions import pause_lists, pausing
from suspensions.forms import PauseRulesForm
from suspensions.models import PauseRule
from suspensions.pause_figures import ACCURACIES, CONTROLS
from suspensions.permissions import ends_pauses, pause_of, paused_study, pausing_study

ROWS_A_PAGE = 100


def filters_of(request: HttpRequest) -> dict[str, Any]:
    """Return the filters in the address. What cannot be read is ignored."""
    person = request.GET.get("person", "")
    is_key = person.isascii() and person.isdigit() and len(person) < 19
    return {"person_id": int(person) if is_key else None, "only_beyond": request.GET.get("beyond") == "yes"}


@require_safe
@never_cache
@login_required
def pauses(request: HttpRequest, slug: str) -> HttpResponse:
    """Show who is paused now, and everybody who was judged, with the filters in the address."""
    study = paused_study(request, slug)
    chosen = filters_of(request)
    page = Paginator(pause_lists.judgements(study, **chosen), ROWS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "rules": PauseRule.objects.filter(study=study).order_by("figure"),
        "accuracies": ACCURACIES,
        "paused": pause_lists.in_force(study),
        "page": page,
        "rows": pause_lists.lines(study, page.object_list),
        "ends_pauses": ends_pauses(study),
        "longest": pausing.MOST_CHARACTERS,
        **chosen,
    }
    return render(request, "suspensions/pauses.html", context)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the judgements as CSV, with the filters in the address."""
    study = paused_study(request, slug)
    chosen = filters_of(request)
    rows = pause_lists.judgements(study, **chosen)
    _actor, after = cast(User, request.user), {"list": "pause_judgements"} | chosen
    return send_list(request, study, lambda target: pause_lists.copy_as_csv(rows, target), name="pauses", about=after)


@require_POST
@never_cache
@login_required
def end(request: HttpRequest, slug: str, pause_id: int) -> HttpResponse:
    """End a pause, and return to the list."""
    pause = pause_of(request, pause_id)
    try:
        ended = pausing.end(pause, why=request.POST.get("reason", ""), actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    else:
        if ended:
            messages.success(request, _("%(name)s gets pairs again.") % {"name": pause.person.username})
        else:
            messages.error(request, _("This pause had already ended."))
    return redirect("suspensions:pauses", slug=pause.study.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def rules(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the pause rules with their thresholds, and save them on POST."""
    study = pausing_study(request, slug)
    form = PauseRulesForm(request.POST) if request.method == "POST" else PauseRulesForm(initial=initial(study))
    if form.is_valid():
        changed = pausing.set_rules(study, form.limits, actor=cast(User, request.user))
        saved = _("Saved. Each person is judged when they next reach 50, 100, 200 … answers or results.")
        messages.success(request, saved if changed else _("There were no changes, so nothing was saved."))
        return redirect("suspensions:pause_rules", slug=slug)
    context = {
        "study": study,
        "groups": GROUPS,
        "here_setting": "pauses",
        "form": form,
        "rows": [(figure, form[f"{figure}_threshold"], form[f"{figure}_least"]) for figure in PauseRule.Figure.values],
        "accuracies": ACCURACIES,
        "controls": CONTROLS,
        "times_off": "faster_than_videos" not in switches.rules_of(study).on,
    }
    return render(request, "suspensions/pause_rules.html", context, status=400 if form.is_bound else 200)


def initial(study: Study) -> dict[str, Any]:
    """Return the present rules as values of the form."""
    values: dict[str, Any] = {}
    for rule in PauseRule.objects.filter(study=study):
        percent = (rule.threshold * 100).normalize()
        values |= {f"{rule.figure}_threshold": f"{percent:f}", f"{rule.figure}_least": rule.least}
    return values
