"""A person's progress today and in the current batch, for the workspace and the list of studies.

Serving a pair does not read it: the workspace asks for it in a separate request.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Window
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.days import day_began
from accounts.models import User
from annotation import active_time
from annotation.acceptance import LEASING_BATCHES
from annotation.leases import RECLAIMABLE
from annotation.models import Assignment
from diptych.durations import MINUTE, in_words
from studies.models import Study

#: More answers than a page can collect offline: the current pair, the next one, and a few more.
LATEST = 5
#: Remaining pairs of a batch are counted up to this number only.
MOST_LEFT = 10_000


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """A person's progress in a batch.

    `left` is the most pairs of it that they can still be given. Other people may answer some of these first.
    """

    number: int
    answered: int
    left: int


@dataclass(frozen=True, slots=True)
class OwnProgress:
    """A person's answers and active time in a study today, and their current batch.

    There is no batch for a person who gets no pairs, because they withdrew their consent or are suspended.
    """

    answers: int
    active_ms: int
    batch: BatchPlace | None

    @property
    def words(self) -> str:
        """Return the progress as a line of text."""
        if not (self.answers or self.active_ms):
            today = _("No answers yet today")
        else:
            today = ngettext("Today: %(n)s pair, %(time)s", "Today: %(n)s pairs, %(time)s", self.answers) % {
                "n": self.answers,
                "time": in_words(self.active_ms / 1000, to=MINUTE),
            }
        if self.batch is None:
            return today
        if self.batch.left:
            batch = _("Batch %(number)s: %(answered)s answered, up to %(left)s left for you")
        else:
            batch = _("Batch %(number)s: %(answered)s answered, none left for you")
        return f"{today} · " + batch % {
            "number": self.batch.number,
            "answered": self.batch.answered,
            "left": f"{MOST_LEFT}+" if self.batch.left > MOST_LEFT else self.batch.left,
        }


#: For a study in which the person has not begun.
NOTHING_YET = OwnProgress(0, 0, None)

#: Return a row for each study in which the person has a seat. The batch is the requested one, or that of the current
#: pair, or that of the last answer.
#:
#: Nothing here may show that a pair was a control. Controls therefore count in the batch that the person was shown, and
#: so that the sum of both numbers stays the number of real pairs. Only the last pairs make it larger.
_SHOWN = """
CASE WHEN assignment.shown_batch IS NULL THEN pair.batch_id
     ELSE (SELECT id FROM catalog_batch WHERE study_id = seat.study_id AND number = assignment.shown_batch) END
"""
OWN_PROGRESS = f"""
SELECT seat.study_id, today.answers,
       CASE WHEN seat.consented_version > 0 AND seat.suspended_at IS NULL THEN batch.number END,
       mine.pairs + controls.answered,
       greatest(others.pairs - controls.answered, least(others.pairs + controls.leased, 1))
  FROM annotation_seat seat
 CROSS JOIN LATERAL (
    SELECT count(*) AS answers
      FROM annotation_assignment assignment
     WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
       AND assignment.state = 'submitted' AND assignment.ended_at >= %(day_began)s
 ) today
  LEFT JOIN catalog_batch batch ON batch.study_id = seat.study_id AND batch.id = CASE
    WHEN %(number)s::int IS NOT NULL
    THEN (SELECT id FROM catalog_batch WHERE study_id = seat.study_id AND number = %(number)s::int)
    ELSE coalesce(
        (SELECT {_SHOWN}
           FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
          WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
            AND assignment.state = 'leased' AND assignment.place = 'current'),
        (SELECT {_SHOWN}
           FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
          WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
            AND assignment.state = 'submitted'
          ORDER BY assignment.ended_at DESC LIMIT 1)
    ) END
 CROSS JOIN LATERAL (
    SELECT count(DISTINCT pair.id) AS pairs
      FROM annotation_assignment assignment JOIN catalog_pair pair ON pair.id = assignment.pair_id
     WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
       AND assignment.state = 'submitted' AND pair.batch_id = batch.id
 ) mine
 CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'submitted') AS answered, count(*) FILTER (WHERE state = 'leased') AS leased
      FROM annotation_assignment assignment
     WHERE assignment.study_id = seat.study_id AND assignment.person_id = seat.person_id
       AND assignment.shown_batch = batch.number
 ) controls
 CROSS JOIN LATERAL (
    SELECT count(*) AS pairs FROM (
        SELECT FROM catalog_pair pair
         WHERE pair.batch_id = batch.id AND batch.state = ANY(%(leasing)s) AND pair.held = '' AND pair.kind = 'real'
           AND NOT pair.may_show && seat.excluded
           AND (seat.languages = '{{}}' OR EXISTS (
                SELECT FROM catalog_prompt prompt, unnest(seat.languages) AS spoken (tag)
                 WHERE prompt.id = pair.prompt_id
                   AND (prompt.language = spoken.tag OR starts_with(prompt.language, spoken.tag || '-'))))
           AND (EXISTS (SELECT FROM annotation_assignment held
                         WHERE held.pair_id = pair.id AND held.person_id = seat.person_id AND held.state = 'leased')
                OR pair.open_slots > 0 AND NOT EXISTS (
                    SELECT FROM annotation_assignment had
                     WHERE had.pair_id = pair.id AND had.person_id = seat.person_id
                       AND NOT had.state = ANY(%(reclaimable)s)))
         LIMIT %(most)s
    ) pair
 ) others
 WHERE seat.person_id = %(person)s AND seat.study_id = ANY(%(studies)s)
"""  # noqa: S608 - of a constant


def own_progress(
    person: User, studies: Collection[int], day_began: datetime, *, batch: int | None = None
) -> dict[int, OwnProgress]:
    """Return the person's progress by study, for the studies in which they have begun.

    Args:
        studies: keys of the studies.
        day_began: when the person's day began.
        batch: number of a batch. Default: the batch of the current pair, or else of the last answer.
    """
    values: dict[str, Any] = {
        "person": person.pk,
        "studies": list(studies),
        "day_began": day_began,
        "number": batch,
        "leasing": [str(state) for state in LEASING_BATCHES],
        "reclaimable": [str(state) for state in RECLAIMABLE],
        "most": MOST_LEFT + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(OWN_PROGRESS, values)
        rows: list[Any] = cursor.fetchall()
    active = active_time.by_day(person, studies, [day_began])
    return {
        study: OwnProgress(answers, active.get((study, 1), 0), BatchPlace(number, answered, left) if number else None)
        for study, answers, number, answered, left in rows
    }


def lines(person: User, studies: Collection[Study]) -> dict[int, str]:
    """Return a line about the person's own progress for each study in which they have begun."""
    began = day_began(person, timezone.now())
    found = own_progress(person, [study.pk for study in studies], began)
    closed = {study.pk for study in studies if study.state == Study.State.CLOSED}
    return {
        study: (replace(progress, batch=None) if study in closed else progress).words
        for study, progress in found.items()
    }


def own_answers(study: Study, person_id: int | None) -> int:
    """Return how many pairs of the study the person has answered."""
    return Assignment.objects.filter(study=study, person_id=person_id, state=Assignment.State.SUBMITTED).count()


def ordinal(assignment: Assignment) -> int:
    """Return the ordinal number of an answered pair among those that the person has answered in the study."""
    until = Q(ended_at__lt=assignment.ended_at) | Q(ended_at=assignment.ended_at, pk__lte=assignment.pk)
    answered = Assignment.objects.filter(study=assignment.study_id, person=assignment.person_id)
    return answered.filter(until, state=Assignment.State.SUBMITTED).count()


def latest_answered(study: Study, person_id: int | None) -> tuple[int, list[int]]:
    """Return how many pairs of the study the person has answered, and the keys of the last few assignments.

    Both are of one snapshot. A page may open while an answer of the previous page is still being sent. From the keys it
    learns whether that answer is already in the count.
    """
    answered = Assignment.objects.filter(study=study, person_id=person_id, state=Assignment.State.SUBMITTED)
    latest = answered.order_by("-ended_at").annotate(total=Window(Count("pk"))).values_list("pk", "total")
    rows = list(latest[:LATEST])
    return (rows[0][1] if rows else 0), [assignment_id for assignment_id, _ in rows]
