"""Draws the random overlap sample: of an import's new pairs a share that more people answer (protocol, rule 6).

Agreement, reliability and the human ceiling are measured on it, so every new pair has the same chance, whatever its
priority and whoever listed it, and each prompt type has its share.
"""

import hashlib
import math

from psycopg import sql

from importing.staging import execute, fetch
from studies.models import Study


def draw_sample(study: Study) -> int:
    """Marks pairs in `staged_pair` as drawn, for which at least `sample_overlap` answers are wanted; how many.

    The study's seed and the pairs decide which. Pairs that were there are not staged, so none is drawn again.
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
    """A share in whole pairs: what is over one is rounded by chance, so that many small imports also get theirs."""
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
