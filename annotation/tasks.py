"""Periodic work of this app, in short transactions."""

from celery import shared_task

from annotation import exposure, leases, noting, quarantining


@shared_task
def return_expired_leases() -> int:
    """Returns the slots of expired leases to their pairs, and what was expected of pairs that nobody saw."""
    returned = 0
    while batch := leases.return_expired():
        returned += batch
    exposure.forget_unseen()
    return returned


@shared_task
def note_tags() -> int:
    """Lets tags of new answers protect the people who come after."""
    noted = 0
    while batch := noting.note_tags():
        noted += batch
    return noted


@shared_task
def complete_batches() -> int:
    """Move open batches of which nothing is wanted any more to annotated; return how many."""
    return leases.complete_batches()


@shared_task
def end_quarantined_leases() -> int:
    """Ends leases of pairs in quarantine that were in use when the report came; of how many pairs."""
    return quarantining.end_leases()
