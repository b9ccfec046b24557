"""What the pages say about changes of many pairs: which it is, how far it is, and what came of it."""

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

#: Of the changes of a study, those that its pages name.
MOST_NAMED = 5


def changes_of(study: Study) -> dict[str, Any]:
    """Return the change that is being carried out, if there is one, and the last that ended."""
    underway, ended = CHANGES.open(study), CHANGES.ended(study, None, MOST_NAMED)
    return {"underway": next(iter(underway), None), "ended": ended, "right_away": orders.RIGHT_AWAY}


def card(change: PairsChange) -> JobCard:
    """Return the change in words. Only the study's last one can be resumed after it failed."""

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
            "total": 0,  # they are made all at once
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
    """Return which pairs are meant, in the words of the form."""
    said = []
    form = PairFilters(None, study=change.study) if change.what in HOLDS else PairsForm(study=change.study)
    for name, field in form.fields.items():
        chosen = change.choice.get(name)
        if chosen not in (None, ""):
            chosen = dict(getattr(field, "choices", [])).get(chosen, chosen)
            said.append(_("%(label)s: %(words)s") % {"label": field.label, "words": chosen})
    return " · ".join(said)


def outcome(change: PairsChange) -> str:
    """Return what came of it, in a sentence or two. It is empty while the job is open."""
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
