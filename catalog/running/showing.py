"""What the pages say about changes of many pairs: which it is, how far it is, and what came of it."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import PairsChange, Study
from catalog.running import changes
from catalog.running.carrying_out import State, What
from catalog.running.forms_pairs import PairsForm

#: Of the changes of a study, those that its pages name.
MOST_SHOWN = 5


class Row(NamedTuple):
    """One change in words. Only the study's last one goes on after it failed."""

    change: PairsChange
    title: str
    of: str
    outcome: str
    may_resume: bool


def changes_of(study: Study) -> dict[str, Any]:
    """The change that is being carried out, if there is one, and the last that ended."""
    there = PairsChange.objects.filter(study=study).select_related("asked_by").order_by("-pk")[: MOST_SHOWN + 1]
    rows = [
        Row(change, title(change), of(change, study), outcome(change), not later and change.state == State.FAILED)
        for later, change in enumerate(there)
    ]
    ended = [row for row in rows if not row.change.is_unfinished][:MOST_SHOWN]
    found: dict[str, Any] = {"ended": ended, "right_away": changes.RIGHT_AWAY}
    for row in rows:
        if row.change.is_unfinished:
            found |= {"underway": row, "live": progress(row.change)}
    return found


def title(change: PairsChange) -> str:
    """What is changed, to what."""
    sentences = {
        What.OVERLAP: _("Answers a pair: %(value)s"),
        What.PRIORITY: _("Priority: %(value)s"),
        What.BATCHES: _("Batches of %(value)s made anew"),
    }
    return sentences[What(change.what)] % {"value": change.value}


def of(change: PairsChange, study: Study) -> str:
    """Which pairs are meant, in the words of the form."""
    said = []
    for name, field in PairsForm(study=study).fields.items():
        chosen = change.choice.get(name)
        if chosen not in (None, ""):
            words = dict(getattr(field, "choices", [])).get(chosen, chosen)
            said.append(_("%(label)s: %(words)s") % {"label": field.label, "words": words})
    return " · ".join(said)


def progress(change: PairsChange) -> dict[str, Any]:
    """What of the page changes while the change waits or runs; the page is loaded anew when `version` changes."""
    many = {"n": grouped(change.gone_through), "total": grouped(change.pairs)}
    if change.what == What.BATCHES:  # all at once
        how_far = ngettext("%(n)s pair", "%(n)s pairs", change.pairs) % {"n": grouped(change.pairs)}
    else:
        how_far = _("%(n)s of %(total)s pairs") % many
    said = _("Being carried out") if change.state == State.RUNNING else _("Waiting for a worker")
    if change.cancel_asked_at:
        said = _("Being cancelled")
    return {
        "version": change.state,
        "said": said,
        "how_far": how_far,
        "steps": min(change.gone_through, change.pairs),
        "total": 0 if change.what == What.BATCHES else change.pairs,
        "stages": [],
    }


def outcome(change: PairsChange) -> str:
    """What came of it, in a sentence or two; nothing while that is open."""
    if change.is_unfinished:
        return ""
    if change.made:
        return what_was_made(change)
    changed = ngettext("%(n)s pair is changed.", "%(n)s pairs are changed.", change.changed)
    changed %= {"n": grouped(change.changed)}
    return f"{_(change.reason)} {changed}" if change.reason else changed


def what_was_made(change: PairsChange) -> str:
    """A sentence about batches that were made anew."""
    pairs = ngettext("%(n)s pair", "%(n)s pairs", change.changed) % {"n": change.changed}
    first, batches = change.made["first"], change.made["batches"]
    said = {"pairs": pairs, "first": first, "last": first + batches - 1}
    if batches == 1:
        return _("%(pairs)s are in batch %(first)s now.") % said
    return _("%(pairs)s are in batches %(first)s to %(last)s now.") % said


def grouped(number: int) -> str:
    return f"{number:,}"
