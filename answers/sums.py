"""Add up what people have answered in large studies, so that the list of people reads a row for each person.

Answers are never changed or deleted, so each run only adds those since the run before it. `people_progress` adds the
answers after the sums.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from annotation.models import Seat
from answers.models import AnsweredSum
from diptych.database import locks
from diptych.database.fixed import change
from studies.models import Study

#: From so many pairs given on, a study has sums.
LARGE = 50_000
#: Sums end this long before the moment of adding. By then, every request that stores an answer has ended.
LAG = timedelta(minutes=10)

ADD = """
INSERT INTO answers_answeredsum AS stored (study_id, person_id, until, pairs, unsure, active_ms, first_at, last_at)
SELECT annotation.study_id, annotation.author_id, %(until)s, count(*) FILTER (WHERE annotation.revision = 1),
       count(*) FILTER (WHERE annotation.revision = 1 AND annotation.unsure), sum(annotation.active_ms),
       min(annotation.submitted_at), max(annotation.submitted_at)
  FROM annotation_annotation annotation
 WHERE annotation.study_id = %(study)s AND annotation.author_kind = 'annotator'
   AND annotation.submitted_at >= %(since)s AND annotation.submitted_at < %(until)s
 GROUP BY annotation.study_id, annotation.author_id
    ON CONFLICT (study_id, person_id) DO UPDATE
   SET pairs = stored.pairs + excluded.pairs, unsure = stored.unsure + excluded.unsure,
       active_ms = stored.active_ms + excluded.active_ms,
       until = excluded.until, last_at = greatest(stored.last_at, excluded.last_at)
"""


def add_up() -> int:
    """Add the latest answers to the sums of all large studies. Return how many people's sums grew."""
    given = Seat.objects.order_by().values("study").annotate(number=Sum("served")).filter(number__gte=LARGE)
    return sum(add(study) for study in Study.objects.filter(pk__in=given.values("study")))


@transaction.atomic
def add(study: Study) -> int:
    """Add the latest answers to the sums of a study. Return how many people's sums grew.

    The lock lets two workers add one after another. The second one finds nothing new.
    """
    locks.lock(locks.Key.ADD_UP_ANSWERS, study.pk)
    sums = AnsweredSum.objects.filter(study=study)
    since: datetime = sums.aggregate(until=Max("until"))["until"] or study.created_at - timedelta(days=36_500)
    until = timezone.now() - LAG
    if until <= since:
        return 0
    grew = change(ADD, {"study": study.pk, "since": since, "until": until})
    sums.exclude(until=until).update(until=until)
    return grew
