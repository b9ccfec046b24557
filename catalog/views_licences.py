"""Page of a study's licences."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from catalog.forms import LicenceForm
from catalog.licences import Origin, origins, record_licence
from diptych.refusals import ChangedMeanwhile
from studies.models import Study
from studies.permissions import MAY_CONFIGURE, study_for
from studies.setting_groups import GROUPS


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def licences(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and save the licence and terms of each prompt source and generator."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    person: User = request.user  # type: ignore[assignment]
    wrong: LicenceForm | None = None
    if request.method == "POST":
        wrong = LicenceForm(request.POST)
        if wrong.is_valid():
            values = wrong.cleaned_data
            seen = (values.pop("seen_licence"), values.pop("seen_terms").replace("\r\n", "\n"))
            values["terms"] = values["terms"].replace("\r\n", "\n")
            try:
                record_licence(study, **values, seen=seen, actor=person)
            except ChangedMeanwhile as meanwhile:
                messages.error(request, meanwhile.sentence)
            else:
                messages.success(request, _("The licence and terms of %(name)s were saved.") % {"name": values["name"]})
            return redirect("catalog:licences", slug=slug)
    found = origins(study)
    context = {
        "study": study,
        "groups": GROUPS,
        "here_setting": "licences",
        "sources": [
            entry(study, origin, number, wrong) for number, origin in enumerate(found) if origin.kind == "source"
        ],
        "generators": [
            entry(study, origin, number, wrong) for number, origin in enumerate(found) if origin.kind != "source"
        ],
        "error": bool(wrong),
    }
    return render(request, "catalog/licences.html", context, status=400 if wrong else 200)


def entry(study: Study, origin: Origin, number: int, wrong: LicenceForm | None) -> dict[str, Any]:
    """Return one source or generator with its form. The form that was sent carries its errors."""
    form = LicenceForm(
        auto_id=f"origin_{number}_%s",
        initial={
            "kind": origin.kind,
            "name": origin.name,
            "licence": origin.licence,
            "terms": origin.terms,
            "seen_licence": origin.licence,
            "seen_terms": origin.terms,
        },
    )
    if wrong is not None and (wrong.data.get("kind"), wrong.data.get("name")) == (origin.kind, origin.name):
        wrong.auto_id = f"origin_{number}_%s"
        form = wrong
    page, name = ("prompts", "channel") if origin.kind == "source" else ("videos", "generator")
    rows = f"{reverse(f'catalog:{page}', args=[study.slug])}?{urlencode({name: origin.name})}"
    return {"origin": origin, "form": form, "open": form is wrong, "rows": rows}
