"""Celery tasks of quality control: rules, controls, figures, suspensions, pauses, and more opinions."""

from celery import shared_task
from django.utils import timezone

from jobs import engine
from qc import figure_jobs, more_opinions, pauses_undone, pausing, study_counts, suspension_work
from qc.charts import files
from qc.controls import making
from qc.findings import checking, marks, runs
from qc.overview import stored


@shared_task
def check_new_answers() -> int:
    """Check new and revised answers by the rules of their study, and let their validity follow. Return how many."""
    checked = 0
    while done := checking.check_new():
        checked += done
    while marks.apply_due():
        pass
    return checked


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
def run_rules(run_id: int) -> None:
    """Do the run, if it waits and no other worker has it."""
    runs.run(run_id)


@shared_task
def look_after_runs() -> int:
    """Send messages for runs that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(runs.POLICY)


@shared_task
def make_controls(run_id: int) -> None:
    """Do the run of controls, if it waits and no other worker has it."""
    making.run(run_id)


@shared_task
def look_after_controls() -> int:
    """Send messages for runs of controls that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(making.POLICY)


@shared_task
def carry_out_suspension(suspension_id: int) -> None:
    """Return or restore the answers of a suspended person, if the job waits and no other worker has it."""
    suspension_work.run(suspension_id)


@shared_task
def look_after_suspensions() -> int:
    """Send messages for suspensions that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(suspension_work.POLICY)


@shared_task
def judge_people() -> int:
    """Judge people by the pause rules of their studies, and end pauses that rested on a wrong control.

    Return how many were judged.
    """
    pauses_undone.reconsider_all()
    return pausing.judge_all()


@shared_task
def compute_figures(job_id: int) -> None:
    """Compute figures of a study, if the job waits and no other worker has it."""
    figure_jobs.run(job_id)


@shared_task
def look_after_figures() -> int:
    """Send messages for computations and charts that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(figure_jobs.POLICY) + engine.sweep(files.POLICY)


@shared_task
def draw_chart(file_id: int) -> None:
    """Draw a chart as a file, if the job waits and no other worker has it."""
    files.run(file_id)


@shared_task
def ask_for_more_opinions() -> int:
    """Ask for more answers where new or changed answers disagree. Return how many answers were looked at."""
    looked_at = 0
    while done := more_opinions.ask_where_due():
        looked_at += done
    return looked_at


@shared_task
def find_disagreement() -> int:
    """Ask for more answers wherever answers disagree. Return how many were asked for."""
    return more_opinions.ask_everywhere()


@shared_task
def count_large_studies() -> int:
    """Count again in large studies whose counts are some minutes old. Return how many."""
    return study_counts.recount()
