"""Pages that make a study and change whether it runs."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from diptych.refusals import Refused
from studies import notices, promises
from studies.archiving import archive, bring_back
from studies.creation import create_study
from studies.forms import NewStudyForm
from studies.models import StateChange, Study
from studies.permissions import MAY_CONFIGURE, MAY_REOPEN, allows, require_study_maker, study_for
from studies.setting_groups import GROUP_OF, GROUPS, SETTINGS
from studies.state_changes import STEPS, change_state

#: The message after each step.
MESSAGES = {
    "pause": gettext_lazy("The study is paused. People can finish the pairs that they have open."),
    "resume": gettext_lazy("The study is running."),
    "close": gettext_lazy("The study is closed."),
    "reopen": gettext_lazy("The study was reopened and is now paused."),
    "archive": gettext_lazy("The study is archived. Your home page lists archived studies at the end."),
    "bring_back": gettext_lazy("The study is back in all lists. It does not run until somebody resumes it."),
}
#: Steps that archive or unarchive the study.
ARCHIVING = {"archive": archive, "bring_back": bring_back}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Make a study, and redirect to its settings."""
    person = require_study_maker(request)
    form = NewStudyForm(
        request.POST if request.method == "POST" else None,
        initial={"like": request.GET.get("like", "")},
        person=person,
    )
    if form.is_valid():
        try:
            study = create_study(actor=person, **form.cleaned_data)
        except Refused as error:
            form.add_error("slug", str(error))
        else:
            messages.success(
                request, _("The study was created. It is paused until you resume it. Check its settings first.")
            )
            return redirect("studies:settings", slug=study.slug, group=GROUPS[0].key)
    return render(request, "studies/new.html", {"form": form}, status=400 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Show whether the study runs. Pause, resume, reopen, archive or unarchive it. Closing has its own page."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if request.method == "POST" and (answer := do_step(request, study, {"pause", "resume", "reopen", *ARCHIVING})):
        return answer
    steps = StateChange.objects.filter(study=study).select_related("changed_by").order_by("-pk")
    context = {
        "study": study,
        "groups": GROUPS,
        "may_reopen": allows(study, MAY_REOPEN),
        "lacks": [] if study.state == Study.State.CLOSED else lacks(study),
        "missing": [] if study.state == Study.State.CLOSED else notices.lacks_of(study),
        "record": steps[:20],
    }
    return render(request, "studies/state.html", context)


def lacks(study: Study) -> list[dict[str, Any]]:
    """Return the broken promises of the study, with the setting that keeps each."""
    return [
        {"promise": one, "setting": SETTINGS[one.setting], "group": GROUP_OF[one.setting]}
        for one in promises.unkept(study)
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def close(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain what closing means, and close the study."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if request.method == "POST" and (answer := do_step(request, study, {"close"})):
        return answer
    return render(request, "studies/close.html", {"study": study, "groups": GROUPS})


def do_step(request: HttpRequest, study: Study, allowed: set[str]) -> HttpResponse | None:
    """Do the submitted step, and redirect to the state page. Return None for an unknown step."""
    step = request.POST.get("step", "")
    if step not in allowed:
        return None
    if step == "reopen" and not allows(study, MAY_REOPEN):  # type: ignore[arg-type]  # from `study_for`
        raise PermissionDenied(_("Only an admin can reopen a closed study."))
    person: User = request.user  # type: ignore[assignment]  # only signed-in people get here
    try:
        if step in ARCHIVING:
            ARCHIVING[step](study, actor=person)
        else:
            assert step in STEPS  # noqa: S101 - `allowed` names steps
            change_state(study, step, actor=person)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, MESSAGES[step])
    return redirect("studies:state", slug=study.slug)
