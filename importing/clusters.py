"""Decide the cluster and the split of new prompts, so that near-duplicates are never in both splits.

A prompt's texts are its own text and the texts that generators were given for it. Two prompts are near if a text of one
is near a text of the other: at least the share NEAR of all their pairs of neighbouring words is in both texts. MinHash
finds the texts to compare, with 12 bands of 3 minima each. Of texts with 27 words that share 60 %, it misses 3 in 100.
Of those that share 70 %, it misses hardly any.

Bands are not stored: each import with new prompts computes the bands of all the study's texts.
"""

import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby, islice, pairwise
from operator import itemgetter
from typing import Any

from django.db import connection
from psycopg import sql
from rensa import RMinHash

from importing.staging import Staged, execute, fetch
from studies.models import Study

#: The least share of common features (Jaccard) of two near-duplicates.
NEAR = 0.6
BANDS, MINIMA = 12, 3
SEED = 1  # any number, but the same for all compared texts
TEXTS_AT_ONCE = 5_000

_UNSPACED = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_ASCII_WORDS = {code: " " for code in range(128) if not chr(code).isalnum()}
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")

CLUSTERS = {"public_id": "text", "cluster": "text", "split": "text"}


def features(text: str) -> list[str]:
    """Return the features of a text: its pairs of neighbouring words, without case and punctuation."""
    if text.isascii():  # the same result, five times as quick
        words = text.lower().translate(_ASCII_WORDS).split() or text.split() or [text]
    else:
        plain = unicodedata.normalize("NFKC", text).casefold()
        words = _WORD.findall(plain) or plain.split() or [plain]
    return list(map(" ".join, pairwise(words))) or words


def similarity(one: str, other: str) -> float:
    """Return the share of all features of two texts that both have (Jaccard)."""
    these, those = set(features(one)), set(features(other))
    return len(these & those) / len(these | those)


def bands(texts: Iterable[str]) -> Iterator[list[int]]:
    """Yield 64-bit numbers for each text. Near texts share some. Numbers are comparable only within one process."""
    for minima in RMinHash.digests_from_token_sets([features(text) for text in texts], BANDS * MINIMA, SEED):
        yield [hash((band, *minima[band * MINIMA : (band + 1) * MINIMA])) for band in range(BANDS)]


def decide_clusters(study: Study, decided: Staged) -> dict[str, int]:
    """Fill `decided` with cluster and split of each new staged prompt. Return how many are in each split.

    Prompts of the study without a split get theirs too, and are counted.
    """
    if not fetch(ANY_NEW, study=study.pk):
        return {}
    names = dict.fromkeys(("public_id", "cluster", "split", "own"), "text") | {"is_eval": "boolean"}
    subjects = Staged("staged_subject", names)
    texts = Staged("staged_text", {"subject": "integer", "text": "text"})
    marks = Staged("staged_mark", {"subject": "integer", "bands": "bigint[]"})
    joined = Staged("staged_joined", {"root": "integer", "split": "text"})
    with subjects, texts, marks, joined:
        execute(LIST_SUBJECTS, study=study.pk, seed=study.seed, share=study.test_share)
        subjects.number()
        execute(LIST_TEXTS, study=study.pk)
        texts.number()
        for chunk in _chunks(sql.SQL("SELECT row, subject, text FROM staged_text ORDER BY row")):
            marked = zip(chunk, bands(text for *_, text in chunk), strict=True)
            marks.copy((number, subject, f"{{{','.join(map(str, marks))}}}") for (number, subject, _), marks in marked)
        execute(sql.SQL("ANALYZE staged_mark"))
        _join(joined)
        joined.number()
        execute(DECIDE)
        execute(DECIDE_OLD, study=study.pk)
    return dict(fetch(sql.SQL("SELECT split, count(*) FROM staged_cluster GROUP BY split ORDER BY split")))


def _chunks(query: sql.Composable, **values: Any) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query in chunks. Other statements can run between two chunks."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, values)
        while chunk := cursor.fetchmany(TEXTS_AT_ONCE):
            yield chunk


ANY_NEW = sql.SQL("""
    SELECT 1 FROM staged_prompt staged
     WHERE NOT EXISTS (SELECT FROM catalog_prompt there
                        WHERE there.study_id = %(study)s AND there.public_id = staged.public_id)
     LIMIT 1
""")

#: All prompts, numbered: first the decided ones, then evaluation prompts, then the others, the older ones first. So no
#: near-duplicate of an evaluation prompt is put into training before it. `own` is the split of a decided prompt's
#: cluster, or the split of a prompt that is near no other.
LIST_SUBJECTS = sql.SQL("""
    INSERT INTO staged_subject (row, public_id, cluster, split, is_eval, own)
    SELECT row_number() OVER (ORDER BY (split = ''), (split = '' AND NOT is_eval), is_new, position),
           public_id, cluster, split, is_eval,
           CASE WHEN part <> '' THEN part WHEN is_eval OR draw < %(share)s * 4294967296 THEN 'test' ELSE 'train' END
      FROM (SELECT false AS is_new, prompt.id AS position, prompt.public_id, prompt.split,
                   prompt.set = 'eval' AS is_eval,
                   coalesce(nullif(prompt.cluster, ''), prompt.public_id) AS cluster,
                   CASE WHEN prompt.split IN ('train', 'test') THEN prompt.split
                        WHEN founder.split IN ('train', 'test') THEN founder.split END AS part
              FROM catalog_prompt prompt
              LEFT JOIN catalog_prompt founder ON founder.study_id = %(study)s AND founder.public_id = prompt.cluster
             WHERE prompt.study_id = %(study)s
             UNION ALL
            SELECT true, staged.row, staged.public_id, '',
                   staged.set IS NOT DISTINCT FROM 'eval', staged.public_id, NULL
              FROM staged_prompt staged
             WHERE NOT EXISTS (SELECT FROM catalog_prompt there
                                WHERE there.study_id = %(study)s AND there.public_id = staged.public_id)) prompt,
           LATERAL (SELECT encode(sha256(convert_to(%(seed)s::text || ' ' || cluster, 'UTF8')), 'hex') AS hash) hashed,
           LATERAL (SELECT ('x' || left(hash, 8))::bit(32)::bigint AS draw) drawn
""")

LIST_TEXTS = sql.SQL("""
    INSERT INTO staged_text (row, subject, text)
    SELECT row_number() OVER (ORDER BY subject, text COLLATE "C"), subject, text
      FROM (SELECT subject.row AS subject, staged.text
              FROM staged_subject subject JOIN staged_prompt staged USING (public_id)
             UNION
            SELECT subject.row, staged.video_text
              FROM staged_subject subject JOIN staged_video staged ON staged.prompt = subject.public_id
             WHERE staged.video_text <> ''
             UNION
            SELECT subject.row, prompt.text
              FROM staged_subject subject JOIN catalog_prompt prompt USING (public_id)
             WHERE prompt.study_id = %(study)s
             UNION
            SELECT subject.row, video.video_text
              FROM staged_subject subject JOIN catalog_prompt prompt USING (public_id)
              JOIN catalog_video video ON video.prompt_id = prompt.id
             WHERE prompt.study_id = %(study)s AND video.video_text <> '') texts
     ORDER BY 1
""")

#: The texts to compare with each new prompt's texts. Of all texts with the same band, these are at most four: the
#: first, the one before it, and the first decided text of each split.
CANDIDATES = sql.SQL("""
    WITH mark AS MATERIALIZED (
        SELECT row, subject, unnest(bands) AS band FROM staged_mark
    ), decided AS MATERIALIZED (
        SELECT coalesce(max(text.row), 0) AS last
          FROM staged_text text JOIN staged_subject subject ON subject.row = text.subject
         WHERE subject.split <> ''
    ), shared AS (
        SELECT band FROM mark, decided
         GROUP BY band, last HAVING min(subject) < max(subject) AND max(row) > last
    ), member AS (
        SELECT mark.row, mark.subject, last,
               min(mark.row) OVER whole AS first, lag(mark.row) OVER (whole ORDER BY mark.row) AS previous,
               min(mark.row) FILTER (WHERE mark.row <= last AND subject.own = 'train') OVER whole AS train,
               min(mark.row) FILTER (WHERE mark.row <= last AND subject.own = 'test') OVER whole AS test
          FROM decided, mark JOIN shared USING (band)
          JOIN staged_subject subject ON subject.row = mark.subject
        WINDOW whole AS (PARTITION BY band)
    ), candidate AS (
        SELECT member.row, member.subject, other, count(*) AS bands
          FROM member, LATERAL (SELECT DISTINCT unnest(ARRAY[first, previous, train, test]) AS other) others
         WHERE member.row > last AND other < member.row
         GROUP BY member.row, member.subject, other
    )
    SELECT subject.row, subject.own, subject.is_eval, near.row, near.own, text.text, other_text.text
      FROM candidate
      JOIN staged_text other_text ON other_text.row = candidate.other AND other_text.subject <> candidate.subject
      JOIN staged_text text ON text.row = candidate.row
      JOIN staged_subject subject ON subject.row = candidate.subject
      JOIN staged_subject near ON near.row = other_text.subject
     ORDER BY subject.row, candidate.bands DESC, candidate.row, candidate.other
""")


def _join(joined: Staged) -> None:
    """Put each prompt that is near earlier ones into the cluster of the nearest, in their order."""
    [(last,)] = fetch(sql.SQL("SELECT coalesce(max(row), 0) FROM staged_subject"))
    roots = array("l", [0]) * (last + 1)  # the root of each subject's cluster, or 0
    parts: list[str | None] = [None] * (last + 1)
    rows = (row for chunk in _chunks(CANDIDATES) for row in chunk)
    decisions = (_decide(subject, list(group), roots, parts) for subject, group in groupby(rows, key=itemgetter(0)))
    while chunk := list(islice(decisions, TEXTS_AT_ONCE)):
        joined.copy(chunk)


def _decide(
    subject: int, candidates: list[tuple[Any, ...]], roots: "array[int]", parts: list[str | None]
) -> tuple[int, int, str]:
    """Return the subject, the root of its cluster (which can be itself), and its split."""
    near: dict[int, float] = {}
    _, own, is_eval, *_ = candidates[0]
    for *_, other, other_part, text, other_text in candidates:
        root = roots[other] or other
        parts[root] = parts[root] or other_part
        if root not in near and (share := similarity(text, other_text)) >= NEAR:
            near[root] = share
    if not near:
        parts[subject] = own
        return subject, subject, own
    roots[subject] = nearest = max(near, key=lambda root: (near[root], -root))
    of = {parts[root] for root in near}
    excluded = len(of) > 1 or (is_eval and of != {"test"})
    return subject, nearest, "excluded" if excluded else str(*of)


DECIDE = sql.SQL("""
    INSERT INTO staged_cluster (public_id, cluster, split)
    SELECT subject.public_id, coalesce(root.cluster, subject.cluster), coalesce(joined.split, subject.own)
      FROM staged_subject subject
      LEFT JOIN staged_joined joined USING (row) LEFT JOIN staged_subject root ON root.row = joined.root
     WHERE subject.split = ''
""")

DECIDE_OLD = sql.SQL("""
    UPDATE catalog_prompt prompt SET cluster = decided.cluster, split = decided.split
      FROM staged_cluster decided
     WHERE prompt.study_id = %(study)s AND prompt.public_id = decided.public_id AND prompt.split = ''
""")
