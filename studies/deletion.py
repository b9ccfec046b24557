"""Delete a study that was never worked on. Each app adds its part in `AppConfig.ready()`.

Rows that show that a person was served a pair (assignments, answers, exposures, reports) are in no part. Their
foreign keys then make the database refuse the deletion, even if somebody writes at that moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.db import models, transaction
from django.db.models import QuerySet

from studies.models import Study

#: A function that deletes rows of the study, and returns how many.
Part = Callable[[Study], int]
#: Parts by app. The highest app comes first, because its rows point at rows of lower apps.
parts: dict[str, Part] = {}
#: From the highest app to the lowest.
ORDER = (
    *("training", "releases", "figures", "suspensions", "calibration", "qc", "findings", "controls", "charts"),
    *("qualification", "consent", "annotation", "importing", "safety", "catalog", "webhooks", "studies"),
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a model that are deleted with a study. `path` leads from the model to the study."""

    model: type[models.Model]
    path: str = "study"

    def of(self, study: Study) -> QuerySet[Any]:
        """Return the study's rows."""
        return self.model._base_manager.filter(**{self.path: study})


def delete_rows(study: Study, tables: Sequence[Rows]) -> int:
    """Delete the study's rows of these tables, in this order, also rows that a trigger protects.

    Raises IntegrityError if something still points at one of the rows.
    """
    return sum(delete(rows.of(study)) for rows in tables)


def delete(rows: QuerySet[Any]) -> int:
    """Delete rows in one statement, without Django looking for rows that point at them. Return how many."""
    protecting = [
        uri
        for uri in (f"{model._meta.label}:{trigger.name}" for model, trigger in pgtrigger.registered())
        if uri.startswith(f"{rows.model._meta.label}:") and uri.endswith("_rows_stay")
    ]
    if not protecting:
        return int(rows._raw_delete(rows.db) or 0)
    # The savepoint lets `ignore` end properly if something still points at a row.
    with pgtrigger.ignore(*protecting), transaction.atomic():
        return int(rows._raw_delete(rows.db) or 0)
