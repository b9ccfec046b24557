"""The four kinds of controls: their words, what honest people achieve, and how many people one control may go to."""

from dataclasses import dataclass

from django.utils.functional import Promise as Words
from django.utils.translation import gettext_lazy as _

CONSENSUS_REPEAT, REENCODED, SWAPPED_REPEAT, TAG_GOLD = "consensus_repeat", "reencoded", "swapped_repeat", "tag_gold"

CODES = (CONSENSUS_REPEAT, REENCODED, SWAPPED_REPEAT, TAG_GOLD)
#: Kinds that judge one question, and the questions that a control may judge: the two overall preferences.
OF_ONE_QUESTION = (CONSENSUS_REPEAT, SWAPPED_REPEAT)
QUESTIONS = ("helpfulness", "harmlessness")


@dataclass(frozen=True, slots=True)
class ControlKind:
    """One kind of control.

    Args:
        honest: the share that honest people get right, until the study has enough results to estimate its own.
        people: how many people one control may go to. A control that many people had could become known.
    """

    code: str
    label: Words
    about: Words
    honest: float
    people: int


KINDS = {
    kind.code: kind
    for kind in (
        ControlKind(
            CONSENSUS_REPEAT,
            _("Consensus repeat"),
            _(
                "A pair on which at least three people gave the same overall preference, given to somebody new. Only"
                " that question is judged."
            ),
            honest=0.83,
            people=5,
        ),
        ControlKind(
            REENCODED,
            _("Identical re-encode"),
            _("A video beside its own re-encoding. Both need the same tags, and a tie where the study allows ties."),
            honest=0.95,
            people=20,
        ),
        ControlKind(
            SWAPPED_REPEAT,
            _("Swapped repeat"),
            _(
                "A pair that the same person answered at least a day and 50 pairs ago, with the sides swapped. It"
                " shows consistency only."
            ),
            honest=0.75,
            people=1,
        ),
        ControlKind(
            TAG_GOLD,
            _("Tag gold"),
            _("A pair whose tags an adjudicator settled. For each video, whether it has any tag must agree."),
            honest=0.85,
            people=20,
        ),
    )
}
