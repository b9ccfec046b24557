"""How far people agree on the random sample of a release, from its items alone.

The figures are those of the page “Agreement” (`figures.agreement`), with one difference: a release has no answers that
review rejected, so agreement can look higher here than it was.
"""

from typing import Any

import numpy as np
from django.db import connection

from figures.agreement.figures import whole
from figures.agreement.planned import CODED
from figures.agreement.sample import Answers, Pairs, from_rows
from releases.items import ROWS, Items

#: First answers that the plan asked for. A column more than `figures.agreement.sample.from_rows` reads: the batch.
_STATEMENT = f"""
SELECT assignment.pair_id, assignment.person_id, 0, annotation.protocol_version, 1,
       {CODED.replace("first.", "annotation.")}, frozen.batch,
       coalesce(nullif(frozen.cluster, ''), prompt.public_id)
{ROWS} AND frozen.in_sample AND frozen.standing__validity = 'valid' AND annotation.revision = 1
   AND assignment.round = 0 AND frozen.asked_because = 'plan'
 ORDER BY frozen.place"""
_WIDTH = 13


def of_release(items: Items, *, ties: bool) -> dict[str, Any] | None:
    """Return the figures of agreement, or None if no pair has two answers. Raise Cancelled or TakenOver."""
    answers, pairs = _read(items)
    _pairs, numbers = np.unique(answers.pair, return_counts=True)
    if not (numbers > 1).any():
        return None
    return dict(whole(answers, pairs, ties=ties or answers.ties))


def _read(items: Items) -> tuple[Answers, Pairs]:
    parts = [np.empty((0, _WIDTH), dtype=np.int64)]
    clusters: dict[int, str] = {}
    batches: dict[int, int] = {}
    for chunk in items.chunks():
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENT, chunk)
            rows = cursor.fetchall()
        if rows:
            parts.append(np.array([row[:_WIDTH] for row in rows], dtype=np.int64))
        clusters |= {row[0]: row[-1] for row in rows}
        batches |= {row[0]: row[-2] for row in rows}
    found = np.concatenate(parts)
    answers = from_rows(found[np.lexsort((np.arange(len(found)), found[:, 0]))])
    key = np.unique(answers.pair)
    number = {name: place for place, name in enumerate(sorted(set(clusters.values())))}
    return answers, Pairs(
        key=key,
        cluster=np.array([number[clusters[pair]] for pair in key.tolist()], dtype=np.int64),
        batch=np.array([batches[pair] for pair in key.tolist()], dtype=np.int64),
        language=np.full(len(key), "", dtype=np.str_),
        prompt_type=np.full(len(key), "", dtype=np.str_),
    )
