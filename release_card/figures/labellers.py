"""How often programs agree with people: each labeller, at each setting, on each question.

A labeller chooses a video of a pair, or it gives each video a number. Such a number is no answer to a question, so it
is compared with each of them, as if the labeller had chosen the video with the higher number. It chose the lower one
where the number says that the video is harmful, and that is compared with harmlessness only, or that its frames are
alike.
"""

from collections import defaultdict
from typing import Any

import numpy as np
from django.db import connection

from annotation.protocol import HARM_KEYS
from diptych.statistics import associations
from release_card.figures.results import figure_json
from release_card.figures.sums import BUCKETS
from releases.items import QUESTIONS, ROWS, Items
from releases.material import PSNR, has_labels

Key = tuple[str, ...]
#: The most rows of the figure: those with the most answers.
MOST_ROWS = 200
_harms = ", ".join(f"'{key}'" for key in HARM_KEYS)
_questions = ", ".join(f"('{question}')" for question in QUESTIONS)
_given = ", ".join(f"('{question}', answered.{question})" for question in QUESTIONS)
_columns = ", ".join(f"annotation.{question}" for question in QUESTIONS)
#: A row for each labeller, version, setting, name of its label, question of people, and group of clusters: answers that
#: agree (a tie of one side counts ½), all answers that were compared, and the pairs on which it refused.
COMPARED = f"""
WITH answered AS (
  SELECT pair.public_id AS pair_id, video_0.public_id AS video_0, video_1.public_id AS video_1, {_columns},
         ('x' || left(md5(coalesce(nullif(frozen.cluster, ''), prompt.public_id)), 8))::bit(32)::int
           & {BUCKETS - 1} AS bucket
  {ROWS} AND frozen.standing__current AND frozen.standing__validity = 'valid'),
people AS (
  SELECT pair_id, video_0, video_1, bucket, choice.question,
         count(*) FILTER (WHERE choice.given = 'video_0') AS zero,
         count(*) FILTER (WHERE choice.given = 'tie') AS tie,
         count(*) FILTER (WHERE choice.given = 'video_1') AS one
    FROM answered CROSS JOIN LATERAL (VALUES {_given}) AS choice (question, given)
   GROUP BY 1, 2, 3, 4, 5),
label AS (
  SELECT pair_id, video_id, question, labeller, labeller_version, setting, refused, value #>> '{{}}' AS choice,
         CASE jsonb_typeof(value) WHEN 'number' THEN (value #>> '{{}}')::float8
                                  WHEN 'boolean' THEN (value #>> '{{}}')::boolean::int END AS number
    FROM releases_releaselabel WHERE release_id = %(release)s),
said AS (
  SELECT pair_id, question AS name, question, labeller, labeller_version, setting, choice
    FROM label WHERE pair_id <> '' AND question IN (SELECT question FROM people)
  UNION ALL
  SELECT pair.pair_id, zero.question, measure.question, zero.labeller, zero.labeller_version, zero.setting,
         CASE WHEN zero.refused OR one.refused THEN NULL
              WHEN zero.number = one.number THEN 'tie'
              WHEN (zero.number > one.number) = (zero.question NOT IN ({_harms}, '{PSNR}')) THEN 'video_0'
              ELSE 'video_1' END
    FROM label zero
    JOIN (VALUES {_questions}) AS measure (question)
      ON zero.question NOT IN ({_harms}) OR measure.question = 'harmlessness'
    JOIN (SELECT DISTINCT pair_id, video_0, video_1 FROM answered) pair ON pair.video_0 = zero.video_id
    JOIN label one
      ON one.video_id = pair.video_1 AND one.question = zero.question AND one.labeller = zero.labeller
     AND one.labeller_version = zero.labeller_version AND one.setting = zero.setting
   WHERE (zero.refused OR zero.number IS NOT NULL) AND (one.refused OR one.number IS NOT NULL))
SELECT labeller, labeller_version, setting, name, question, bucket,
       sum(CASE choice WHEN 'video_0' THEN zero + tie / 2.0
                       WHEN 'video_1' THEN one + tie / 2.0
                       WHEN 'tie' THEN tie + (zero + one) / 2.0 ELSE 0 END)::float8,
       coalesce(sum(zero + tie + one) FILTER (WHERE choice IS NOT NULL), 0)::float8,
       count(*) FILTER (WHERE choice IS NULL)
  FROM said JOIN people USING (pair_id, question)
 GROUP BY 1, 2, 3, 4, 5, 6"""  # noqa: S608 - of names in this module


class Compared:
    """Sums of what programs said beside what people answered.

    A key is the labeller, its version, its setting, the name of the label, and the question of people.
    """

    def __init__(self) -> None:
        self.sums: dict[Key, Any] = defaultdict(lambda: np.zeros((BUCKETS, 2)))
        self.refused: dict[Key, int] = defaultdict(int)

    def add(self, key: Key, bucket: int, *, agreeing: float, answers: float, refused: int) -> None:
        """Add answers of a group of clusters: those that agree, all that were compared, and refusals of pairs."""
        self.sums[key][bucket] += (agreeing, answers)
        self.refused[key] += refused

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each of the `MOST_ROWS` keys with the most answers, in the order of the keys."""
        most = sorted(self.sums, key=lambda key: (-self.sums[key][:, 1].sum(), key))[:MOST_ROWS]
        names = ("labeller", "version", "setting", "name", "question")
        return [
            dict(zip(names, key, strict=True))
            | figure_json(associations.share(self.sums[key]))
            | {"refused": self.refused[key]}
            for key in sorted(most, key=lambda key: (*key[:4], QUESTIONS.index(key[4])))
        ]


def of_release(items: Items) -> list[dict[str, Any]]:
    """Return the agreement of each labeller with people, by labeller, setting and question. Raise DatabaseError.

    `name` is what the labeller calls its label, and `question` is the question of people that it is compared with.
    """
    if not has_labels(items.release):
        return []
    with connection.cursor() as cursor:
        cursor.execute(COMPARED, {"release": items.release.pk, "after": 0, "until": items.number})
        rows = cursor.fetchall()
    compared = Compared()
    for *key, bucket, agreeing, answers, refused in rows:
        compared.add(tuple(key), bucket, agreeing=agreeing, answers=answers, refused=refused)
    return compared.rows()
