"""Periodic tasks of this app, in short transactions."""

from celery import shared_task

from annotation import exposure, harm_propagation, leases, quarantining


@shared_task
def return_expired_leases() -> int:
    """Return the slots of expired leases to their pairs, and take back the exposure expected of unseen pairs."""
    returned = 0
    while batch := leases.return_expired():
        returned += batch
    exposure.lapse_ended_leases()
    return returned


@shared_task
def note_tags() -> int:
    """Let the tags of new answers protect the people who get these videos later."""
    noted = 0
    while batch := harm_propagation.note_tags():
        noted += batch
    return noted


@shared_task
def complete_batches() -> int:
    """Move open batches that want no more answers to annotated, and return how many."""
    return leases.complete_batches()


@shared_task
def end_quarantined_leases() -> int:
    """End leases of quarantined pairs that were locked during the report. Return the number of pairs."""
    return quarantining.end_leases()
