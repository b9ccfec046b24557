"""Tasks of figures."""

from celery import shared_task
from django.utils import timezone

from charts import files
from figures import figure_jobs, study_counts
from figures.overview import stored
from jobs import engine


@shared_task
def count_quality(study_id: int) -> bool:
    """Count the figures of a study's page Quality, unless another worker does it."""
    return stored.count(study_id)


@shared_task
def count_quality_due() -> int:
    """Count the figures of all studies whose figures are missing, old or asked for. Return how many."""
    stored.make_rows()
    return sum(stored.count(study_id) for study_id in stored.due(timezone.now()))


@shared_task
def compute_figures(job_id: int) -> None:
    """Compute figures of a study, if the job waits and no other worker has it."""
    figure_jobs.run(job_id)


@shared_task
def look_after_figures() -> int:
    """Send messages for computations and charts that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(figure_jobs.POLICY) + engine.sweep(files.POLICY)


@shared_task
def count_large_studies() -> int:
    """Count again in large studies whose counts are some minutes old. Return how many."""
    return study_counts.recount()
