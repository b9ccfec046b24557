"""How long a person was active in a study: on their answers, and on other work that is paid too.

Each revision counts on the day on which it was submitted. The workspace, the list of studies, *My work* and the
progress of people all use these figures.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from accounts.models import User


class Wanted(NamedTuple):
    """Which time is meant: of these studies, from `since` until before `until`, of one person or of all (None).

    The first of `midnights` begins day 1, and so on. Everything before it, or without any, is of day 0.
    """

    studies: Collection[int]
    since: datetime | None = None
    until: datetime | None = None
    person: int | None = None
    midnights: Sequence[datetime] = ()

    def values(self) -> dict[str, Any]:
        """Return the parameters of a statement."""
        return self._asdict() | {"studies": list(self.studies), "midnights": list(self.midnights)}


#: Of answers. They are read from the index `annotation_by_person` only.
ON_ANSWERS = """
SELECT study_id, author_id AS person_id, submitted_at, active_ms
  FROM annotation_annotation WHERE author_kind = 'annotator'"""
#: Statements that return `study_id`, `person_id`, `submitted_at` and `active_ms` of work that is paid but gives no
#: answers. Apps add theirs in `ready()`.
other_work: list[str] = []


def on_other_work(wanted: Wanted) -> dict[tuple[int, int, int], int]:
    """Return milliseconds of active time on work that gives no answers, by study, person and number of the day."""
    return _sums(other_work, wanted) if other_work else {}


def by_day(person: User, studies: Collection[int], midnights: Sequence[datetime]) -> dict[tuple[int, int], int]:
    """Return a person's milliseconds of active time since the first midnight, by study and number of the day."""
    wanted = Wanted(studies, since=midnights[0], person=person.pk, midnights=midnights)
    found = _sums([ON_ANSWERS, *other_work], wanted)
    return {(study, number): milliseconds for (study, _person, number), milliseconds in found.items()}


def _sums(parts: Sequence[str], wanted: Wanted) -> dict[tuple[int, int, int], int]:
    statement = f"""
        SELECT study_id, person_id, width_bucket(submitted_at, %(midnights)s::timestamptz[]), sum(active_ms)::bigint
          FROM ({" UNION ALL ".join(parts)}) work
         WHERE study_id = ANY(%(studies)s)
           AND (%(since)s::timestamptz IS NULL OR submitted_at >= %(since)s::timestamptz)
           AND (%(until)s::timestamptz IS NULL OR submitted_at < %(until)s::timestamptz)
           AND (%(person)s::bigint IS NULL OR person_id = %(person)s::bigint)
         GROUP BY 1, 2, 3"""  # noqa: S608 - of constants of apps
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted.values())
        return {(study, person, number): spent for study, person, number, spent in cursor.fetchall()}
