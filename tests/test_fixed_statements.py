"""The server prepares statements of `diptych.database.fixed`, and tools that watch the connection see them."""

import pytest
from django.db import DataError, connection
from django.db.transaction import TransactionManagementError, atomic, set_rollback
from django.test.utils import CaptureQueriesContext

from annotation import queue, serving
from diptych.database import fixed
from tests import factories

pytestmark = pytest.mark.django_db

STATEMENT = "SELECT %(number)s::int + 1"


class Watching:
    """An execute wrapper that records the statements, as tracing does."""

    def __init__(self):
        self.seen = []

    def __call__(self, execute, sql, params, many, context):
        assert context["connection"].alias == connection.alias
        self.seen.append((sql, params))
        return execute(sql, params, many, context)


def number_prepared(statement):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", [statement])
        return cursor.fetchone()[0]


def run_often():
    for number in range(6):
        assert fixed.fetch_one(STATEMENT, {"number": number}) == (number + 1,)


def test_the_server_prepares_a_statement_while_queries_are_counted():
    with CaptureQueriesContext(connection) as queries:
        run_often()
        assert len(queries) == 6
    assert queries[1]["sql"] == "SELECT $1::int + 1"
    assert number_prepared("SELECT $1::int + 1") == 1


def test_an_execute_wrapper_sees_statement_and_values():
    watching = Watching()
    with connection.execute_wrapper(watching):
        assert fixed.fetch_all(STATEMENT, {"number": 1}) == [(2,)]
        assert fixed.change("SELECT 1 WHERE %(no)s::bool", {"no": False}) == 0
    assert watching.seen == [(STATEMENT, {"number": 1}), ("SELECT 1 WHERE %(no)s::bool", {"no": False})]


def test_an_execute_wrapper_sees_how_a_pair_is_leased(study, annotator):
    factories.pair(study)
    watching = Watching()
    with connection.execute_wrapper(watching):
        assert serving.lease(annotator, study).current
    assert queue.LEASE in [statement for statement, _ in watching.seen]


def test_an_execute_wrapper_can_refuse_a_statement():
    def refuse(execute, sql, params, many, context):
        raise RuntimeError("no statements here")

    with connection.execute_wrapper(refuse), pytest.raises(RuntimeError, match="no statements here"):
        fixed.fetch_one(STATEMENT, {"number": 1})


def test_an_error_is_one_of_djangos():
    with pytest.raises(DataError, match="division by zero"), atomic():
        fixed.fetch_one("SELECT 1 / %(number)s::int", {"number": 0})


def test_a_broken_transaction_is_refused_before_the_server_is_asked():
    with atomic():
        set_rollback(True)
        with pytest.raises(TransactionManagementError):
            fixed.fetch_one(STATEMENT, {"number": 1})
