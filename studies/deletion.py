"""What is deleted with a study. Each app adds its part in `AppConfig.ready()`, and the database's foreign keys decide.

What shows that somebody was given a pair (assignments, answers, exposures, reports) is in no part. Its foreign keys
then refuse the deletion of the study's pairs, and so of the study, whoever writes at that moment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import QuerySet

from studies.models import Study

#: A part deletes rows of the study, and returns how many.
Part = Callable[[Study], int]
#: Parts by app. Those of the highest app go first: its rows point at those of lower ones.
parts: dict[str, Part] = {}
#: From the highest app to the lowest.
ORDER = ("annotation", "importing", "safety", "catalog", "studies")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a model that are deleted with a study, by the path from the model to the study."""

    model: type[models.Model]
    path: str = "study"

    def of(self, study: Study) -> QuerySet[Any]:
        """Return the study's rows."""
        return self.model._base_manager.filter(**{self.path: study})


def delete_rows(study: Study, tables: Sequence[Rows]) -> int:
    """Delete the study's rows of these tables, in this order. Tables whose rows stay otherwise let them go here.

    Raises IntegrityError where something still points at one of them.
    """
    return sum(delete(rows.of(study)) for rows in tables)


def delete(rows: QuerySet[Any]) -> int:
    """Delete rows in one statement, past Django's own look at what points at them. Return how many."""
    protecting = [
        uri
        for uri in (f"{model._meta.label}:{trigger.name}" for model, trigger in pgtrigger.registered())
        if uri.startswith(f"{rows.model._meta.label}:") and uri.endswith("_rows_stay")
    ]
    if not protecting:
        return int(rows._raw_delete(rows.db) or 0)
    with pgtrigger.ignore(*protecting):
        return int(rows._raw_delete(rows.db) or 0)
