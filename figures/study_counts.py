"""The counts on the progress page: counted at once for most studies, and stored for large ones.

Counting reads every pair and answer. With a million answers that takes a second or more, so a task counts again
every few minutes, and the page says when the answers were counted.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from answers.study_progress import Progress, progress
from figures.models import StudyCounts
from studies.models import Study

#: From so many pairs, videos and answers on, counting can take longer than a page should.
LARGE = 100_000
#: How old stored counts are when the task counts again, and when a page no longer shows them: no worker runs then.
FRESH, OLDEST = timedelta(minutes=3), timedelta(minutes=15)


def counts_of(study: Study) -> tuple[Progress, datetime | None]:
    """Return the study's counts, and when they were counted if that was not just now."""
    stored = StudyCounts.objects.filter(study=study, made_at__gt=timezone.now() - OLDEST).first()
    if stored is not None:
        return Progress(**stored.counts), stored.made_at
    counts = progress(study)
    if is_large(counts):
        _store(study, counts)
    return counts, None


def is_large(counts: Progress) -> bool:
    """Return whether the counts of such a study are stored."""
    return counts.pairs + counts.videos + counts.answers_counted >= LARGE


def recount() -> int:
    """Count again in studies whose stored counts are old, and return how many.

    Of two workers at once, the second finds the row locked and leaves it.
    """
    done = 0
    old = StudyCounts.objects.filter(made_at__lte=timezone.now() - FRESH).order_by("made_at")
    for key in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            row = old.select_for_update(skip_locked=True, of=("self",)).filter(pk=key).first()
            if row is None:
                continue
            _store(row.study, progress(row.study))
            done += 1
    return done


def _store(study: Study, counts: Progress) -> None:
    """Store the counts. Of two at once, the later one stays."""
    values = {"counts": asdict(counts), "made_at": timezone.now()}
    StudyCounts.objects.bulk_create(
        [StudyCounts(study=study, **values)],
        update_conflicts=True,
        unique_fields=["study"],
        update_fields=list(values),
    )
