"""The page with the guideline of a study for all its members: versions, languages side by side, and changes."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studies.documents.changes import Change
from studies.documents.editing import compared, whole
from studies.documents.texts import versions
from studies.models import Document
from studies.permissions import MAY_CONFIGURE, allows, study_for


@require_safe
@never_cache
@login_required
def guideline(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one version: the current one, or the one in `?version=`.

    With `?changes=1` it shows the changes from the version before, and with `?against=` from any other version.
    """
    study = study_for(request, slug)
    known = versions(study, Document.Kind.GUIDELINE)
    dates = dict(known.values_list("version", "created_at"))
    version = wanted_version(request.GET.get("version", str(study.guideline_version)), dates)
    before = max((one for one in dates if one < version), default=0)
    if "against" in request.GET:
        before = wanted_version(request.GET["against"], dates)
    comparing = before > 0 and not {"changes", "against"}.isdisjoint(request.GET)
    texts = {(text.version, text.language): text.text for text in known.filter(version__in=[version, before])}
    languages = [(code, name) for code, name in settings.LANGUAGES if (version, code) in texts]
    columns = {}
    for code, _name in languages:
        earlier, text = texts.get((before, code), ""), texts[version, code]
        columns[code] = compared(earlier, text) if comparing else whole(text)
    return render(
        request,
        "studies/guideline.html",
        {
            "study": study,
            "versions": dates.items(),
            "version": version,
            "before": before,
            "comparing": comparing,
            "languages": [(html_language(code), name) for code, name in languages],
            "rows": rows(columns),
            "missing": [name for code, name in settings.LANGUAGES if (version, code) not in texts],
            "may_edit": allows(study, MAY_CONFIGURE),
        },
    )


def wanted_version(asked: str, known: Collection[int]) -> int:
    """Return the version in the address. Raises Http404 if there is none."""
    version = next((one for one in known if str(one) == asked), None)
    if version is None:
        raise Http404(_("The guideline of this study has no version “%(version)s”.") % {"version": asked})
    return version


def rows(columns: Mapping[str, list[Change]]) -> list[dict[str, Any]]:
    """Return table rows with the same section in each language, in the order of the first language that has it."""
    by_key = {html_language(code): {part.key: part for part in column} for code, column in columns.items()}
    keys = dict.fromkeys(part.key for column in columns.values() for part in column)
    return [{"key": key, "cells": [(code, parts.get(key)) for code, parts in by_key.items()]} for key in keys]


def html_language(code: str) -> str:
    """Return the language tag for HTML, as in `base.html`."""
    return "zh-Hans" if code == "zh-hans" else code
