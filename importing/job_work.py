"""Do imports. They are jobs: `jobs.engine` claims, retries and ends them.

Files are read and stored outside any transaction. After a kill, a new attempt knows which files were read and finds the
stored ones in storage. All rows and the outcome are written in one transaction, which ends by checking the claim.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

import jobs.progress
from accounts import audit
from accounts.models import User
from diptych.disk_space import NO_ROOM, is_full
from diptych.refusals import Refused
from importing import uploads
from importing.job_progress import (
    COMMAND,
    COMMAND_WAITED_FOR,
    POLICY,
    ImportProgress,
)
from importing.models import Import, ReadFile, Upload
from importing.pairing import PairChoice
from importing.progress import Progress, ShownProgress
from importing.report import ImportReport
from importing.study import ImportOptions, import_study
from jobs import engine
from jobs.engine import Cancelled, TakenOver
from jobs.heartbeat import heartbeat
from media.originals import remove_unnamed
from media.scratch import scratch
from sources import locations
from sources.files import AT_ONCE
from sources.locations import Material
from sources.progress import FileRead
from studies.models import Study

logger = logging.getLogger(__name__)

#: How long uploaded files are kept for another attempt, and how long an unfinished upload can wait.
UPLOADS_KEPT_FOR = timedelta(days=7)
#: The policy of imports that the command line runs. Each run of the command is one attempt.
OF_COMMANDS = replace(POLICY, claimable=Q(options__has_key=COMMAND), most_attempts=30_000)
#: The policy of such imports whose command ended long ago.
OF_ENDED_COMMANDS = replace(
    OF_COMMANDS,
    abandoned_after=COMMAND_WAITED_FOR,
    most_attempts=1,
    begun_in_vain="The command was ended before the import was. Run it again.",
)


def options_of(options: Mapping[str, Any]) -> ImportOptions:
    """Return a row's options in the form that the importer uses."""
    values = {name: value for name, value in options.items() if name != COMMAND}
    if values.get("pairs") is not None:
        values["pairs"] = PairChoice.parse(values["pairs"])
    return ImportOptions(**values)


def row_options(options: ImportOptions) -> dict[str, Any]:
    """Return the importer's options in the form that a row stores, without options that have no value."""
    values = asdict(options)
    choice = options.pairs
    values["pairs"] = choice and (f"{choice.method}:{choice.a_prompt}" if choice.a_prompt else choice.method)
    return given(values)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a value. 0 is a value."""
    return {name: value for name, value in options.items() if value is not None and value is not False and value != ""}


def run(import_id: int) -> None:
    """Do the import if it waits and no other worker has it."""
    job = engine.claim(POLICY, import_id)
    if job is not None:
        process(job)


def process(job: Import) -> None:
    """Do a claimed import, and clean up afterwards."""
    engine.work_on(POLICY, job, lambda claimed: work_through(ImportProgress(claimed)))
    clean_up(Import.objects.get(pk=job.pk))


def work_through(progress: ImportProgress) -> ImportReport:
    """Do a claimed import and write its outcome.

    Raises Refused if there is nothing to report on, Cancelled, TakenOver, and any error that stops it. The row is still
    running then.
    """
    job = progress.job
    with heartbeat(POLICY, job, progress.beat), scratch() as folder:
        try:
            options = options_of(job.options)
            material = _material(job, folder.resolve(), progress, options.name_encoding)
            report = import_study(
                material.path,
                job.study.slug,
                options=options,
                actor=job.asked_by,
                progress=progress,
                follow=False,
                notes=material.notes,
            )
            if not progress.is_finished:
                progress.finish(report)
        finally:
            with suppress(DatabaseError, InterfaceError):
                progress.beat()  # the progress since the last heartbeat
    return report


def _material(job: Import, folder: Path, progress: Progress, name_encoding: str) -> Material:
    """Return the material to import. The location is checked again, since a link may lead elsewhere now."""
    if job.source == Import.Source.UPLOAD:
        return uploads.as_material(job, folder, progress, name_encoding)
    location = locations.followed(job.location) if COMMAND in job.options else locations.permitted(job.location)
    return locations.from_location(location, folder, progress, name_encoding)


def give_up_commands() -> int:
    """End imports whose command was ended, if they were cancelled or the command was not run again. Return how many."""
    return engine.give_up_abandoned(OF_COMMANDS)[1] + engine.give_up_abandoned(OF_ENDED_COMMANDS)[1]


def cancel_forgotten() -> int:
    """Cancel imports that have collected no new upload for a long time. Return how many."""
    long_ago = timezone.now() - UPLOADS_KEPT_FOR
    lately = Upload.objects.filter(import_job=OuterRef("pk"), created_at__gte=long_ago)
    forgotten = Import.objects.filter(~Exists(lately), state=Import.State.COLLECTING, created_at__lt=long_ago)
    cancelled = 0
    for job in forgotten.select_related("study"):
        with transaction.atomic():
            if engine.cancel(POLICY, job.pk, only=Q(state=Import.State.COLLECTING)):
                audit.record("import.cancelled", job, actor=None, study_slug=job.study.slug)
                cancelled += 1
    return cancelled


def clean_up_all() -> int:
    """Clean up after ended imports where that was not done. Return after how many."""
    read = Exists(ReadFile.objects.filter(import_job=OuterRef("pk")))
    uploaded = Exists(Upload.objects.filter(import_job=OuterRef("pk"), received__gt=0))
    unneeded = Q(finished_at__lt=timezone.now() - UPLOADS_KEPT_FOR) | Q(state=Import.State.DONE)
    ended = Import.objects.filter(Q(read) | (Q(uploaded) & unneeded), finished_at__isnull=False)
    return sum(clean_up(job) for job in ended.order_by("finished_at")[:100])


def clean_up(job: Import) -> bool:
    """Remove what an ended import leaves: stored files that no row names, and uploads that were imported.

    If another import stores files at this moment, the sweep removes the rest later. Uploads of an import that added
    nothing are kept for a while, so that it can be started again. Return whether everything was removed.
    """
    try:
        return not job.is_open and _cleaned_up(job)
    except OSError as error:
        logger.warning("Cleaning up after import %s has to wait for storage: %s", job, error)
        return False


def _cleaned_up(job: Import) -> bool:
    read = ReadFile.objects.filter(import_job=job).order_by("pk")
    while chunk := list(read.values_list("pk", "sha256")[:AT_ONCE]):
        if not remove_unnamed([sha256 for _pk, sha256 in chunk]):
            return False
        ReadFile.objects.filter(pk__in=[pk for pk, _sha256 in chunk]).delete()
    return _discarded_uploads(job)


@transaction.atomic
def _discarded_uploads(job: Import) -> bool:
    """Remove uploads that are no longer needed. Return False if the import was started again and needs them."""
    job = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
    if job.is_open:
        return False
    was_imported = job.state == Import.State.DONE and not job.options.get("dry_run")
    is_old = job.finished_at and job.finished_at < timezone.now() - UPLOADS_KEPT_FOR
    if was_imported or is_old:
        uploads.discard(job)
        Upload.objects.filter(import_job=job).update(received=0)
    return True


def run_here(
    location: str,
    slug: str,
    *,
    options: ImportOptions,
    shown: jobs.progress.Progress,
    owner: User | None = None,
) -> ImportReport:
    """Import in this process, for the command line: from any path, into a study or, with `owner`, into a new one.

    The person who runs the command may read every file. The import has a row like any other. For a new study, the row
    is written in the transaction that creates the study. Raises Refused if there is nothing to report on.
    """
    study = Study.objects.filter(slug=slug).first()
    if owner is not None and study is not None:
        raise Refused(f"The study {slug} exists already. Leave out --create and --owner to import into it.")
    if study is None and owner is None:
        raise Refused(
            f"There is no study {slug}. Check the name. To create the study, add --create --owner NAME, with the "
            "username of the person who will run it."
        )
    if study is None:
        return _first_import(location, slug, options, shown, owner)
    job = _claimed_here(study, location, row_options(options) | {COMMAND: True})

    def end(state: str, reason: str = "") -> None:
        engine.end(POLICY, job.pk, job.fence, state, reason=reason)

    try:
        return work_through(ImportProgress(job, shown))
    except KeyboardInterrupt:
        end(Import.State.CANCELLED)
        raise
    except Cancelled:
        end(Import.State.CANCELLED)
        raise Refused("The import was cancelled on its page.") from None
    except TakenOver:
        raise Refused("This command did not respond for too long, and another one has taken over the import.") from None
    except Refused as refusal:
        end(Import.State.FAILED, str(refusal))
        raise
    except OSError as trouble:
        end(Import.State.FAILED, str(trouble))
        raise _refused(trouble) from trouble
    except Exception as error:
        end(Import.State.FAILED, engine.fault_text(error))
        raise
    finally:
        clean_up(Import.objects.get(pk=job.pk))


def _first_import(
    location: str, slug: str, options: ImportOptions, shown: jobs.progress.Progress, owner: User | None
) -> ImportReport:
    """Import into a new study. Remove the stored files if nothing was imported."""
    first = FirstProgress(location, options, shown)
    try:
        with scratch() as folder:
            material = locations.from_location(
                locations.followed(location), folder.resolve(), first, options.name_encoding
            )
            return import_study(material.path, slug, options=options, progress=first, notes=material.notes, owner=owner)
    except OSError as trouble:
        raise _refused(trouble) from trouble
    finally:
        if not first.is_written:
            first.remove_kept()


def _refused(trouble: OSError) -> Refused:
    """Return the refusal of the command for trouble with files."""
    code = NO_ROOM if is_full(trouble) else ""
    return Refused(f"Files cannot be read or stored: {trouble}.", code)


def _claimed_here(study: Study, location: str, options: dict[str, Any]) -> Import:
    """Claim the import of a killed command with the same arguments, to continue it, or else a new import."""
    equal = Import.objects.filter(study=study, location=location, options=options, cancel_asked_at=None)
    for killed in equal.filter(engine.abandoned(OF_COMMANDS)).order_by("-pk"):
        claimed = engine.claim(OF_COMMANDS, killed.pk)
        if claimed is not None:
            return claimed
    return _new_here(study, location, options)


@transaction.atomic
def _new_here(study: Study, location: str, options: dict[str, Any]) -> Import:
    """Create an import that this process has claimed."""
    new = Import.objects.create(study=study, source=Import.Source.SERVER, location=location, options=options)
    after = {"source": new.source, "location": location, "options": options}
    audit.record("import.asked", new, actor=None, study_slug=study.slug, after=after)
    job = engine.claim(OF_COMMANDS, new.pk)
    assert job is not None  # noqa: S101 - nobody else can see the row yet
    return job


class FirstProgress(ShownProgress):
    """The progress of an import that creates its study, and so has no row at first."""

    def __init__(self, location: str, options: ImportOptions, shown: jobs.progress.Progress) -> None:
        super().__init__(shown)
        self.location = location
        self.options = row_options(options) | {COMMAND: True}
        self.is_written = False
        self._read = bytearray()  # SHA-256 of each file that was read, 32 bytes each

    def remember(self, file: FileRead) -> None:
        self._read += bytes.fromhex(file.sha256)

    def remove_kept(self) -> None:
        """Remove the stored files that no row names."""
        digests = [self._read[at : at + 32].hex() for at in range(0, len(self._read), 32)]
        with suppress(OSError):  # `check_media --mend` removes them later
            for start in range(0, len(digests), AT_ONCE):
                remove_unnamed(digests[start : start + AT_ONCE])
        self.job: Import | None = None

    def import_number(self, study: Study) -> int:
        """Create the import's row, already running, in the transaction that creates the study."""
        new = Import.objects.create(
            study=study, source=Import.Source.SERVER, location=self.location, options=self.options
        )
        self.job = engine.claim(OF_COMMANDS, new.pk)
        return new.pk

    def written(self, report: ImportReport) -> None:
        """End the import's row."""
        assert self.job is not None  # noqa: S101 - nobody else can see the row yet
        ImportProgress(self.job).finish(report)
        self.is_written = True
