"""Count what waits and how strict reviewers are, and store it, so that the page never waits for the counting.

A row for each study is the queue: it is due if somebody asked, or after a while that grows with how long the counting
takes. One transaction counts and writes; a second worker passes over the locked row. A killed worker changes nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from figures.models import QualityFigures
from figures.overview import forecast, strictness
from jobs import messages
from qc import waiting
from qc.models import Lot
from studies.models import Study

#: The shortest time between two countings while a lot is in review, and the longest.
OFTEN, SELDOM = timedelta(minutes=1), timedelta(days=1)
#: Counting takes at most one part in so many of the time.
SHARE = 20
TASK = "figures.tasks.count_quality"


def figures_of(study: Study) -> QualityFigures | None:
    """Return the stored figures of a study, or None if they were not counted yet."""
    return QualityFigures.objects.filter(study=study, made_at__isnull=False).first()


def ask(study: Study) -> None:
    """Ask for new figures. Repeating it is harmless."""
    QualityFigures.objects.bulk_create([QualityFigures(study=study)], ignore_conflicts=True)
    QualityFigures.objects.filter(study=study, asked_at=None).update(asked_at=timezone.now())
    messages.send_after_commit(TASK, [study.pk])


def make_rows() -> None:
    """Make the row of each study that has a lot whose review has started."""
    started = Lot.objects.exclude(state=Lot.State.DRAFT).exclude(study__quality_figures__isnull=False)
    studies = Study.objects.filter(pk__in=started.order_by().values("study").distinct())
    QualityFigures.objects.bulk_create([QualityFigures(study=study) for study in studies], ignore_conflicts=True)


def due(now: datetime) -> list[int]:
    """Return the keys of the studies whose figures are due."""
    asked = list(QualityFigures.objects.filter(asked_at__isnull=False).values_list("pk", flat=True))
    old = QualityFigures.objects.filter(Q(made_at=None) | Q(made_at__lt=now - OFTEN), asked_at=None)
    in_review = set(Lot.objects.filter(state=Lot.State.IN_REVIEW).values_list("study", flat=True))
    return asked + [
        row.pk for row in old if row.made_at is None or row.made_at < now - _pause(row, row.pk in in_review)
    ]


def _pause(row: QualityFigures, in_review: bool) -> timedelta:
    return max(OFTEN, SHARE * timedelta(milliseconds=row.took_ms)) if in_review else SELDOM


@transaction.atomic
def count(study_id: int) -> bool:
    """Count the figures of a study now and store them. Return False if another worker does it.

    What is asked for during the counting stays asked.
    """
    rows = QualityFigures.objects.select_related("study").select_for_update(skip_locked=True, of=("self",))
    row = rows.filter(pk=study_id).first()
    if row is None:
        return False
    now = timezone.now()
    row.figures = counted(row.study, now)
    took = timezone.now() - now
    row.made_at, row.took_ms = now, int(took / timedelta(milliseconds=1))
    row.save(update_fields=["figures", "made_at", "took_ms"])
    QualityFigures.objects.filter(pk=study_id, asked_at__lte=now).update(asked_at=None)
    return True


def counted(study: Study, now: datetime) -> dict[str, Any]:
    """Return the figures of a study: what waits, the pace of reviews, and what each reviewer called a defect."""
    return {
        "waiting": waiting.counts(study, now),
        "paces": forecast.paces(study, waiting.KINDS, now),
        "strictness": strictness.counts(study),
    }
