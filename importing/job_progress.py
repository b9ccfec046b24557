"""An import as a job: its policy, its progress, and how its outcome is stored."""

import tempfile
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Q
from django.utils import timezone

import jobs.progress
from accounts import audit
from diptych.refusals import Refused
from importing.models import Import, ReadFile
from importing.progress import Progress
from importing.report import ImportReport
from jobs import engine
from jobs.engine import TakenOver
from jobs.policy import DATABASE_TROUBLE, Policy
from jobs.progress import JobProgress
from sources.causes import numbered
from sources.progress import FileRead
from sources.sentences import Sentence, stored
from studies.models import Study

#: Seconds between two writes of the files that were read. After a kill, later files are read again.
REMEMBERED_EVERY_S = 1.0
#: The most differences that the report names.
MOST_DIFFERENCES = 100
#: Numbers of the report that go into the audit record.
COUNTS = ("prompts", "videos", "assets", "pairs", "labels", "batches_added", "sampled", "splits", "differences")
#: The option of an import that the command line runs. Workers skip such imports: the command can read more files.
COMMAND = "command"
#: How long a killed command can be run again to continue where it stopped.
COMMAND_WAITED_FOR = timedelta(hours=1)


def bad_rows_file(job: Import) -> str:
    """Return the storage name of the import's bad rows, one JSON object per line. Without bad rows there is no file."""
    return f"imports/{job.public_id}/bad-rows.jsonl"


class ImportProgress(JobProgress, Progress):
    """Write the progress of a claimed import into its row, and remember the files that it has read."""

    def __init__(self, job: Import, shown: jobs.progress.Progress | None = None) -> None:
        super().__init__(POLICY, job, shown)
        self.job: Import = job
        self.log: list[dict[str, Any]] = list(job.log)
        self.is_finished = False
        self._read: list[FileRead] = []
        self._remembered_at = time.monotonic()

    def begin(self, stage: str, total: int) -> None:
        self._remember_now()
        super().begin(stage, total)
        self.log = [*self.log, entry(stage, total=total)]

    def advance(self, steps: int = 1) -> None:
        super().advance(steps)
        if time.monotonic() - self._remembered_at > REMEMBERED_EVERY_S:
            self._remember_now()

    def end(self) -> None:
        super().end()
        with suppress(DatabaseError, InterfaceError):  # the import does not depend on it
            self._remember_now()

    def columns(self) -> dict[str, Any]:
        return super().columns() | {"log": self.log}

    def import_number(self, study: Study) -> int:
        """Return the row's own number."""
        return self.job.pk

    def written(self, report: ImportReport) -> None:
        """Write the outcome in the transaction of the rows, so that a kill cannot separate the two."""
        self.go_on_or_raise()
        if not self.finish(report):
            raise TakenOver

    def remember(self, file: FileRead) -> None:
        self._read.append(file)

    def recall(self, paths: Any) -> dict[str, FileRead]:
        known = ReadFile.objects.filter(import_job=self.job, path__in=list(paths))
        return {row[0]: FileRead(*row) for row in known.values_list("path", "byte_size", "modified_ns", "sha256")}

    @transaction.atomic
    def finish(self, report: ImportReport) -> bool:
        """End the import as done or refused. Return False, and write nothing, if the claim is lost."""
        job = self.job
        state = Import.State.DONE if report.imported else Import.State.REFUSED
        columns: dict[str, Any] = {"report": summary(report), "bad_rows": store_bad_rows(job, report), "log": self.log}
        self.is_finished = engine.end(POLICY, job.pk, job.fence, state, **columns)
        return self.is_finished

    def _remember_now(self) -> None:
        read, self._read = self._read, []
        self._remembered_at = time.monotonic()
        ReadFile.objects.bulk_create(
            [ReadFile(import_job=self.job, **file._asdict()) for file in read],
            update_conflicts=True,
            unique_fields=["import_job", "path"],
            update_fields=["byte_size", "modified_ns", "sha256"],
        )


def record_outcome(job: Import) -> None:
    """Write the end of an import into its log, with the reason if it failed, and its outcome into the audit record."""
    _log(job, entry(job.state, **({"reason": stored(job.reason)} if job.reason else {})))
    after: dict[str, Any] = {"state": job.state, "reason": job.reason, "bad_rows": job.bad_rows}
    if job.report:
        after |= {name: job.report[name] for name in COUNTS} | {"bad": job.bad_rows}
    audit.record("import.finished", job, actor=None, study_slug=job.study.slug, after=after)


def record_pause(job: Import) -> None:
    """Write into the log of an import that it waits for another attempt."""
    _log(job, entry("Waiting for another attempt", reason=job.reason))


def _log(job: Import, line: dict[str, Any]) -> None:
    job.log, job.steps, job.steps_total = [*job.log, line], 0, 0
    job.save(update_fields=["log", "steps", "steps_total"])


def entry(stage: str, **more: Any) -> dict[str, Any]:
    """Return a line for the import's log."""
    return {"stage": stage, "at": timezone.now().isoformat(timespec="milliseconds")} | more


def summary(report: ImportReport) -> dict[str, Any]:
    """Return the report with only the first differences, and without bad rows, which have a file of their own."""
    compact = report.as_json() | report.counts()
    del compact["bad"]
    compact["warnings"] = [stored(warning) for warning in report.warnings]
    compact["causes"] = [cause | {"reason": stored(cause["reason"])} for cause in compact["causes"]]
    return compact | {"differing": [row._asdict() for row in report.differences[:MOST_DIFFERENCES]]}


def store_bad_rows(job: Import, report: ImportReport) -> int:
    """Write the file of bad rows, and replace that of an earlier attempt. Return how many there are."""
    count, name = 0, bad_rows_file(job)
    with tempfile.TemporaryFile() as file:
        for row, cause in numbered(report.bad):
            parts = stored(row.reason) if isinstance(row.reason, Sentence) else {}
            parts = parts | {"cause": cause} if cause else parts
            file.write(orjson.dumps(row._asdict() | parts, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
        if count:
            file.seek(0)
            default_storage.save(name, File(file))
        else:
            default_storage.delete(name)
    return count


POLICY = Policy(
    model=Import,
    name="Import",
    task="importing.tasks.run_import",
    claimable=~Q(options__has_key=COMMAND),
    beat_every_s=0.5,  # the page shows the progress, and a cancelled import stops soon
    final=(Refused,),
    counted=(OSError, *DATABASE_TROUBLE),
    waits=record_pause,
    ended=record_outcome,
)
