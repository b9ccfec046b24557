"""The page with a study's settings as a file: download, upload, and the link to a new study with the same settings."""

import json
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from diptych.refusals import Refused
from studies import settings_file
from studies.forms import SettingsFileForm
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for
from studies.setting_groups import GROUPS


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Offer the file for download, and accept a file: first show its changes, then apply it."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    context: dict[str, Any] = {"study": study, "groups": GROUPS, "form": SettingsFileForm()}
    if request.method != "POST":
        return render(request, "studies/settings_file.html", context)
    form = context["form"] = SettingsFileForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            content = form.content
            wanted = settings_file.read(content, study)
        except Refused as refusal:
            refuse(form, refusal)
        else:
            if request.POST.get("act") == "apply" and applied(request, study, wanted, form):
                return redirect("studies:settings_file", slug=slug)
            context |= {
                "differences": settings_file.differences(wanted, study),
                "content": content.decode("utf-8-sig"),
                "made_from": json.dumps(settings_file.state_of(study)),
                "chosen": True,
            }
    return render(request, "studies/settings_file.html", context, status=400 if form.errors else 200)


def applied(request: HttpRequest, study: Study, wanted: settings_file.Wanted, form: SettingsFileForm) -> bool:
    """Apply the file and show a message. Return whether it worked. If not, the form has the reasons."""
    person, made_from = cast(User, request.user), form.cleaned_data["made_from"]
    try:
        changed = settings_file.apply(study, wanted, made_from=made_from or {}, actor=person)
    except Refused as refusal:
        study.refresh_from_db()
        refuse(form, refusal)
        return False
    said = ngettext("%(n)s setting was changed as in the file.", "%(n)s settings were changed as in the file.", changed)
    messages.success(request, said % {"n": changed} if changed else _("There were no changes, so nothing was saved."))
    return True


def refuse(form: SettingsFileForm, refusal: Refused) -> None:
    """Show every reason of a refusal above the form."""
    for reason in refusal.sentence.splitlines():
        form.add_error(None, reason)


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the settings as a file."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    content = settings_file.to_bytes(settings_file.as_file(study))
    name = f'attachment; filename="{study.slug}-settings.json"'
    return HttpResponse(content, content_type="application/json", headers={"Content-Disposition": name})


@require_safe
@never_cache
@login_required
def schema(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the JSON Schema of the file."""
    study_for(request, slug, roles=MAY_CONFIGURE)
    return HttpResponse(settings_file.to_bytes(settings_file.schema()), content_type="application/schema+json")
