"""Pages of rules: list them with what each did last and does next, make one, change it, and delete it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from diptych.refusals import BadInput, Refused
from jobs.pages import grouped
from training import pages, queueing, rules
from training.forms import NewRuleForm, RuleForm
from training.models import TrainingRule
from training.permissions import rule_of, training_study
from training.rules import Next


def next_in_words(rule: TrainingRule, found: rules.Standing) -> str:
    """Return what a rule does next."""
    n = grouped(found.release.number) if found.release else ""
    about = {"n": n, "least": grouped(rule.least_new_pairs), "found": grouped(found.new_pairs or 0)}
    if found.next == Next.TIME and found.at is not None:
        about["at"] = date_format(localtime(found.at), "Y-m-d H:i")
        return _("It looks at release %(n)s at %(at)s, or at a newer release later.") % about
    if found.next == Next.DUE:
        backbone = rule.family.backbone
        family = rule.family
        wanted = queueing.checked(queueing.Wanted(kind=family.kind, targets=family.targets, backbone=backbone))
        trouble = queueing.why_no_worker(rule.study, backbone, wanted["gpus"], wanted["gpu_memory_mib"])
        return trouble or _("It queues a run on release %(n)s within a minute.") % about
    sentences = {
        Next.OFF: _("It is off. It queues no runs."),
        Next.RELEASE: _("It waits for a complete release."),
        Next.NEXT_RELEASE: _("Release %(n)s has a run already. It waits for the next release."),
        Next.PAIRS: _(
            "Release %(n)s has %(found)s new pairs, and the rule needs %(least)s. It waits for the next release."
        ),
        Next.COUNT: _("It counts the new pairs of release %(n)s within a minute."),
    }
    return sentences[found.next] % about


def _row(rule: TrainingRule) -> dict[str, Any]:
    return {
        "rule": rule,
        "name": pages.family_name(rule.family),
        "last": rules.last_run(rule),
        "next": next_in_words(rule, rules.standing(rule)),
    }


@require_safe
@never_cache
@login_required
def listed(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the rules of a study."""
    study = training_study(request, slug)
    found = TrainingRule.objects.filter(study=study).select_related("study", "family").order_by("pk")
    return render(request, "training/rules.html", {"study": study, "rows": [_row(rule) for rule in found]})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form of a new rule, and make it on POST."""
    study = training_study(request, slug)
    data = request.POST if request.method == "POST" else None
    form = NewRuleForm(data, backbones=queueing.backbones(study), initial={"train": ["helpfulness"]})
    if form.is_bound and form.is_valid():
        try:
            rules.make(study, **form.rule, actor=cast(User, request.user))
        except BadInput as wrong:
            form.add_error(wrong.field if wrong.field in form.fields else None, wrong.sentence)
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return redirect("training:rules", slug=slug)
    return render(
        request, "training/rule_new.html", {"study": study, "form": form}, status=400 if form.is_bound else 200
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def one(request: HttpRequest, slug: str, rule_id: int) -> HttpResponse:
    """Show a rule with its form, and change it on POST."""
    rule = rule_of(request, rule_id, slug)
    data = request.POST if request.method == "POST" else None
    form = RuleForm(data, initial={name: getattr(rule, name) for name in RuleForm.base_fields})
    if form.is_bound and form.is_valid():
        rules.change(rule, **form.cleaned_data, actor=cast(User, request.user))
        messages.success(request, _("Saved."))
        return redirect("training:rules", slug=slug)
    context = {"study": rule.study, "form": form, **_row(rule)}
    return render(request, "training/rule.html", context, status=400 if form.is_bound else 200)


@require_POST
@never_cache
@login_required
def switch(request: HttpRequest, slug: str, rule_id: int) -> HttpResponse:
    """Switch a rule on or off, as `on` says, and return to the list."""
    rule = rule_of(request, rule_id, slug)
    rules.change(rule, is_on=request.POST.get("on") == "1", actor=cast(User, request.user))
    return redirect("training:rules", slug=slug)


@require_POST
@never_cache
@login_required
def delete(request: HttpRequest, slug: str, rule_id: int) -> HttpResponse:
    """Delete a rule, and return to the list."""
    rules.delete(rule_of(request, rule_id, slug), actor=cast(User, request.user))
    messages.success(request, _("The rule was deleted. Runs that it queued stay."))
    return redirect("training:rules", slug=slug)
