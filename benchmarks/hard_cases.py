"""Cases that make serving hard at size.

Each is set up in a study without answers, for the length of one measurement.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from django.db import connection, transaction

from annotation import leases
from benchmarks.studies import WRITTEN, unchecked, vacuum
from studies.models import Study

#: The share of the study's pairs that everybody has answered: 20,000 of a million.
ANSWERED_SHARE, ANSWERED_AT_LEAST = 1 / 50, 500
#: The share of the study's pairs, at the queue's head, that may show what half of the people opted out of.
OPTED_OUT_SHARE = 1 / 10
#: The share of leases that expire, and the seconds between the sweeps that release them.
EXPIRING_SHARE, SWEEP_EVERY_S = 0.05, 0.1

#: The pairs at the head of the queue. Their ids ascend in queue order.
HEAD = "study_id = %(study)s AND id < (SELECT min(id) FROM catalog_pair WHERE study_id = %(study)s) + %(pairs)s"
#: The seats of the people who are about to work. Those at odd places in the order of their ids are `odd`.
SEATS = """
(SELECT id, person_id, row_number() OVER (ORDER BY person_id) %% 2 = 1 AS odd
   FROM annotation_seat WHERE study_id = %(study)s ORDER BY person_id LIMIT %(people)s)
"""

ANSWERED = f"""
UPDATE catalog_pair SET wanted = %(people)s + 1, open_slots = 1 WHERE {HEAD};

INSERT INTO annotation_assignment
       (study_id, pair_id, person_id, round, round_reason, "left", dimension_first, state, place, leased_at, shown_at,
        expires_at, ended_at, skip_reason, protocol_version, guideline_version)
SELECT %(study)s, pair.id, seat.person_id, 0, '', CASE WHEN pair.id %% 2 = 0 THEN 'video_0' ELSE 'video_1' END,
       'helpfulness', 'submitted', 'current', now() - interval '2 days', now() - interval '2 days',
       now() - interval '1 day', now() - interval '1 day', '', 1, 1
  FROM (SELECT id FROM catalog_pair WHERE {HEAD}) pair, {SEATS} seat ORDER BY pair.id;

INSERT INTO annotation_annotation
       (study_id, assignment_id, revision, author_id, author_kind, submission_id, submitted_at, instruction_following,
        correctness, informativeness, aesthetics, helpfulness, harmlessness, tags_video_0, tags_video_1,
        timings_ms, viewing, presentation, protocol_version, guideline_version)
SELECT study_id, id, 1, person_id, 'annotator', gen_random_uuid(), ended_at, 'video_0',
       'video_1', 'video_0', 'video_1', 'video_0', 'video_0', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', 1, 1
  FROM annotation_assignment;

INSERT INTO annotation_standing (study_id, assignment_id, current_id, validity, reason, counted)
SELECT study_id, assignment_id, id, 'valid', '', true FROM annotation_annotation;

UPDATE annotation_seat SET served = %(pairs)s WHERE id IN (SELECT id FROM {SEATS} seat);
"""  # noqa: S608 - of constants

OPTED_OUT = f"""
UPDATE catalog_pair SET may_show = '{{violence}}' WHERE {HEAD};
UPDATE annotation_seat SET excluded = '{{violence}}' WHERE id IN (SELECT id FROM {SEATS} seat WHERE odd);
"""  # noqa: S608 - of constants

LAPSED = """
UPDATE annotation_assignment SET leased_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'
 WHERE id IN (SELECT id FROM annotation_assignment WHERE state = 'leased' AND expires_at > now()
               ORDER BY random() LIMIT %s FOR UPDATE SKIP LOCKED)
"""


@contextmanager
def all_answered(study: Study, pairs: int, people: int) -> Iterator[dict[str, Any]]:
    """Let everybody have answered the queue's first pairs, which are still open for one more answer.

    The seats have no position yet. Each person finds the first pair that is left to them before the clock starts.
    """
    answered = max(ANSWERED_AT_LEAST, int(pairs * ANSWERED_SHARE))
    with unchecked(), connection.cursor() as cursor:
        cursor.execute(ANSWERED, {"study": study.pk, "pairs": answered, "people": people})
    vacuum([*WRITTEN, "catalog_pair", "annotation_seat"])
    yield {"answered_each": answered}


@contextmanager
def half_opted_out(study: Study, pairs: int, people: int) -> Iterator[dict[str, Any]]:
    """Let every second person opt out of what the queue's first pairs may show."""
    head = int(pairs * OPTED_OUT_SHARE)
    with unchecked(), connection.cursor() as cursor:
        cursor.execute(OPTED_OUT, {"study": study.pk, "pairs": head, "people": people})
    vacuum(["catalog_pair", "annotation_seat"])
    yield {"opted_out_of": head}


@contextmanager
def leases_expiring(study: Study, pairs: int, people: int) -> Iterator[dict[str, Any]]:
    """Let leases expire at random while people have them. The sweep takes them back, so their answers come late."""
    lapsing = Lapsing()
    lapsing.start()
    details: dict[str, Any] = {}
    try:
        yield details
    finally:
        lapsing.over.set()
        lapsing.join()
    if lapsing.failed is not None:
        raise lapsing.failed
    details |= {"leases": lapsing.given, "expired": lapsing.expired}


class Lapsing(threading.Thread):
    """A process that lets a share of the leases expire and sweeps, on a connection of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()
        self.given = self.expired = 0
        self.failed: Exception | None = None

    def run(self) -> None:
        try:
            while not self.over.wait(SWEEP_EVERY_S):
                self.let_some_go()
                leases.return_expired()
        except Exception as error:  # reported when the measurement is over
            self.failed = error
        finally:
            connection.close()

    def let_some_go(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # A pair that is leased again keeps its row, so this is slightly less than the number of leases.
            cursor.execute("SELECT count(*) FROM annotation_assignment")
            self.given = int(cursor.fetchone()[0])
            cursor.execute(LAPSED, [max(0, int(self.given * EXPIRING_SHARE) - self.expired)])
            self.expired += cursor.rowcount


@contextmanager
def snapshot_held(study: Study, pairs: int, people: int) -> Iterator[dict[str, Any]]:
    """Keep an old snapshot open, so that rows that have died since cannot be removed."""
    with closing(connection.get_new_connection(connection.get_connection_params())) as held:
        held.autocommit = False
        held.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        held.execute("SELECT FROM catalog_pair LIMIT 1")
        yield {}


#: By name: functions that set up the case in a cleared study of so many pairs and people, and return facts about it.
HARD: dict[str, Callable[[Study, int, int], AbstractContextManager[dict[str, Any]]]] = {
    "all have answered the head": all_answered,
    "half opted out of the head": half_opted_out,
    "5 % of leases expiring": leases_expiring,
    "a snapshot held open": snapshot_held,
}
