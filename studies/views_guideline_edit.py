"""Editing a study's guideline: both languages beside each other, checked, previewed, looked over, then published."""

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
    """The editor. Sent with `act=review` it shows what would follow, with `act=publish` it publishes; else, and
    whenever something stands in the way, the words that were sent are back in the editor."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if request.method != "POST":
        return editor(request, study, draft_in_force(study, KIND))
    draft = draft_sent(request.POST)
    act = request.POST.get("act", "")
    if act not in {"review", "publish"}:
        return editor(request, study, draft, sent=True)
    if is_in_force(study, KIND, draft):  # sent twice, or nothing was changed
        messages.info(request, _("The text is the same as in version %(version)s.") % {"version": version_of(study)})
        return led_back(study)
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
    return led_back(study)


@require_POST
@never_cache
@login_required
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """One language as its readers would see it, or with `changes` what changed since the version in force, and what
    keeps it from being published: a piece of HTML."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    language, text = request.POST.get("language", ""), request.POST.get("text", "").replace("\r\n", "\n")
    if language not in LANGUAGES:
        raise BadRequest(_("Diptych does not have the language %(language)s.") % {"language": language})
    comparing = "changes" in request.POST
    return render(request, "studies/_guideline_preview.html", shown(study, language, text, comparing=comparing))


def shown(study: Study, language: str, text: str, *, comparing: bool) -> dict[str, Any]:
    """What the preview of one language holds."""
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
    """The page with these words in it: those in force, or what was `sent` with what stands in its way."""
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
    """Somebody published since the draft was begun: shows what they changed, and keeps the draft. Sent once more from
    here it follows their version."""
    versions = {one.version: one for one in history(study, KIND)}
    present = draft_in_force(study, KIND)
    began = Document.objects.filter(study=study, kind=KIND, version=draft.follows)
    theirs = side_by_side(differences(dict(began.values_list("language", "text")), present.given))
    newer = {"theirs": theirs, "newer": versions[present.follows], "began": draft.follows}
    return editor(request, study, Draft(draft.texts, present.follows), sent=True, newer=newer)


def review(request: HttpRequest, study: Study, draft: Draft) -> HttpResponse:
    """What would be published, what it changes, and what follows; nothing has happened yet."""
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
    """Languages and rows as the side-by-side table shows them."""
    names = dict(settings.LANGUAGES)
    return {
        "languages": [(html_language(code), names[code]) for code in columns],
        "rows": rows(columns),
    }


def version_of(study: Study) -> int:
    """The version in force, as the study row in hand says."""
    return present_version(study, KIND)


def led_back(study: Study) -> HttpResponse:
    """To the editor, which then lets go of a draft that was begun before this version."""
    return redirect(f"{reverse('studies:edit_guideline', args=[study.slug])}?published={version_of(study)}")
