"""What a lease reads: a bounded part of the queue's index, however long the queue and the person's history are."""

import uuid

import pytest
from django.db import connection

from annotation import serving, submission
from benchmarks import hard_cases, studies
from tests import factories
from tests.annotation.crowd import PLAIN

pytestmark = pytest.mark.django_db

PAIRS, HEAD, LOOPS = 6000, 2000, 12
#: From the index, a loop reads at most a few windows of a few hundred pairs, never the whole queue.
MOST_READ_A_LOOP = 1500

READ = """
SELECT pg_stat_get_xact_numscans('catalog_pair'::regclass),
       pg_stat_get_xact_tuples_returned('annotation_assignment'::regclass),
       pg_stat_get_xact_numscans('pair_servable'::regclass),
       pg_stat_get_xact_tuples_returned('pair_servable'::regclass)
"""


def read():
    """Return PostgreSQL's counters of this transaction: scans of all pairs, assignments read in full scans, scans of
    the queue's index, and entries read from it."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return cursor.fetchone()


def long_queue():
    """Create a study of `PAIRS` pairs with an annotator, and update the planner's statistics."""
    study = studies.fill(PAIRS, 1)
    people = [factories.member(study, "annotator") for _ in range(3)]
    return study, people[0]


def prepare(statement, study):
    with studies.unchecked(), connection.cursor() as cursor:
        cursor.execute(statement, {"study": study.pk, "pairs": HEAD, "people": 3})


def work(study, person, loops):
    leased = serving.lease(person, study)
    for _ in range(loops):
        leased = submission.submit(
            leased.current,
            person,
            submission_id=uuid.uuid4(),
            answers=PLAIN,
            timings_ms={},
            viewing={},
            lease_next=True,
        ).leased
        assert leased.current


@pytest.mark.long
@pytest.mark.parametrize(
    "made_hard", ["", hard_cases.ANSWERED, hard_cases.OPTED_OUT], ids=["fresh", "all answered the head", "opted out"]
)
def test_a_loop_reads_a_bounded_stretch_of_the_queues_index_and_never_all_pairs(made_hard):
    study, person = long_queue()
    if made_hard:
        prepare(made_hard, study)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_pair, annotation_assignment, annotation_seat")
    work(study, person, 1)  # the first lease finds the person's place
    before = read()
    work(study, person, LOOPS)
    pairs, assignments, index, entries = (after - was for after, was in zip(read(), before, strict=True))
    assert pairs == 0
    assert index >= LOOPS
    assert max(assignments, entries) <= MOST_READ_A_LOOP * LOOPS
