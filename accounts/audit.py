"""Write audit rows, in the transaction of the change that they record. No other code writes them."""

import json
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

from accounts.models import User
from diptych.database.fixed import change

#: The address of the request being served. The middleware sets it. Commands and tasks leave it empty.
request_address: ContextVar[str | None] = ContextVar("request_address", default=None)


#: The columns of an event, for a statement that makes a change and records it immediately.
INSERT = "INSERT INTO accounts_auditevent (actor_id, action, subject, subject_id, study_slug, before, after, address)"
INSERT_EVENT = f"""
{INSERT}
VALUES (%(actor)s, %(action)s, %(subject)s, %(subject_id)s, %(study_slug)s, %(before)s, %(after)s, %(address)s)
"""


def record(
    action: str,
    row: models.Model,
    *,
    actor: User | None,
    study_slug: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write that `actor` (None: the system) did `action` to `row`. Call it inside the change's transaction."""
    change(INSERT_EVENT, _values(action, row, actor, study_slug, before, after))


def record_each(
    action: str, rows: Sequence[tuple[models.Model, dict[str, Any]]], *, actor: User | None, study_slug: str = ""
) -> None:
    """Write that `actor` did `action` to each row, given as pairs of a row and its values `after` the change."""
    values = [_values(action, row, actor, study_slug, None, after) for row, after in rows]
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_EVENT, values)


def _values(
    action: str,
    row: models.Model,
    actor: User | None,
    study_slug: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "actor": actor.pk if actor else None,
        "action": action,
        "subject": row._meta.db_table,
        "subject_id": str(row.pk),
        "study_slug": study_slug,
        "before": _json(before),
        "after": _json(after),
        "address": request_address.get(),
    }


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, cls=DjangoJSONEncoder)
