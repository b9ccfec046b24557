"""Pages of a study's trainings and tests: their versions, one version, and what is expected on a pair."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from catalog.models import Pair
from diptych.durations import in_words
from diptych.refusals import Refused
from qualification import choosing, deciding, results, sets
from qualification.forms import ExpectedForm
from qualification.models import PairSet
from qualification.models.sets import Kind
from qualification.permissions import item_of, set_of, sets_study
from qualification.set_words import rows_of
from studies.durations import percent
from studies.models import Study


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the versions of the study's training and test, and who needs a decision. On POST, make a draft."""
    study = sets_study(request, slug)
    if request.method == "POST":
        return _make(request, study)
    versions = list(sets.versions(study))
    in_force = [found for kind in Kind.values if (found := sets.in_force(study, kind)) is not None]
    context = {
        "study": study,
        "versions": versions,
        "in_force": {one.pk for one in in_force},
        "lost": [(one, lost) for one in in_force if (lost := results.lost(one))],
        "has_test": any(one.kind == Kind.TEST for one in in_force),
        "failed": deciding.used_all_attempts(study),
        "mark": percent(study.qualification_pass_share),
        "wait": in_words(study.qualification_wait_s) if study.qualification_wait_s else "",
        "suspicious": sum(line.is_suspicious for line in results.questions(study)),
    }
    return render(request, "qualification/overview.html", context)


def _make(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        made = sets.make_draft(study, request.POST.get("kind", ""), actor=cast(User, request.user))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        return redirect("qualification:overview", slug=study.slug)
    return redirect("qualification:set", slug=study.slug, kind=made.kind, number=made.number)


@require_http_methods(["GET", "HEAD"])
@never_cache
@login_required
def one_set(request: HttpRequest, slug: str, kind: str, number: int) -> HttpResponse:
    """Show one version: its pairs with what is expected on each, and of a draft how to change and publish it."""
    study = sets_study(request, slug)
    return render_set(request, study, set_of(study, kind, number))


def render_set(request: HttpRequest, study: Study, found: PairSet, *, status: int = 200) -> HttpResponse:
    """Return the page of one version. After a refusal, it has what the person typed."""
    is_draft = found.state == PairSet.State.DRAFT
    context: dict[str, Any] = {
        "study": study,
        "set": found,
        "rows": rows_of(found),
        "is_draft": is_draft,
        "fewest": sets.FEWEST_OF_TEST if found.kind == Kind.TEST else 1,
        "most": sets.MOST_ITEMS,
    }
    if is_draft:
        context |= {
            "lacking": sets.lacking(found),
            "offered": choosing.offered(study),
            "people": sets.asked_again_by(found) if found.kind == Kind.TEST else 0,
            "typed": request.POST,
        }
    return render(request, "qualification/set.html", context, status=status)


@require_POST
@never_cache
@login_required
def change(request: HttpRequest, slug: str, kind: str, number: int) -> HttpResponse:
    """Change a draft as `act` says: add, remove or move pairs, publish it or discard it."""
    study = sets_study(request, slug)
    found = set_of(study, kind, number)
    act = request.POST.get("act", "")
    try:
        said = ACTS[act](found, request.POST, cast(User, request.user))
    except KeyError:
        messages.error(request, _("Use the buttons of the page."))
    except Refused as refusal:
        messages.error(request, refusal.sentence)
        if act in ("add", "add_list"):
            return render_set(request, study, found, status=400)
    else:
        if said:
            messages.success(request, said)
        if act in ("discard", "publish"):
            return redirect("qualification:overview", slug=slug)
    return redirect("qualification:set", slug=slug, kind=kind, number=number)


def number_in(sent: Any, name: str) -> int:
    """Return a whole number of a form, or 0."""
    value = sent.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


def _added(number: int) -> str:
    return ngettext("%(n)s pair was added.", "%(n)s pairs were added.", number) % {"n": number}


def _add(found: PairSet, sent: Any, actor: User) -> str:
    return _added(sets.add(found, choosing.by_ids(found.study, sent.get("pairs", "").split()), actor=actor))


def _add_list(found: PairSet, sent: Any, actor: User) -> str:
    pairs = choosing.by_list(found.study, sent.get("list", ""), number_in(sent, "number") or 10)
    return _added(sets.add(found, pairs, actor=actor))


def _add_offered(found: PairSet, sent: Any, actor: User) -> str:
    chosen = set(sent.getlist("offered"))
    pairs: list[Pair] = []
    known: dict[int, list[sets.Expected]] = {}
    for offer in choosing.offered(found.study):
        pairs += [pair for pair in offer.pairs if str(pair.pk) in chosen]
        known |= offer.known
    return _added(sets.add(found, pairs, actor=actor, expected=known))


def _remove(found: PairSet, sent: Any, actor: User) -> str:
    sets.remove(found, number_in(sent, "item"), actor=actor)
    return _("The pair was removed.")


def _earlier(found: PairSet, sent: Any, actor: User) -> str:
    sets.move(found, number_in(sent, "item"), earlier=True, actor=actor)
    return ""


def _later(found: PairSet, sent: Any, actor: User) -> str:
    sets.move(found, number_in(sent, "item"), earlier=False, actor=actor)
    return ""


def _publish(found: PairSet, sent: Any, actor: User) -> str:
    ask_again = sent.get("ask_again") == "on"
    sets.publish(found, actor=actor, ask_again=ask_again, people=number_in(sent, "people"))
    return _("Published. People qualify with this version from now on.")


def _discard(found: PairSet, _sent: Any, actor: User) -> str:
    sets.discard(found, actor=actor)
    return _("The draft was deleted.")


ACTS = {
    "add": _add,
    "add_list": _add_list,
    "add_offered": _add_offered,
    "remove": _remove,
    "earlier": _earlier,
    "later": _later,
    "publish": _publish,
    "discard": _discard,
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def item(request: HttpRequest, slug: str, kind: str, number: int, item_id: int) -> HttpResponse:
    """Show what is expected on a pair of a draft, and save it."""
    study = sets_study(request, slug)
    found = set_of(study, kind, number)
    of_set = item_of(found, item_id)
    if found.state != PairSet.State.DRAFT:
        return redirect("qualification:set", slug=slug, kind=kind, number=number)
    form = ExpectedForm(request.POST if request.method == "POST" else None, study=study, item=of_set)
    if form.is_valid():
        try:
            sets.expect(of_set, form.expected(), actor=cast(User, request.user))
        except Refused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, _("Saved: pair %(n)s.") % {"n": of_set.place})
            return redirect("qualification:set", slug=slug, kind=kind, number=number)
    context = {"study": study, "set": found, "item": of_set, "form": form, "rows": form.rows()}
    return render(request, "qualification/item.html", context, status=400 if form.errors else 200)
