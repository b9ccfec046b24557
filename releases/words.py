"""A release in words: the stages of its funnel, why answers are left out, its parts, and its filter."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from answers.words import reason_of_review
from diptych.listing import listed
from findings.rules import RULES
from releases import filters
from releases.filters import Decision, Reviewed
from releases.models import Release

STAGES: dict[str, Promise] = {
    "submitted": pgettext_lazy("stage of answers", "Submitted"),
    "usable": pgettext_lazy("stage of answers", "Usable"),
    "valid": pgettext_lazy("stage of answers", "Valid"),
    "counted": pgettext_lazy("stage of answers", "Counted"),
    "reviewed": pgettext_lazy("stage of answers", "Reviewed"),
    "released": pgettext_lazy("stage of answers", "Released"),
}
#: Why an answer is left out. `in_words` has further reasons of invalid answers.
REASONS: dict[str, Promise] = {
    "control": gettext_lazy("on a control"),
    "quarantined": gettext_lazy("on a video in quarantine"),
    "held": gettext_lazy("on a held pair"),
    "withdrawn": gettext_lazy("withdrawn from releases"),
    "contradiction": gettext_lazy("contradicts itself"),
    "surplus": gettext_lazy("more answers than wanted"),
    "surplus_study_closed": gettext_lazy("came after the study was closed"),
    "surplus_batch_closed": gettext_lazy("came after its batch was closed"),
    "surplus_suspended": gettext_lazy("came after its author was suspended"),
    "rejected": gettext_lazy("rejected by review"),
    "returned": gettext_lazy("returned by review"),
    "lot_returned": gettext_lazy("in a returned lot"),
    "suspended": gettext_lazy("its author is suspended"),
    "no_lot": gettext_lazy("in no lot"),
    "lot_in_review": gettext_lazy("in a lot in review"),
    "lot_accepted": gettext_lazy("in an accepted lot"),
    "other_lot": gettext_lazy("in a lot that was not chosen"),
    "not_reviewed": gettext_lazy("without a verdict"),
    "defect": gettext_lazy("with a defect"),
    "dates": gettext_lazy("on another day"),
    "language": gettext_lazy("in another language"),
    "prompt_type": gettext_lazy("of another prompt type"),
    "protocol_version": gettext_lazy("by another protocol version"),
}
#: The filter with which the list of answers shows those that a stage leaves out now; for the first stage, all of them.
ROWS = {"submitted": "", "valid": "?standing=invalid", "counted": "?standing=uncounted"}
PARTS: dict[str, Promise] = {
    "train": gettext_lazy("train"),
    "test": gettext_lazy("test"),
    "eval": gettext_lazy("eval"),
    "excluded": gettext_lazy("excluded"),
}
PROMPT_TYPES: dict[str, str | Promise] = {
    "safety_neutral": gettext_lazy("safety-neutral"),
    "safety_critical": gettext_lazy("safety-critical"),
}


def funnel(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of a funnel from its stages as the manifest states them."""
    return [
        {
            "name": STAGES[stage["stage"]],
            "rows": ROWS.get(stage["stage"]),
            "answers": stage["answers"],
            "left_out": [
                (in_words(reason), number)
                for reason, number in sorted(stage["left_out"].items(), key=lambda one: -one[1])
            ],
            "number_left_out": sum(stage["left_out"].values()),
        }
        for stage in stages
    ]


def in_words(reason: str) -> str | Promise:
    """Return why answers are left out. An answer can be invalid because of a rule or of what review found."""
    return REASONS.get(reason) or (RULES[reason].label if reason in RULES else reason_of_review(reason))


def parts(release: Release) -> list[tuple[Any, int]]:
    """Return the parts of a release with their numbers of answers."""
    found = release.counts.get("answers_by_part", {})
    return [(name, found[key]) for key, name in PARTS.items() if key in found]


def filter_in_words(stored: dict[str, Any]) -> list[tuple[Any, str]]:
    """Return what a filter chooses: names and values of everything that leaves something out."""
    wanted = filters.from_json(stored)
    decisions = [Decision(one).label for one in wanted.decisions]
    return [
        (_("Lots"), listed(decisions)),
        *([(_("Only these lots"), listed(wanted.lots))] if wanted.lots else []),
        (_("Review"), str(Reviewed(wanted.reviewed).label)),
        *([(_("First day"), wanted.since.isoformat())] if wanted.since else []),
        *([(_("Last day"), wanted.until.isoformat())] if wanted.until else []),
        *([(_("Languages of prompts"), listed(wanted.languages))] if wanted.languages else []),
        *([(_("Prompt types"), listed(wanted.prompt_types))] if wanted.prompt_types else []),
        *([(_("Protocol versions"), listed(wanted.protocol_versions))] if wanted.protocol_versions else []),
    ]
