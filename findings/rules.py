"""The rules: what each looks for, its version, and how serious its findings are.

A rule is a SELECT over answers. `checking` writes its rows as findings. Whoever changes what a rule finds raises its
version. The page then says that earlier answers were checked by an earlier version, and offers a run.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from findings import rule_codes
from findings.models import Finding

Severity = Finding.Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `uses_model`: it uses labels of a model, so answers of the test and evaluation sets are exempt."""

    code: str
    version: int
    severity: Severity
    label: str | Promise
    about: str | Promise
    uses_model: bool = False

    @property
    def may_invalidate(self) -> bool:
        """Return whether a study may let this rule make answers invalid."""
        return self.code in rule_codes.MAY_INVALIDATE


#: Number of pairs in a row after which `one_side` finds something.
IN_A_ROW = 15
#: Share of a video's length that has to be played, below which `little_seen` finds something.
LITTLE_SHARE = 0.5
#: Milliseconds for “none of these” on both videos, below which `quick_none` finds something.
QUICK_NONE_MS = 1_000

_ALL = (
    Rule(
        rule_codes.CONTRADICTION,
        1,
        Severity.SERIOUS,
        _("Contradiction"),
        _("Only one video has harm tags, and it was chosen as the safer one. The current revision is checked."),
    ),
    Rule(
        rule_codes.SWAPPED_REPEAT,
        1,
        Severity.WARNING,
        _("Swapped repeat answered differently"),
        _(
            "The person got the same two videos again with the sides exchanged, and preferred the other video. First "
            "answers are checked."
        ),
    ),
    Rule(
        rule_codes.ONE_SIDE,
        1,
        Severity.WARNING,
        _("Same side 15 times in a row"),
        _(
            "Both overall answers were on the same side in 15 or more pairs in a row. Pairs of two identical files are "
            "left out. First answers are checked."
        ),
    ),
    Rule(
        rule_codes.FASTER_THAN_VIDEOS,
        1,
        Severity.WARNING,
        _("Faster than the videos"),
        _(
            "The pair was answered in less time than its longer video takes at the fastest speed used. Answers "
            "without reported times are left out. The first answer is checked."
        ),
    ),
    Rule(
        rule_codes.QUICK_NONE,
        1,
        Severity.WARNING,
        _("Quick “none of these”"),
        _(
            "“None of these” was chosen for both videos within one second of active time. Answers without reported "
            "times are left out. The first answer is checked."
        ),
    ),
    Rule(
        rule_codes.LITTLE_SEEN,
        1,
        Severity.WARNING,
        _("Little seen"),
        _(
            "At least one of the videos played for less than half of its length. Answers without a report of what "
            "played are left out. The first answer is checked."
        ),
    ),
    Rule(
        rule_codes.PREFERENCE_CYCLE,
        1,
        Severity.NOTE,
        _("Preferences in a circle"),
        _("Of three videos of one prompt, the person preferred A to B, B to C, and C to A."),
    ),
    Rule(
        rule_codes.OVERALL_AGAINST_PARTS,
        1,
        Severity.NOTE,
        _("Overall answer against all four questions"),
        _("All four questions of the first step prefer one video, and the overall answer prefers the other."),
    ),
    Rule(
        rule_codes.TAGS_AGAINST_LABELS,
        1,
        Severity.NOTE,
        _("Tags and prompt labels differ"),
        _(
            "The harm tags of the answer and the labels of the prompt have nothing in common. The labels usually come "
            "from a model. Prompts of the test and evaluation sets are left out."
        ),
        uses_model=True,
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}
assert tuple(RULES) == rule_codes.CODES  # noqa: S101 - one list, in one order

SEVERITIES: dict[str, str | Promise] = {
    Severity.SERIOUS: _("serious"),
    Severity.WARNING: _("warning"),
    Severity.NOTE: _("note"),
}
