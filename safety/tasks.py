"""Celery tasks: move quarantined files, and notify safety officers."""

from celery import shared_task

from jobs import engine
from safety import officer_notices, quarantine, report_releases


@shared_task
def settle_quarantines() -> int:
    """Move files that a report or a release has not moved yet. Return how many assets were settled."""
    return quarantine.settle_all()


@shared_task
def mail_officers(sent_for: int | None = None) -> int:
    """Tell safety officers by e-mail about all new reports, not only the one the message was `sent_for`.

    Return how many e-mails were sent.
    """
    return officer_notices.mail()


@shared_task
def release_reports(release_id: int) -> None:
    """Release the reports of one person, if the job waits and no other worker has it."""
    report_releases.run(release_id)


@shared_task
def look_after_releases() -> int:
    """Send messages for releases that wait too long or whose worker is gone. Return how many."""
    return engine.sweep(report_releases.POLICY)
