"""Texts of the pages about changes of many pairs: title, progress and outcome."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.library.filters import PairFilters
from catalog.models import PairsChange
from catalog.pair_changes import orders
from catalog.pair_changes.forms import PairsForm
from catalog.pair_changes.work import HOLDS, State, What
from jobs.pages import JobCard, grouped, words
from studies import job_lists
from studies.models import Study

#: The most ended changes of a study that its pages list.
MOST_NAMED = 5


def changes_of(study: Study) -> dict[str, Any]:
    """Return the change in progress, if there is one, and the last ended changes."""
    underway, ended = CHANGES.open(study), CHANGES.ended(study, None, MOST_NAMED)
    return {"underway": next(iter(underway), None), "ended": ended, "right_away": orders.RIGHT_AWAY}


def card(change: PairsChange) -> JobCard:
    """Return the card of a change. Only the study's latest change can be resumed after it failed."""

    def link(name: str) -> str:
        return reverse(f"catalog:{name}", args=[change.study.slug, change.pk])

    titles = {
        What.OVERLAP: _("Answers per pair: %(value)s"),
        What.PRIORITY: _("Priority: %(value)s"),
        What.BATCHES: _("Regroup into batches of %(value)s"),
        What.HOLD: _("Hold the listed pairs: %(why)s"),
        What.RELEASE: _("Release the listed pairs"),
    }
    in_words: dict[str, Any] = {
        "how_far": _("%(n)s of %(total)s pairs") % {"n": grouped(change.steps), "total": grouped(change.steps_total)},
        "meanwhile": _("Annotators can continue in the meantime. You can leave this page."),
        "cancel_about": _("The change stops before the next 1,000 pairs. Pairs that are already changed stay changed."),
    }
    if change.what == What.BATCHES:
        in_words = {
            "how_far": _pairs(change.steps_total),
            "meanwhile": _("Pairs that move are not served until this is done. You can leave this page."),
            "cancel_about": _("The batches are not changed."),
            "total": 0,  # all batches are made in one step
        }
    may_resume = change.state == State.FAILED and orders.is_last(change)
    return JobCard(
        **words(change, doing=_("In progress"), cancel=link("cancel_change")) | in_words,
        title=titles[What(change.what)] % {"value": change.value, "why": change.why},
        about=about(change),
        outcome=outcome(change),
        watch=link("change"),
        cancel_ask=_("Cancel this change…"),
        cancel_label=_("Cancel the change"),
        resume=link("resume_change") if may_resume else "",
        resume_label=_("Continue the change"),
    )


CHANGES = job_lists.of_rows(PairsChange, card)


def about(change: PairsChange) -> str:
    """Return the selection of pairs in the words of the form."""
    said = []
    form = PairFilters(None, study=change.study) if change.what in HOLDS else PairsForm(study=change.study)
    for name, field in form.fields.items():
        chosen = change.choice.get(name)
        if chosen not in (None, ""):
            chosen = dict(getattr(field, "choices", [])).get(chosen, chosen)
            said.append(_("%(label)s: %(words)s") % {"label": field.label, "words": chosen})
    return " · ".join(said)


def outcome(change: PairsChange) -> str:
    """Return the outcome in one or two sentences; empty while the job is open."""
    if change.is_open:
        return ""
    if change.made:
        first, number = change.made["first"], change.made["batches"]
        one, more = _("%(pairs)s moved to batch %(first)s."), _("%(pairs)s moved to batches %(first)s to %(last)s.")
        said = {"pairs": _pairs(change.changed), "first": first, "last": first + number - 1}
        return (one if number == 1 else more) % said
    changed = ngettext("%(n)s pair was changed.", "%(n)s pairs were changed.", change.changed)
    changed %= {"n": grouped(change.changed)}
    return f"{_(change.reason)} {changed}" if change.reason else changed


def _pairs(number: int) -> str:
    return ngettext("%(n)s pair", "%(n)s pairs", number) % {"n": grouped(number)}
