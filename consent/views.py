"""The consent page: agree before the first pair, change the agreement, and withdraw it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from consent import agreements, wellbeing
from consent.permissions import annotates, consenting_study
from diptych.refusals import ChangedMeanwhile
from studies.documents.changes import changes
from studies.documents.markdown import sections
from studies.documents.texts import text_of
from studies.models import Document, Study


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the consent text and a checkbox for each harm, with buttons to agree, to change and to withdraw."""
    study = consenting_study(request, slug)
    if request.method == "POST":
        return agree(request, study, first_page="annotation:workspace" if annotates(study) else "")
    context = page_context(request.user, study) | {"annotates": annotates(study)}  # type: ignore[arg-type]
    return render(request, "consent/consent.html", context)


def agree(request: HttpRequest, study: Study, *, first_page: str = "") -> HttpResponse:
    """Store the ticked boxes. The first time, redirect annotators to the workspace; otherwise, back to this page."""
    person: User = request.user  # type: ignore[assignment]
    was_in_force = agreements.in_force(person, study)
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    ticked = request.POST.getlist("categories")
    try:
        if request.POST.get("version") != str(study.consent_version):
            raise ChangedMeanwhile(agreements.terms_changed())
        document = text_of(study, Document.Kind.CONSENT, language)
        text = agreements.consent_text(study, document, language, ticked)
        agreements.agree(person, study, categories=ticked, text=text, language=language)
    except (ChangedMeanwhile, ValueError):
        messages.warning(request, agreements.terms_changed())
        return redirect("consent:page", slug=study.slug)
    if not was_in_force and first_page:
        return redirect(first_page, slug=study.slug)
    messages.success(request, _("Saved. From now on, you only get pairs that match your choices."))
    return redirect("consent:page", slug=study.slug)


@require_POST
@never_cache
@login_required
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """End the consent, and redirect to the consent page, which explains the consequences."""
    study = consenting_study(request, slug)
    agreements.withdraw(request.user, study)  # type: ignore[arg-type]
    return redirect("consent:page", slug=study.slug)


def page_context(person: User, study: Study) -> dict[str, Any]:
    """Return the context of the page: the current text, and what has changed since the person last agreed."""
    language = get_language() or settings.LANGUAGE_CODE
    text = text_of(study, Document.Kind.CONSENT, language)
    agreement = agreements.agreement(person, study)
    asked_anew = agreement.state in {"changed", "withdrawn"}
    return {
        "study": study,
        "text": text,
        "parts": sections(text.text),
        "text_is_foreign": text.language != language,
        "language": language,
        "agreement": agreement,
        "named": agreements.named(study),
        "marked": text_changes(study, agreement, text) if asked_anew else [],
        "own": wellbeing.own_summary(person, study) if agreement.last else None,
        "any_before": asked_anew and any(box.agreed_before for box in agreement.boxes),
    }


def text_changes(study: Study, agreement: agreements.Agreement, text: Document) -> list[Any]:
    """Return the current text with the differences from what the person agreed to; empty if there are none."""
    if agreement.last is None:
        return []
    earlier = agreements.earlier_text(study, agreement.last, text.language)
    if earlier is None or earlier.text == text.text or earlier.language != text.language:
        return []
    return changes(sections(earlier.text), sections(text.text))
