"""Which answers agreement is measured on, as SQL, and how their values become numbers.

They are first answers (revision 1, round 0) to the pairs of the random sample. Answers that are invalid now are
included: leaving out what review rejected would make people look as if they agreed. Surplus answers are left out,
because nobody planned for them, and so are controls and pairs in quarantine, which no list shows. A skip has no
answer, so it is a gap.
"""

from annotation.acceptance import SURPLUS_REASONS
from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS, TIE, VIDEOS
from catalog.models import Pair
from catalog.models.pairs import QUARANTINED

QUESTIONS = (*SUB_DIMENSION_KEYS, "helpfulness", "harmlessness")
#: Choices in their order. A code is a position here.
CHOICES = (VIDEOS[0], TIE, VIDEOS[1])
_KEYS = ", ".join(f"'{key}'" for key in HARM_KEYS)
#: The condition for pairs of the random sample.
IN_SAMPLE = f"pair.in_sample AND pair.kind = '{Pair.Kind.REAL}' AND pair.held <> '{QUARANTINED}'"
#: The condition for answers that were planned: of the first round, asked for by the plan, and not surplus. Replacements
#: and further opinions are asked for because of what others answered. `mine` is the assignment, `stands` its standing.
PLANNED = f"""
mine.state = 'submitted' AND mine.round = 0 AND mine.asked_because = 'plan'
AND stands.uncounted_reason NOT IN ({", ".join(f"'{reason}'" for reason in SURPLUS_REASONS)})
"""


def coded_choice(column: str) -> str:
    """Return the SQL of a choice as its position in `CHOICES`."""
    return f"CASE {column} WHEN '{CHOICES[0]}' THEN 0 WHEN '{CHOICES[1]}' THEN 1 ELSE 2 END"


def coded_tags(column: str) -> str:
    """Return the SQL of a list of tags as a number: bit 0 stands for the first harm, and 0 for “none of these”."""
    bit = f"1 << (array_position(ARRAY[{_KEYS}], tag::text) - 1)"
    some = f"SELECT coalesce(bit_or({bit}), 0) FROM unnest({column}) tag"  # noqa: S608 - of constants
    return f"CASE WHEN cardinality({column}) = 0 THEN 0 ELSE ({some}) END"


#: Columns of an answer: its six choices, then the tags of both videos.
CODED = ", ".join([*(coded_choice(f"first.{key}") for key in QUESTIONS),
                   *(coded_tags(f"first.tags_{video}") for video in VIDEOS)])  # fmt: skip
