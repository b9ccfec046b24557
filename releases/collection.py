"""How the answers of a release were collected, as far as nothing else in the release says it. Copied with the items."""

from typing import Any

from django.db import connection

from annotation.protocol import HARM_KEYS
from releases.models import Release

#: Numbers of people below this are not published: they could describe somebody.
FEWEST = 5
ANNOTATORS = """
WITH people AS MATERIALIZED (
  SELECT DISTINCT assignment.person_id
    FROM releases_releaseitem item
    JOIN annotation_annotation annotation ON annotation.id = item.annotation_id
    JOIN annotation_assignment assignment ON assignment.id = annotation.assignment_id
   WHERE item.release_id = %(release)s AND item.standing__validity = 'valid')
SELECT '', count(*) FROM people
UNION ALL
SELECT harm, count(*)
  FROM people
  JOIN annotation_seat seat ON seat.person_id = people.person_id AND seat.study_id = %(study)s
 CROSS JOIN LATERAL unnest(seat.excluded) AS harm
 GROUP BY harm"""


def facts(release: Release) -> dict[str, Any]:
    """Return how many people gave the valid answers, and how many of them did not agree to see each harm.

    A number is None, and so not published, if it or the number of the other people is from 1 to 4.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANNOTATORS, {"release": release.pk, "study": release.study_id})
        counted: dict[str, int] = dict(cursor.fetchall())
    people = counted[""]
    return {
        "annotators": published(people, people),
        "opted_out": {harm: published(counted.get(harm, 0), people) for harm in HARM_KEYS},
    }


def published(some: int, people: int) -> int | None:
    """Return a number of these people. Return None if they, or the others, are so few that it is not published."""
    return None if 0 < some < FEWEST or (some and 0 < people - some < FEWEST) else some
