"""The active time that people spent on qualifying. It is paid like other work, and counts in no pace."""

from django.db import connection

from answers.people_progress import Days
from studies.models import Study

#: Number 0 is all days. Without midnights, all answers are of day 0.
SPENT = """
SELECT attempt.person_id, width_bucket(answer.submitted_at, %(midnights)s::timestamptz[]), sum(answer.active_ms)::bigint
  FROM qualification_turnanswer answer
  JOIN qualification_turn turn ON turn.id = answer.turn_id
  JOIN qualification_attempt attempt ON attempt.id = turn.attempt_id
 WHERE turn.study_id = %(study)s
   AND (%(since)s::timestamptz IS NULL OR answer.submitted_at >= %(since)s::timestamptz)
   AND (%(until)s::timestamptz IS NULL OR answer.submitted_at < %(until)s::timestamptz)
   AND (%(person)s::bigint IS NULL OR attempt.person_id = %(person)s::bigint)
 GROUP BY 1, 2
"""


def by_person_and_day(
    study: Study, days: Days, person_id: int | None, midnights: list[object]
) -> dict[tuple[int, int], int]:
    """Return milliseconds of active time by person and number of the day, as `people_progress` numbers days."""
    values = {
        "study": study.pk,
        "since": days.since,
        "until": days.until,
        "person": person_id,
        "midnights": midnights,
    }
    with connection.cursor() as cursor:
        cursor.execute(SPENT, values)
        return {(person, day): spent for person, day, spent in cursor.fetchall()}
