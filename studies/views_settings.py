"""The settings pages of a study: one for each group, and one for consent."""

from copy import copy
from typing import Any, cast

from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from diptych.listing import listed
from diptych.refusals import ChangedMeanwhile, Refused
from studies.configuration import configure, default_of, last_changes, shown
from studies.documents.texts import versions
from studies.forms import SETTINGS_FORMS, SettingsForm, TermsForm
from studies.harms import HARMS
from studies.models import Document, Study
from studies.permissions import MAY_CONFIGURE, study_for
from studies.promises import PromisesUnkept
from studies.setting_groups import BY_KEY, GROUPS, OF_PROTOCOL, SETTINGS, Group
from studies.setting_visibility import left_out
from studies.terms import change_terms


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def settings(request: HttpRequest, slug: str, group: str) -> HttpResponse:
    """Show one group of settings with their descriptions, defaults and earlier values, and save them."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    if group not in BY_KEY:
        raise Http404(_("There are no settings of this name."))
    person: User = request.user  # type: ignore[assignment]
    chosen = BY_KEY[group]
    hidden = left_out(study)
    data = request.POST if request.method == "POST" else None
    form = SETTINGS_FORMS[group](data, instance=copy(study), left_out=hidden)
    if form.is_valid():
        try:
            changed = configure(study, form.values, made_from=form.cleaned_data["made_from"], actor=person)
        except ChangedMeanwhile as meanwhile:
            form = with_current_values(meanwhile, form, study)
        except PromisesUnkept as refusal:
            for promise in refusal.promises:
                form.add_error(promise.setting, refusal.sentence)
        else:
            messages.success(request, what_was_saved(study, changed))
            return redirect("studies:settings", slug=slug, group=group)
    context = {"study": study, "groups": GROUPS, "group": chosen, "form": form, "rows": rows(study, chosen, form)}
    return render(request, "studies/settings.html", context, status=400 if form.is_bound else 200)


def what_was_saved(study: Study, changed: list[str]) -> str:
    """Return a sentence about the saved settings."""
    if not changed:
        return _("There were no changes, so nothing was saved.")
    names = listed(SETTINGS[name].label for name in changed)
    if OF_PROTOCOL.isdisjoint(changed):
        return _("Saved: %(names)s.") % {"names": names}
    about = {"names": names, "version": study.protocol_version}
    return _("Saved: %(names)s. Protocol version %(version)s is now in force.") % about


def with_current_values(meanwhile: ChangedMeanwhile, form: SettingsForm, study: Study) -> SettingsForm:
    """Return the form with the person's input, based on the current values.

    Each setting that somebody else changed has an error with its current value.
    """
    posted = cast(QueryDict, form.data).copy()
    hidden = [name for name in form._meta.fields or () if name not in form.names]
    again = type(form)(posted, instance=form.instance, left_out=hidden)
    last = last_changes(study, meanwhile.present)
    again.is_valid()
    made_from = form.cleaned_data["made_from"] | meanwhile.present
    posted["made_from"] = again["made_from"].field.prepare_value(made_from)
    for name, value in meanwhile.present.items():
        said = {"value": shown(SETTINGS[name], value), "who": last[name].who if name in last else "?"}
        again.add_error(
            name,
            _("%(who)s changed this to “%(value)s” after you opened the page. Save again to replace it.") % said,
        )
    return again


def rows(study: Study, group: Group, form: SettingsForm) -> list[dict[str, Any]]:
    """Return each setting with its field, its default and its last change."""
    last = last_changes(study, group.names)
    return [
        {
            "setting": setting,
            "field": form[setting.name],
            "default": shown(setting, default_of(setting)) if default_of(setting) != "" else "",
            "change": last.get(setting.name),
            "before": shown(setting, last[setting.name].before) if setting.name in last else "",
        }
        for setting in group.settings
        if setting.name in form.names
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def consent(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the harms and the consent text, and publish a new version. Everybody is then asked again."""
    study = study_for(request, slug, roles=MAY_CONFIGURE)
    person: User = request.user  # type: ignore[assignment]
    known = versions(study, Document.Kind.CONSENT)
    present = dict(known.filter(version=study.consent_version).values_list("language", "text"))
    initial = {"version": study.consent_version, "categories": study.categories}
    initial |= {f"text_{code}": text for code, text in present.items()}
    form = TermsForm(
        request.POST if request.method == "POST" else None,
        languages=[(code, str(name)) for code, name in django_settings.LANGUAGES],
        initial=initial,
    )
    if form.is_valid():
        try:
            version = save_terms(study, form, person)
        except Refused as refusal:
            for reason in refusal.sentence.splitlines():
                form.add_error(None, reason)
            form = based_on_version(form, study.consent_version)
        else:
            messages.success(request, version)
            return redirect("studies:consent", slug=slug)
    ticked = form["categories"].value() or []
    context = {
        "study": study,
        "groups": GROUPS,
        "form": form,
        "boxes": [{"harm": harm, "ticked": harm.key in ticked} for harm in HARMS],
        "in_force": present if form.is_bound else {},
    }
    return render(request, "studies/consent.html", context, status=400 if form.is_bound else 200)


def based_on_version(form: TermsForm, version: int) -> TermsForm:
    """Return the same form, now based on the version in force."""
    posted = cast(QueryDict, form.data).copy()
    posted["version"] = str(version)
    form.data = posted
    return form


def save_terms(study: Study, form: TermsForm, person: User) -> str:
    """Publish the next version of the terms, and return a sentence about it. Raises Refused."""
    before = study.consent_version
    if form.cleaned_data["version"] != before:
        raise ChangedMeanwhile(
            _(
                "Somebody else changed the terms after you opened this page. Version %(version)s is in "
                "force. Compare it with yours below, and publish again to replace it."
            )
            % {"version": before}
        )
    version = change_terms(study, categories=form.cleaned_data["categories"], texts=form.texts, actor=person)
    if version == before:
        return _("There were no changes, so nobody is asked again.")
    return _("Version %(version)s of the terms is in force. Everybody is asked again before their next pair.") % {
        "version": version
    }
