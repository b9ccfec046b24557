"""The evidence of a finding in words, for the page."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.words import QUESTIONS, labels, number_of
from diptych.listing import listed
from diptych.sentences import joined
from findings import rule_codes
from findings.models import Finding

Evidence = dict[str, Any]


def in_words(finding: Finding) -> str:
    """Return the facts that the rule saw, in one or two sentences."""
    return WORDS[finding.rule](finding.evidence)


def _contradiction(facts: Evidence) -> str:
    said = {"n": number_of(facts["safer"]), "tags": listed(labels(facts["tags"]))}
    return _("Only video %(n)s has harm tags (%(tags)s), and it was chosen as the safer one.") % said


def _swapped_repeat(facts: Evidence) -> str:
    return _("Answered differently the second time: %(questions)s.") % {"questions": _questions(facts)}


def _one_side(facts: Evidence) -> str:
    said = {"place": facts["place"]}
    if facts["side"] == "left":
        return _("Number %(place)s of a run of answers on the left side.") % said
    return _("Number %(place)s of a run of answers on the right side.") % said


def _faster(facts: Evidence) -> str:
    said = {"took": _seconds(facts["answered_ms"]), "video": _seconds(facts["video_ms"])}
    sentence = _("Answered in %(took)s s. The longer video takes %(video)s s.") % said
    if facts["speed"] > 1:
        sentence += " " + _("The fastest speed was %(speed)s×.") % {"speed": f"{facts['speed']:g}"}
    return sentence


def _quick_none(facts: Evidence) -> str:
    return _("“None of these” for both videos took %(took)s s.") % {"took": _seconds(facts["chosen_ms"])}


def _little_seen(facts: Evidence) -> str:
    said = zip(facts["videos"], facts["played_s"], facts["video_s"], strict=True)
    sentence = _("Video %(n)s played for %(played)s s of %(video)s s.")
    return joined(sentence % {"n": number, "played": played, "video": length} for number, played, length in said)


def _cycle(facts: Evidence) -> str:
    number = len(facts["pairs"])
    sentence = ngettext(
        "The preferences on this pair and %(n)s other pair go in a circle (%(questions)s).",
        "The preferences on this pair and %(n)s other pairs go in a circle (%(questions)s).",
        number,
    )
    return sentence % {"n": number, "questions": _questions(facts)}


def _overall(facts: Evidence) -> str:
    said = {"parts": number_of(facts["parts"]), "overall": number_of(facts["overall"])}
    return _("All four questions prefer video %(parts)s, but the overall answer prefers video %(overall)s.") % said


def _tags(facts: Evidence) -> str:
    none = _("none")
    said = {
        "tags": listed(labels(facts["tags"])) or none,
        "labels": listed(labels(facts["labels"])) or none,
        "who": facts["labelled_by"],
    }
    return _("Tags: %(tags)s. Labels of the prompt, by %(who)s: %(labels)s.") % said


def _questions(facts: Evidence) -> str:
    return listed(QUESTIONS[key] for key in facts["questions"])


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f}"


WORDS: dict[str, Callable[[Evidence], str]] = {
    rule_codes.CONTRADICTION: _contradiction,
    rule_codes.SWAPPED_REPEAT: _swapped_repeat,
    rule_codes.ONE_SIDE: _one_side,
    rule_codes.FASTER_THAN_VIDEOS: _faster,
    rule_codes.QUICK_NONE: _quick_none,
    rule_codes.LITTLE_SEEN: _little_seen,
    rule_codes.PREFERENCE_CYCLE: _cycle,
    rule_codes.OVERALL_AGAINST_PARTS: _overall,
    rule_codes.TAGS_AGAINST_LABELS: _tags,
}
