"""Celery tasks for changes of pairs and for the order in which videos are prepared."""

from celery import shared_task

from catalog import media_order
from catalog.pair_changes import work
from jobs import engine
from studies.models import Study


@shared_task
def carry_out_change(change_id: int) -> None:
    """Carry out the change of pairs, if it waits and no other worker has it."""
    work.run(change_id)


@shared_task
def look_after_changes() -> int:
    """Send messages for changes of pairs that wait too long, or whose worker is gone. Return how many."""
    return engine.sweep(work.POLICY)


@shared_task
def order_media(study_id: int) -> int:
    """Order the preparation of the study's unfinished videos as they will be served. Return how many moved."""
    return media_order.prioritise(Study.objects.get(pk=study_id))


@shared_task
def order_all_media() -> int:
    """Do the same for every study with unready pairs, in case messages were lost. Return how many videos moved."""
    return media_order.prioritise_all()
