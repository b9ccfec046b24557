"""An import's progress as its row tells it, and the row's word on whether to go on."""

import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit
from catalog.importing.progress import FileRead, Progress
from catalog.importing.report import ImportReport
from catalog.models import Import, ReadFile

#: How often the row is written at most, and whether somebody cancelled is looked up.
HEARTBEAT_S = 0.5
#: A claim whose heartbeat is older than this is anybody's.
ABANDONED_AFTER = timedelta(seconds=30)
#: The row is written this often although nothing changed.
UNCHANGED_S = 5.0
#: What was read since then is read again after a kill.
REMEMBERED_EVERY_S = 1.0
#: Rows that differ from what the study has, and that the report names.
MOST_DIFFERENCES = 100


class Cancelled(Exception):
    """Somebody cancelled the import."""


class TakenOver(Exception):
    """Another worker has the import, since this one was not heard of for long."""


def claimed(job: Import) -> QuerySet[Import]:
    """The import's row, as long as the claim holds."""
    return Import.objects.filter(pk=job.pk, state=Import.State.RUNNING, fence=job.fence)


def bad_rows_file(job: Import) -> str:
    """Where the import's bad rows lie in storage, one JSON object a line; nothing is there if it has none."""
    return f"imports/{job.public_id}/bad-rows.jsonl"


class JobProgress(Progress):
    """Follows a claimed import. `begin` and `advance` raise Cancelled and TakenOver.

    The row is written by `beat`, which a heartbeat calls from another thread and so on another connection: what it
    says is seen at once, though the import's own transaction may be open for long.
    """

    def __init__(self, job: Import, shown: Progress | None = None) -> None:
        self.job = job
        self.shown = shown or Progress()
        self.stage = ""
        self.steps = 0
        self.steps_total = 0
        self.log: list[dict[str, Any]] = list(job.log)
        self.cancel_asked = False
        self.is_finished = False
        self._read: list[FileRead] = []
        self._remembered_at = time.monotonic()
        self._said: tuple[Any, ...] = ()
        self._said_at = 0.0

    def begin(self, stage: str, total: int) -> None:
        self._remember_now()
        self._go_on_or_raise()
        self.shown.begin(stage, total)
        self.stage, self.steps, self.steps_total = stage, 0, total
        self.log = [*self.log, entry(stage, total=total)]

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        self.shown.advance(steps)
        if self.cancel_asked:
            raise Cancelled
        if time.monotonic() - self._remembered_at > REMEMBERED_EVERY_S:
            self._remember_now()

    def end(self) -> None:
        self.shown.end()
        with suppress(DatabaseError, InterfaceError):  # nothing of the import depends on it
            self._remember_now()

    def written(self, report: ImportReport) -> None:
        """Writes the outcome in the transaction of the rows, so that no kill comes between the two."""
        self._go_on_or_raise()
        if not self.finish(Import.State.DONE, report=report):
            raise TakenOver

    def remember(self, file: FileRead) -> None:
        self._read.append(file)

    def recall(self, paths: Any) -> dict[str, FileRead]:
        there = ReadFile.objects.filter(import_job=self.job, path__in=list(paths))
        return {row[0]: FileRead(*row) for row in there.values_list("path", "byte_size", "modified_ns", "sha256")}

    def beat(self) -> None:
        """Keeps the claim, says how far the import is, and sees whether somebody cancelled it."""
        asked = claimed(self.job).values_list("cancel_asked_at", flat=True)
        self.cancel_asked = any(moment is not None for moment in asked)
        saying = (self.stage, min(self.steps, self.steps_total), self.steps_total, len(self.log))
        if saying != self._said or time.monotonic() - self._said_at > UNCHANGED_S:
            stage, steps, total, _length = saying
            claimed(self.job).update(
                stage=stage, steps=steps, steps_total=total, log=self.log, heartbeat_at=timezone.now()
            )
            self._said, self._said_at = saying, time.monotonic()

    @transaction.atomic
    def finish(self, state: str, *, reason: str = "", report: ImportReport | None = None) -> bool:
        """Writes the outcome; False, and nothing written, where the claim holds no more."""
        job = self.job
        told, bad = None, 0
        if report is not None:
            told, bad = summary(report), store_bad_rows(job, report)
        self.log = [*self.log, entry(str(Import.State(state).label))]
        self.is_finished = bool(
            claimed(job).update(
                state=state,
                reason=reason,
                stage="",
                steps=0,
                steps_total=0,
                log=self.log,
                report=told,
                bad_rows=bad,
                finished_at=timezone.now(),
                heartbeat_at=None,
            )
        )
        if self.is_finished:
            after = {"state": state, "reason": reason, "bad_rows": bad} | (report.counts() if report else {})
            audit.record("import.finished", job, actor=None, study_slug=job.study.slug, after=after)
        return self.is_finished

    def _go_on_or_raise(self) -> None:
        asked = list(claimed(self.job).values_list("cancel_asked_at", flat=True))
        if not asked:
            raise TakenOver
        if asked[0] is not None:
            raise Cancelled

    def _remember_now(self) -> None:
        read, self._read = self._read, []
        self._remembered_at = time.monotonic()
        ReadFile.objects.bulk_create(
            [ReadFile(import_job=self.job, **file._asdict()) for file in read],
            update_conflicts=True,
            unique_fields=["import_job", "path"],
            update_fields=["byte_size", "modified_ns", "sha256"],
        )


def entry(stage: str, **more: Any) -> dict[str, Any]:
    """A line of the import's log."""
    return {"stage": stage, "at": timezone.now().isoformat(timespec="milliseconds")} | more


def summary(report: ImportReport) -> dict[str, Any]:
    """The report without its bad rows, which have a file of their own, and with only the first differences."""
    told = report.as_json() | report.counts()
    del told["bad"]
    return told | {"differing": [row._asdict() for row in report.differences[:MOST_DIFFERENCES]]}


def store_bad_rows(job: Import, report: ImportReport) -> int:
    """Writes the file of bad rows, over that of an earlier attempt; how many there are."""
    count, name = 0, bad_rows_file(job)
    with tempfile.TemporaryFile() as file:
        for row in report.bad:
            file.write(orjson.dumps(row._asdict()) + b"\n")
            count += 1
        if count:
            file.seek(0)
            default_storage.save(name, File(file))
        else:
            default_storage.delete(name)
    return count
