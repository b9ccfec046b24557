"""The one function through which audit rows are written, in the transaction of the change they tell of."""

from contextvars import ContextVar
from typing import Any

from django.db import models

from accounts.models import AuditEvent, User

#: The address of the request being served; the middleware sets it, commands and tasks leave it empty.
request_address: ContextVar[str | None] = ContextVar("request_address", default=None)


def record(
    action: str,
    row: models.Model,
    *,
    actor: User | None,
    study_slug: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Writes that `actor` (None: the system) did `action` to `row`. Call it inside the change's transaction."""
    AuditEvent.objects.create(
        actor_id=actor.pk if actor else None,
        action=action,
        subject=row._meta.db_table,
        subject_id=str(row.pk),
        study_slug=study_slug,
        before=before,
        after=after,
        address=request_address.get(),
    )
