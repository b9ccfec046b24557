"""Celery's side of transcoding: a message says that there may be work, and the rows decide."""

import logging

from celery import shared_task
from django.db.models import Exists, OuterRef

from catalog import calling_officers, quarantine, transcoding
from catalog.models import Pair, Study
from diptych.broker import JOB_WAIT_S, WAIT_S, broker, channel

logger = logging.getLogger(__name__)


@shared_task
def transcode_asset(sent_for: int) -> None:
    """Transcodes the asset that is due, if there is one.

    That need not be the one the message was `sent_for`: another may have come to stand before it meanwhile, whose own
    message then finds this one.
    """
    asset = transcoding.claim()
    if asset is not None:
        logger.debug("Told of asset %s; preparing %s", sent_for, asset)
        transcoding.process(asset)


@shared_task
def resend_waiting_media() -> int:
    """Sends a message for assets that have waited too long, unless the queue is full of messages; how many."""
    transcoding.give_up_abandoned()
    if queued() >= FULL:
        return 0
    waiting = transcoding.waiting(FULL)
    announce(waiting, within_s=JOB_WAIT_S)
    return len(waiting)


@shared_task
def settle_quarantines() -> int:
    """Moves files that a report or a release left where they were; how many assets were settled."""
    return quarantine.settle_all()


@shared_task
def mail_officers(sent_for: int | None = None) -> int:
    """Tell safety officers by e-mail about all new reports, not only the one the message was `sent_for`.

    Return how many e-mails were sent.
    """
    return calling_officers.mail()


def announce_report(quarantine_id: int) -> None:
    """Let a worker tell the safety officers. Without a broker the sweep does it later."""
    broker.send(mail_officers, [quarantine_id])


#: Messages worth having in the queue at once. Rows beyond them wait for the sweep, so that a long queue of rows
#: does not become a longer one of messages.
FULL = 1000


def queued(queue: str = "media") -> int:
    """How many messages lie in the queue."""
    with channel(step_s=JOB_WAIT_S) as opened:
        # Not `passive`: to a Redis-protocol broker an empty queue does not exist, and asking for it would fail.
        return int(opened.queue_declare(queue).message_count)


def announce(asset_ids: list[int], *, within_s: float = WAIT_S) -> None:
    """Tells the workers that there may be work. Without a broker the sweep tells them later."""
    broker.send(transcode_asset, asset_ids[:FULL], within_s=within_s)


@shared_task
def run_import(import_id: int) -> None:
    """Does the import, if it still waits and nobody else is at it."""
    from catalog.importing import working  # importing announces its videos with this module

    job = working.claim(import_id)
    if job is not None:
        working.process(job)


@shared_task
def look_after_imports() -> int:
    """Sends a message for imports that have waited too long, and tidies up after those that ended; how many waited."""
    from catalog.importing import working

    working.give_up_abandoned()
    working.cancel_forgotten()
    working.tidy_all()
    waiting = working.waiting()
    if queued("default") < FULL:
        broker.send(run_import, waiting, within_s=JOB_WAIT_S)
    return len(waiting)


def announce_imports(import_ids: list[int]) -> None:
    """Tells the workers that there may be imports. Without a broker the sweep tells them later."""
    broker.send(run_import, import_ids)


@shared_task
def carry_out_change(change_id: int) -> None:
    """Carries out the change of pairs, if it still waits and nobody else is at it."""
    from catalog.running import carrying_out  # running announces its changes with this module

    carrying_out.run(change_id)


@shared_task
def look_after_changes() -> int:
    """Sends a message for changes of pairs that have waited too long, or whose worker is gone; how many."""
    from catalog.running import carrying_out

    carrying_out.give_up_abandoned()
    waiting = carrying_out.waiting()
    if queued("default") < FULL:
        broker.send(carry_out_change, waiting, within_s=JOB_WAIT_S)
    return len(waiting)


def announce_change(change_id: int) -> None:
    """Tells the workers that there may be a change of pairs. Without a broker the sweep tells them later."""
    broker.send(carry_out_change, [change_id])


@shared_task
def order_media(study_id: int) -> int:
    """Lets the study's unfinished videos be prepared in the order of serving; how many have another place now."""
    return transcoding.prioritise(Study.objects.get(pk=study_id))


@shared_task
def order_all_media() -> int:
    """The same of every study with pairs whose videos are unfinished: catches up with messages that were lost."""
    unready = Pair.objects.filter(study=OuterRef("pk"), ready=False, held="")
    return sum(transcoding.prioritise(study) for study in Study.objects.filter(Exists(unready)))


def announce_media_order(study_id: int) -> None:
    """Lets a worker put the study's videos in order. Without a broker `order_all_media` does it later."""
    broker.send(order_media, [study_id])
