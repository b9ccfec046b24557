"""The settings page of rules: which are on, and which make answers invalid."""

import json
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from diptych.listing import listed
from diptych.refusals import ChangedMeanwhile, Refused
from findings import switches
from findings.forms import RulesForm
from findings.permissions import rules_study
from findings.rules import RULES
from studies.models import Study
from studies.setting_groups import GROUPS


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the rules with their switches, and save a change."""
    study = rules_study(request, slug)
    rules = switches.rules_of(study)
    form = RulesForm(request.POST) if request.method == "POST" else RulesForm(initial=switches.as_seen(rules))
    if form.is_valid():
        try:
            changed = switches.change_rules(study, **form.cleaned_data, actor=cast(User, request.user))
        except ChangedMeanwhile as meanwhile:
            messages.error(request, str(meanwhile))
            return redirect("findings:rules", slug=slug)
        except Refused as reason:
            form.add_error(None, str(reason))
        else:
            messages.success(request, what_was_saved(study, changed))
            return redirect("findings:rules", slug=slug)
    context = {
        "study": study,
        "groups": GROUPS,
        "here_setting": "findings",
        "rules": rules,
        "form": form,
        "seen": json.dumps(switches.as_seen(rules)),
        "rows": rows(form),
        "ask_again": form["ask_again"].value(),
    }
    return render(request, "findings/rules.html", context, status=400 if form.is_bound else 200)


def rows(form: RulesForm) -> list[dict[str, Any]]:
    """Return each rule with the states of its switches."""
    on, invalidating = form["on"].value() or [], form["invalidating"].value() or []
    return [{"rule": rule, "is_on": code in on, "invalidates": code in invalidating} for code, rule in RULES.items()]


def what_was_saved(study: Study, changed: list[str]) -> str:
    """Return a sentence about the saved switches."""
    if not changed:
        return _("There were no changes, so nothing was saved.")
    behind = switches.not_yet_run(switches.rules_of(study))
    if behind:
        labels = listed(RULES[code].label for code in behind)
        return _("Saved. Run the rules again so that they check earlier answers too: %(rules)s.") % {"rules": labels}
    return _("Saved. Answers follow within a minute.")
