"""Celery's side of changes of pairs and of the order in which videos are prepared."""

from celery import shared_task

from catalog import media_order
from catalog.pair_changes import work
from jobs import engine
from studies.models import Study


@shared_task
def carry_out_change(change_id: int) -> None:
    """Carry out the change of pairs, if it waits and nobody else has it."""
    work.run(change_id)


@shared_task
def look_after_changes() -> int:
    """Send a message for changes of pairs that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(work.POLICY)


@shared_task
def order_media(study_id: int) -> int:
    """Let the study's unfinished videos be prepared in the order of serving. Return how many have another place now."""
    return media_order.prioritise(Study.objects.get(pk=study_id))


@shared_task
def order_all_media() -> int:
    """Do the same for every study with unready pairs: it catches up with messages that were lost."""
    return media_order.prioritise_all()
