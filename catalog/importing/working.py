"""Working through imports. The row is the queue of record; a message only says “look here”, as with videos.

A worker claims a row with a fence number, and a heartbeat keeps the claim alive. Files are read and kept outside any
transaction; begun again after a kill, what was read is remembered and what was kept lies in storage. All rows, and the
outcome with them, are one transaction that ends with a look at the claim. So a lost message, a doubled one, or a worker
killed in the middle changes nothing but the time it takes.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts import audit
from catalog.heartbeat import beating
from catalog.importing import sources, uploads
from catalog.importing.files import AT_ONCE, remove_unnamed
from catalog.importing.following import (
    ABANDONED_AFTER,
    HEARTBEAT_S,
    Cancelled,
    JobProgress,
    TakenOver,
    claimed,
    entry,
)
from catalog.importing.laying_out import SourceTrouble
from catalog.importing.pairing import PairChoice
from catalog.importing.progress import Progress
from catalog.importing.report import ImportReport
from catalog.importing.study import ImportOptions, ImportTrouble, import_study
from catalog.media.scratch import scratch
from catalog.models import Import, ReadFile, Study, Upload

logger = logging.getLogger(__name__)

FINISHED = frozenset({Import.State.DONE, Import.State.REFUSED, Import.State.FAILED, Import.State.CANCELLED})
#: A message is sent again for a row that has waited this long.
RESEND_AFTER = timedelta(seconds=30)
#: Pauses after trouble of this machine: each is twice as long as the one before.
FIRST_PAUSE = timedelta(minutes=1)
MOST_ATTEMPTS = 5
#: Uploaded files are kept this long for another attempt; an upload nobody goes on with is cancelled after it.
UPLOADS_KEPT_FOR = timedelta(days=7)
#: Marks an import that the command line runs: workers leave it alone, since it may read what they may not.
COMMAND = "command"
#: A command that was killed is waited for this long: run again, it goes on where it stopped.
COMMAND_WAITED_FOR = timedelta(hours=1)


def options_of(told: Mapping[str, Any]) -> ImportOptions:
    """A row's options as the importer takes them."""
    values = {name: value for name, value in told.items() if name != COMMAND}
    if values.get("pairs") is not None:
        values["pairs"] = PairChoice.parse(values["pairs"])
    return ImportOptions(**values)


def told_options(options: ImportOptions) -> dict[str, Any]:
    """The importer's options as a row keeps them, without those that say nothing."""
    values = asdict(options)
    choice = options.pairs
    values["pairs"] = choice and (f"{choice.method}:{choice.a_prompt}" if choice.a_prompt else choice.method)
    return said(values)


def said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something; 0 does."""
    return {name: value for name, value in options.items() if value is not None and value is not False and value != ""}


def free(now: datetime) -> Q:
    """The rows that a worker may take: those that wait, after their pause, and those whose heartbeat stopped.

    The heartbeat of a row that waits is when its pause ends.
    """
    rested = Q(heartbeat_at=None) | Q(heartbeat_at__lte=now)
    abandoned = Q(state=Import.State.RUNNING, heartbeat_at__lt=now - ABANDONED_AFTER)
    return (Q(rested, state=Import.State.WAITING) | abandoned) & ~Q(options__has_key=COMMAND)


def claim(import_id: int) -> Import | None:
    """Takes the import for this worker, or None if it is finished, has its pause, or somebody else holds it."""
    now = timezone.now()
    taken = Import.objects.filter(free(now), pk=import_id, attempts__lt=MOST_ATTEMPTS).update(
        state=Import.State.RUNNING,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        heartbeat_at=now,
        started_at=Coalesce("started_at", Now()),
    )
    return Import.objects.select_related("study", "asked_by").get(pk=import_id) if taken else None


def run(job: Import) -> None:
    """Does the import, if it still waits and nobody else is at it."""
    taken = claim(job.pk)
    if taken is not None:
        process(taken)


def process(job: Import) -> None:
    """Works a claimed import through. It ends done, refused, failed, cancelled, or put back for a later attempt."""
    progress = JobProgress(job)
    try:
        work_through(progress)
    except Cancelled:
        progress.finish(Import.State.CANCELLED)
    except TakenOver:
        logger.warning("Import %s was taken over by another worker", job)
    except (ImportTrouble, SourceTrouble) as trouble:
        progress.finish(Import.State.FAILED, reason=str(trouble))
    except (OSError, OperationalError, InterfaceError) as error:
        logger.error("Import %s waits because of trouble here: %s", job, error)
        if not connection.is_usable():
            connection.close()  # the next query opens another one
        put_back(progress, getattr(error, "strerror", None) or str(error).strip())
    except Exception as error:
        logger.exception("Import %s stopped", job)
        progress.finish(Import.State.FAILED, reason=stopped_by(error))
    tidy(Import.objects.get(pk=job.pk))


def work_through(progress: JobProgress) -> ImportReport:
    """Does a claimed import and writes what came of it.

    Raises ImportTrouble and SourceTrouble where there is nothing to report on, Cancelled, TakenOver, and whatever
    stops it; the row then still says that it runs.
    """
    job = progress.job
    with beating(progress.beat, every_s=HEARTBEAT_S, about=f"Import {job}"), scratch() as folder:
        path = _path(job, folder.resolve(), progress)
        options = options_of(job.options)
        report = import_study(
            path, job.study.slug, options=options, actor=job.asked_by, progress=progress, follow=False
        )
        if not progress.is_finished:
            progress.finish(Import.State.DONE if report.imported else Import.State.REFUSED, report=report)
    return report


def _path(job: Import, folder: Path, progress: Progress) -> Path:
    """What is to be read. Where it lies is looked at again: a link may lead elsewhere by now."""
    if job.source == Import.Source.UPLOAD:
        return sources.lay_out(job, folder, progress)
    location = sources.followed(job.location) if COMMAND in job.options else sources.permitted(job.location)
    return sources.bring(location, folder, progress)


def stopped_by(error: BaseException) -> str:
    """The reason that a row gives for what is a fault of the program."""
    return f"A fault of the program stopped it ({type(error).__name__}). Tell who runs the server; the log says more."


def put_back(progress: JobProgress, trouble: str) -> None:
    """Gives up the claim, if it still holds, so that after a pause any worker may take the import.

    After the last attempt it fails with the trouble as its reason.
    """
    job = progress.job
    if job.attempts >= MOST_ATTEMPTS:
        reason = f"{trouble}. It was tried {job.attempts} times. Tell who runs the server."
        progress.finish(Import.State.FAILED, reason=reason)
        return
    claimed(job).update(
        state=Import.State.WAITING,
        heartbeat_at=timezone.now() + FIRST_PAUSE * 2 ** (job.attempts - 1),
        stage="",
        steps=0,
        steps_total=0,
        log=[*progress.log, entry("Waiting for another attempt", reason=trouble)],
    )


def waiting() -> list[int]:
    """Imports that have waited too long for a worker, or whose worker's heartbeat stopped."""
    now = timezone.now()
    too_long = Q(state=Import.State.RUNNING) | Q(created_at__lt=now - RESEND_AFTER)
    due = Import.objects.filter(free(now), too_long, attempts__lt=MOST_ATTEMPTS)
    return list(due.order_by("created_at").values_list("pk", flat=True)[:100])


def give_up_abandoned() -> int:
    """Ends abandoned imports that nobody will go on with; how many."""
    now = timezone.now()
    abandoned = Import.objects.filter(state=Import.State.RUNNING, heartbeat_at__lt=now - ABANDONED_AFTER)
    hopeless = Q(attempts__gte=MOST_ATTEMPTS) & ~Q(options__has_key=COMMAND)
    of_command = Q(options__has_key=COMMAND) & (
        Q(heartbeat_at__lt=now - COMMAND_WAITED_FOR) | Q(cancel_asked_at__isnull=False)
    )
    ended = 0
    for job in abandoned.filter(hopeless | of_command).select_related("study"):
        if job.cancel_asked_at:
            state, reason = Import.State.CANCELLED, ""
        elif COMMAND in job.options:
            state, reason = Import.State.FAILED, "The command was ended before the import was. Run it again."
        else:
            state, reason = Import.State.FAILED, f"It was begun {job.attempts} times and never came to an end."
        JobProgress(job).finish(state, reason=reason)
        ended += 1
    return ended


def cancel_forgotten() -> int:
    """Cancels imports that collect uploads of which none came for long; how many."""
    long_ago = timezone.now() - UPLOADS_KEPT_FOR
    lately = Upload.objects.filter(import_job=OuterRef("pk"), created_at__gte=long_ago)
    forgotten = Import.objects.filter(~Exists(lately), state=Import.State.COLLECTING, created_at__lt=long_ago)
    cancelled = 0
    for job in forgotten.select_related("study"):
        with transaction.atomic():
            if Import.objects.filter(pk=job.pk, state=Import.State.COLLECTING).update(
                state=Import.State.CANCELLED, finished_at=timezone.now()
            ):
                audit.record("import.cancelled", job, actor=None, study_slug=job.study.slug)
                cancelled += 1
    return cancelled


def tidy_all() -> int:
    """Tidies up after imports that ended, as far as it was not done; after how many."""
    read = Exists(ReadFile.objects.filter(import_job=OuterRef("pk")))
    uploaded = Exists(Upload.objects.filter(import_job=OuterRef("pk"), received__gt=0))
    unneeded = Q(finished_at__lt=timezone.now() - UPLOADS_KEPT_FOR) | Q(state=Import.State.DONE)
    untidy = Import.objects.filter(Q(read) | (Q(uploaded) & unneeded), state__in=FINISHED)
    return sum(tidy(job) for job in untidy.order_by("finished_at")[:100])


def tidy(job: Import) -> bool:
    """Removes what an import that ended leaves: files that it kept and no row names, and uploads that came in whole.

    What can't be removed now, since another import keeps files at this moment, the sweep removes. Uploads of an import
    that came to nothing stay for a while, so that it can be asked for again.
    """
    try:
        return job.state in FINISHED and _tidied(job)
    except OSError as error:
        logger.warning("Import %s is tidied up after once storage is there: %s", job, error)
        return False


def _tidied(job: Import) -> bool:
    read = ReadFile.objects.filter(import_job=job).order_by("pk")
    while chunk := list(read.values_list("pk", "sha256")[:AT_ONCE]):
        if not remove_unnamed([sha256 for _pk, sha256 in chunk]):
            return False
        ReadFile.objects.filter(pk__in=[pk for pk, _sha256 in chunk]).delete()
    return _discarded_uploads(job)


@transaction.atomic
def _discarded_uploads(job: Import) -> bool:
    """Removes uploads that nobody needs any more. False if the import was asked for again since, and needs them."""
    job = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.state not in FINISHED:
        return False
    came_in = job.state == Import.State.DONE and not job.options.get("dry_run")
    forgotten = job.finished_at and job.finished_at < timezone.now() - UPLOADS_KEPT_FOR
    if came_in or forgotten:
        uploads.discard(job)
        Upload.objects.filter(import_job=job).update(received=0)
    return True


def run_here(location: str, slug: str, *, options: ImportOptions, shown: Progress) -> ImportReport:
    """An import in this process, for the command line: of any path, and into a study that need not be there.

    Whoever runs it has the machine. It leaves a row like any other; for a study that it makes, in the transaction
    that makes it. Raises ImportTrouble and SourceTrouble where there is nothing to report on.
    """
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        with scratch() as folder:
            first = FirstProgress(location, options, shown)
            path = sources.bring(sources.followed(location), folder.resolve(), first)
            return import_study(path, slug, options=options, progress=first)
    job = _claimed_here(study, location, told_options(options) | {COMMAND: True})
    progress = JobProgress(job, shown)
    try:
        return work_through(progress)
    except KeyboardInterrupt:
        progress.finish(Import.State.CANCELLED)
        raise
    except Cancelled:
        progress.finish(Import.State.CANCELLED)
        raise ImportTrouble("The import was cancelled on its page.") from None
    except TakenOver:
        raise ImportTrouble("This command was not heard of for long, and another one took the import over.") from None
    except (ImportTrouble, SourceTrouble, OSError) as trouble:
        progress.finish(Import.State.FAILED, reason=str(trouble))
        if isinstance(trouble, OSError):
            raise ImportTrouble(f"Files cannot be read or kept: {trouble}.") from trouble
        raise
    except Exception as error:
        progress.finish(Import.State.FAILED, reason=stopped_by(error))
        raise
    finally:
        tidy(Import.objects.get(pk=job.pk))


@transaction.atomic
def _claimed_here(study: Study, location: str, told: dict[str, Any]) -> Import:
    """A new row that runs, or that of an equal command that was killed, to go on with what it had read."""
    now = timezone.now()
    killed = Import.objects.filter(
        study=study,
        location=location,
        options=told,
        state=Import.State.RUNNING,
        cancel_asked_at=None,
        heartbeat_at__lt=now - ABANDONED_AFTER,
    )
    job = killed.order_by("-pk").select_for_update(skip_locked=True).first()
    if job is None:
        job = Import(study=study, source=Import.Source.SERVER, location=location, options=told, started_at=now)
        job.state = Import.State.RUNNING
        job.heartbeat_at, job.fence, job.attempts = now, 1, 1
        job.save()
        after = {"source": job.source, "location": location, "options": told}
        audit.record("import.asked", job, actor=None, study_slug=study.slug, after=after)
        return job
    job.heartbeat_at, job.fence, job.attempts = now, job.fence + 1, job.attempts + 1
    job.save(update_fields=["heartbeat_at", "fence", "attempts"])
    return job


class FirstProgress(Progress):
    """Follows the import that makes its study, and so has no row before."""

    def __init__(self, location: str, options: ImportOptions, shown: Progress) -> None:
        self.location = location
        self.options = told_options(options) | {COMMAND: True}
        self.begin, self.advance, self.end = shown.begin, shown.advance, shown.end  # type: ignore[method-assign]

    def written(self, report: ImportReport) -> None:
        """Leaves a row that ran from its beginning to its end in this transaction."""
        study, now = Study.objects.get(slug=report.study), timezone.now()
        job = Import.objects.create(
            study=study,
            source=Import.Source.SERVER,
            location=self.location,
            options=self.options,
            state=Import.State.RUNNING,
            heartbeat_at=now,
            fence=1,
            attempts=1,
            started_at=now,
        )
        JobProgress(job).finish(Import.State.DONE, report=report)
