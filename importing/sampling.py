"""Draw the random sample: a share of an import's new pairs that several people answer (protocol, rule 6).

Agreement, reliability and the human ceiling are measured on the sample. So every new pair has the same chance, whatever
its priority, and each prompt type has its share.
"""

import hashlib
import math

from psycopg import sql

from importing.staging import execute, fetch
from studies.models import Study


def draw_sample(study: Study) -> int:
    """Mark drawn pairs in `staged_pair`, which want at least `sample_overlap` answers. Return how many were drawn.

    The study's seed and the pairs decide which. Existing pairs are not staged, so no pair is drawn twice.
    """
    if not study.sample_share:
        return 0
    return sum(
        execute(
            DRAW,
            seed=study.seed,
            prompt_type=prompt_type,
            drawn=how_many(pairs * study.sample_share, f"{study.seed} {prompt_type} {first}"),
            overlap=study.sample_overlap,
        )
        for prompt_type, pairs, first in fetch(STRATA)
    )


def how_many(share: float, drawn_by: str) -> int:
    """Return a share as a whole number of pairs. It is rounded by chance, so that many small imports get theirs too."""
    chance = int.from_bytes(hashlib.sha256(drawn_by.encode()).digest()[:6]) / 2**48
    return math.floor(share + chance)


STRATA = sql.SQL("""
    SELECT prompt.prompt_type, count(*), min(pair.public_id COLLATE "C")
      FROM staged_pair pair JOIN catalog_prompt prompt ON prompt.id = pair.prompt
     GROUP BY prompt.prompt_type ORDER BY prompt.prompt_type
""")

DRAW = sql.SQL("""
    UPDATE staged_pair pair SET in_sample = true, wanted = greatest(pair.wanted, %(overlap)s)
      FROM (SELECT pair.row
              FROM staged_pair pair JOIN catalog_prompt prompt ON prompt.id = pair.prompt
             WHERE prompt.prompt_type = %(prompt_type)s
             ORDER BY sha256(convert_to(%(seed)s::text || ' sample ' || pair.public_id, 'UTF8'))
             LIMIT %(drawn)s) drawn
     WHERE pair.row = drawn.row
""")
