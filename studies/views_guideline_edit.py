"""The editor of the guideline: both languages side by side, with checks, a preview, a review and publishing."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from diptych.refusals import ChangedMeanwhile
from studies.documents.editing import (
    Draft,
    compared,
    differences,
    draft_in_force,
    draft_sent,
    faults_of_draft,
    history,
    is_in_force,
    readers,
    whole,
)
from studies.documents.publishing import publish
from studies.documents.texts import LANGUAGES, present_version
from studies.models import Document, Study
from studies.permissions import MAY_CONFIGURE, study_for
from studies.views_guideline import html_language, rows

KIND = Document.Kind.GUIDELINE


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the editor. `act=review` shows what would change, and `act=publish` publishes.

    In all other cases, and if there is an error, the submitted text is shown in the editor again.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if request.method != "POST":
        return editor(request, study, draft_in_force(study, KIND))
    draft = draft_sent(request.POST)
    act = request.POST.get("act", "")
    if act not in {"review", "publish"}:
        return editor(request, study, draft, sent=True)
    if is_in_force(study, KIND, draft):  # submitted twice, or unchanged
        messages.info(request, _("The text is the same as in version %(version)s.") % {"version": version_of(study)})
        return redirect_to_editor(study)
    if draft.follows != version_of(study):
        return overtaken(request, study, draft)
    if faults := faults_of_draft(KIND, draft):
        return editor(request, study, draft, sent=True, faults=faults)
    if act == "review":
        return review(request, study, draft)
    try:
        version = publish(study, KIND, texts=draft.given, actor=request.user)  # type: ignore[arg-type]
    except ChangedMeanwhile:
        study.refresh_from_db()
        return overtaken(request, study, draft)
    messages.success(request, _("Version %(version)s of the guideline is in force.") % {"version": version})
    return redirect_to_editor(study)


@require_POST
@never_cache
@login_required
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Return a piece of HTML with one language as its readers see it, and with the errors that prevent publishing.

    With `changes` it shows the changes from the version in force.
    """
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    language, text = request.POST.get("language", ""), request.POST.get("text", "").replace("\r\n", "\n")
    if language not in LANGUAGES:
        raise BadRequest(_("Diptych does not have the language %(language)s.") % {"language": language})
    comparing = "changes" in request.POST
    return render(request, "studies/_guideline_preview.html", shown(study, language, text, comparing=comparing))


def shown(study: Study, language: str, text: str, *, comparing: bool) -> dict[str, Any]:
    """Return the context of the preview of one language."""
    draft = Draft({language: text}, version_of(study))
    present = draft_in_force(study, KIND).texts[language]
    faults = faults_of_draft(KIND, draft) if text.strip() else []
    parts = compared(present, text) if comparing else whole(text)
    return {"faults": faults, "parts": parts, "comparing": comparing, "empty": not text.strip()}


def editor(
    request: HttpRequest,
    study: Study,
    draft: Draft,
    *,
    sent: bool = False,
    faults: Sequence[str] = (),
    newer: dict[str, Any] | None = None,
) -> HttpResponse:
    """Return the editor page with a draft. `sent` is true for a submitted draft, and `faults` are its errors."""
    columns = [
        {"code": code, "lang": html_language(code), "name": name, "text": draft.texts[code]}
        | shown(study, code, draft.texts[code], comparing=False)
        for code, name in settings.LANGUAGES
    ]
    about = {
        "study": study,
        "columns": columns,
        "follows": draft.follows,
        "sent": sent,
        "problems": faults,
        "history": history(study, KIND),
    }
    status = 400 if faults else 409 if newer else 200
    return render(request, "studies/guideline_edit.html", about | (newer or {}), status=status)


def overtaken(request: HttpRequest, study: Study, draft: Draft) -> HttpResponse:
    """Show what somebody else published since the draft was started, and keep the draft.

    If the draft is submitted again from this page, it follows the new version.
    """
    versions = {one.version: one for one in history(study, KIND)}
    present = draft_in_force(study, KIND)
    began = Document.objects.filter(study=study, kind=KIND, version=draft.follows)
    theirs = side_by_side(differences(dict(began.values_list("language", "text")), present.given))
    newer = {"theirs": theirs, "newer": versions[present.follows], "began": draft.follows}
    return editor(request, study, Draft(draft.texts, present.follows), sent=True, newer=newer)


def review(request: HttpRequest, study: Study, draft: Draft) -> HttpResponse:
    """Show what would be published, its changes and its consequences. Nothing has been saved yet."""
    about = side_by_side(differences(draft_in_force(study, KIND).given, draft.given))
    left_out = [name for code, name in settings.LANGUAGES if code not in draft.given]
    return render(
        request,
        "studies/guideline_review.html",
        {
            "study": study,
            "draft": draft,
            "next_version": version_of(study) + 1,
            "next_protocol": study.protocol_version + 1,
            "readers": readers(study),
            "left_out": left_out,
        }
        | about,
    )


def side_by_side(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the languages and rows of the side-by-side table."""
    names = dict(settings.LANGUAGES)
    return {
        "languages": [(html_language(code), names[code]) for code in columns],
        "rows": rows(columns),
    }


def version_of(study: Study) -> int:
    """Return the version in force according to `study`."""
    return present_version(study, KIND)


def redirect_to_editor(study: Study) -> HttpResponse:
    """Redirect to the editor. Its script then deletes a draft that was started before this version."""
    return redirect(f"{reverse('studies:edit_guideline', args=[study.slug])}?published={version_of(study)}")
