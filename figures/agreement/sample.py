"""Read the answers on which agreement is measured (`planned.py`), as columns of whole numbers."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from catalog.models import Pair
from diptych.statistics.measures import GAP
from figures.agreement.planned import CODED, IN_SAMPLE, PLANNED
from qc.models import LotBatch
from studies.models import Study

Index = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ROWS_AT_ONCE = 20_000

_ANSWERS = f"""
SELECT mine.pair_id, mine.person_id, extract(epoch FROM mine.ended_at)::bigint, mine.protocol_version,
       (stands.validity = 'valid')::int, {CODED}
  FROM catalog_pair pair
  JOIN annotation_assignment mine ON mine.pair_id = pair.id
  JOIN annotation_standing stands ON stands.assignment_id = mine.id
  JOIN annotation_annotation first ON first.assignment_id = mine.id AND first.revision = 1
 WHERE pair.study_id = %(study)s AND {IN_SAMPLE} AND {PLANNED}
 ORDER BY mine.pair_id, mine.id
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Answers:
    """First answers, sorted by pair and then by the order in which they were given out.

    All columns have one number an answer. choices: (answers, 6). tags: (answers, 2), one number a video, as
    `coded_tags` makes it.
    """

    pair: Index
    person: Index
    second: Index
    version: Index
    valid: Flags
    choices: Index
    tags: Index

    def __len__(self) -> int:
        return len(self.pair)

    def where(self, wanted: Flags) -> "Answers":
        """Return the answers for which `wanted` is true."""
        names = ("pair", "person", "second", "version", "valid", "choices", "tags")
        return replace(self, **{name: getattr(self, name)[wanted] for name in names})

    @property
    def ties(self) -> bool:
        """Return whether somebody answered with a tie."""
        return bool((self.choices == 1).any())


def answers_of(study: Study) -> Answers:
    """Return the first answers to the study's random sample."""
    return from_rows(fetch_numbers(_ANSWERS, {"study": study.pk}, width=13))


def from_rows(rows: Index) -> Answers:
    """Return answers from their columns, in the order of `_ANSWERS`."""
    return Answers(
        pair=rows[:, 0],
        person=rows[:, 1],
        second=rows[:, 2],
        version=rows[:, 3],
        valid=rows[:, 4] == 1,
        choices=rows[:, 5:11],
        tags=rows[:, 11:13],
    )


def fetch_numbers(statement: str, values: dict[str, Any], *, width: int) -> Index:
    """Return the rows of a statement as whole numbers: (rows, width). Rows are read in parts, to save memory."""
    parts = [np.empty((0, width), dtype=np.int64)]
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            parts.append(np.array(rows, dtype=np.int64))
    return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known about each pair of the sample. All are in the order of `key`, which is sorted.

    cluster: a number for each cluster of prompts, in the order in which they come. batch: key of the batch. language,
    prompt_type: words.
    """

    key: Index
    cluster: Index
    batch: Index
    language: NDArray[np.str_]
    prompt_type: NDArray[np.str_]

    def places(self, pairs: Index) -> Index:
        """Return the positions of these pairs."""
        return np.searchsorted(self.key, pairs)


def pairs_of(study: Study) -> Pairs:
    """Return the pairs of the study's random sample. A prompt without a cluster is a cluster of its own."""
    columns = ("pk", "prompt__cluster", "prompt_id", "batch_id", "prompt__language", "prompt__prompt_type")
    found = Pair.objects.usable().filter(study=study, in_sample=True, kind=Pair.Kind.REAL).order_by("pk")
    rows = list(found.values_list(*columns).iterator(chunk_size=_ROWS_AT_ONCE))
    numbers: dict[str, int] = {}
    clusters = [numbers.setdefault(cluster or f"prompt {prompt}", len(numbers)) for _, cluster, prompt, *_ in rows]
    return Pairs(
        key=np.array([row[0] for row in rows], dtype=np.int64),
        cluster=np.array(clusters, dtype=np.int64),
        batch=np.array([row[3] for row in rows], dtype=np.int64),
        language=np.array([row[4] for row in rows], dtype=np.str_),
        prompt_type=np.array([row[5] for row in rows], dtype=np.str_),
    )


def lots_of(study: Study) -> dict[int, int]:
    """Return the number of the latest lot of each batch, by the key of the batch."""
    rows = LotBatch.objects.filter(study=study).order_by("lot__number")
    return dict(rows.values_list("batch", "lot__number"))


@dataclass(frozen=True, slots=True)
class Units:
    """Answers side by side: one line a pair.

    place: (answers, 2), the line and the column of each answer. pair: the key of each line's pair. shape: lines, and
    the most answers of a pair.
    """

    answers: Answers
    place: Index
    pair: Index
    shape: tuple[int, int]

    @classmethod
    def of(cls, answers: Answers) -> "Units":
        pair, start, line, number = np.unique(answers.pair, return_index=True, return_inverse=True, return_counts=True)
        column = np.arange(len(answers)) - start[line] if len(answers) else np.zeros(0, dtype=np.int64)
        most = int(number.max()) if len(number) else 0
        return cls(answers, np.stack([line, column], axis=1), pair, (len(pair), most))

    def side_by_side(self, values: Index) -> Index:
        """Return one value an answer as (pairs, most answers), with -1 in gaps."""
        table = np.full(self.shape, GAP, dtype=np.int64)
        table[self.place[:, 0], self.place[:, 1]] = values
        return table

    def by_video(self, values: Index) -> Index:
        """Return two values an answer as (pairs of both videos, most answers): first of video 0."""
        return np.concatenate([self.side_by_side(values[:, video]) for video in (0, 1)])
