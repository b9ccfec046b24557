"""What the pages say about an import: counts, stages with their times, and its bad rows, a few or all."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from catalog.importing import jobs, uploads
from catalog.models import Import
from diptych.downloads import CopyFile
from diptych.spreadsheet import MARK, harmless

#: Bad rows, differences and files that a page shows; there may be millions.
MOST_SHOWN = 50
#: Lines that go into one block of a download.
AT_ONCE = 1000
BAD_ROW = ("file", "line", "field", "reason")
KINDS = {
    "prompts": gettext_lazy("Prompts"),
    "videos": gettext_lazy("Videos"),
    "assets": gettext_lazy("Video files"),
    "pairs": gettext_lazy("Pairs"),
}
#: What imports call their stages.
STAGES = (
    gettext_noop("Laying out uploads"),
    gettext_noop("Unpacking"),
    gettext_noop("Looking into S3"),
    gettext_noop("Fetching from S3"),
    gettext_noop("Reading rows"),
    gettext_noop("Finding files"),
    gettext_noop("Reading files"),
    gettext_noop("Keeping files"),
    gettext_noop("Writing prompts and videos"),
    gettext_noop("Writing pairs"),
    gettext_noop("Pairing prompts"),
    gettext_noop("Waiting for another attempt"),
)


class Count(NamedTuple):
    """How many rows of one kind were new, and how many the study had."""

    name: str | Promise
    added: str
    there: str


@dataclass(frozen=True, slots=True)
class Draw:
    """How many of the new rows were drawn for something, and what that means."""

    name: str
    count: str
    about: str


class Stage(NamedTuple):
    """One stage, how long it took, and whether it is the present one."""

    name: str
    took: str
    now: bool


def counts(job: Import) -> list[Count]:
    """New and old rows of each kind; none where nothing was imported, or would be."""
    report = job.report or {}
    if not report.get("imported"):
        return []
    found = [
        Count(name, grouped(report[key]["added"]), some(report[key]["already_there"])) for key, name in KINDS.items()
    ]
    return [*found, Count(_("Batches"), grouped(report["batches_added"]), "")]


def draws(job: Import) -> list[Draw]:
    """The overlap sample among the new pairs, and the splits of the new prompts; none where nothing came in."""
    report = job.report or {}
    if not report.get("imported"):
        return []
    known = {
        "sampled": (_("Overlap sample"), _("new pairs, drawn at random; more people answer each of them")),
        "train": (_("Training"), _("new prompts to learn from")),
        "test": (_("Testing"), _("new prompts kept for testing models, with all that is nearly the same")),
        "excluded": (_("Excluded"), _("new prompts nearly the same as others on both sides; in neither part")),
    }
    numbers = {"sampled": report.get("sampled", 0)} | report.get("splits", {})
    return [Draw(name, grouped(numbers[key]), about) for key, (name, about) in known.items() if numbers.get(key)]


def outcome(job: Import) -> str:
    """What came of it, in a line; nothing while that is open, or there is no more to say than its state."""
    if job.state == Import.State.COLLECTING:
        there = uploads.collected(job)
        values = {"complete": grouped(there.complete), "files": grouped(there.files)}
        return _("%(complete)s of %(files)s files are here") % values if there.files else _("No files yet")
    if job.state == Import.State.FAILED:
        return job.reason
    if job.state == Import.State.REFUSED:
        return ngettext("%(count)s bad row", "%(count)s bad rows", job.bad_rows) % {"count": grouped(job.bad_rows)}
    report = job.report or {}
    if not report.get("imported"):
        return ""
    new = {key: grouped(report[key]["added"]) for key in ("prompts", "videos", "pairs")}
    if set(new.values()) == {"0"}:
        return _("Nothing new: all of it was there already.")
    return _("New: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s") % new


def facts(job: Import) -> dict[str, Any]:
    """What the import's page shows besides the row itself."""
    report = job.report or {}
    differing = report.get("differing", [])
    return {
        "unfinished": job.finished_at is None,
        "counts": counts(job),
        "draws": draws(job),
        "warnings": report.get("warnings", []),
        "bad": list(islice(bad_rows(job), MOST_SHOWN)),
        "bad_count": grouped(job.bad_rows),
        "differences": differing[:MOST_SHOWN],
        "difference_count": grouped(report.get("differences", 0)),
        "more_differences": report.get("differences", 0) > len(differing[:MOST_SHOWN]),
        "stages": stages(job),
        "asked": asked(job.options),
        "live": progress(job),
        "most_files": settings.UPLOAD_MOST_FILES,
    }


def progress(job: Import) -> dict[str, Any]:
    """What of the page changes while the import waits or runs; with another `version` all of it does."""
    said, how_far = stage_name(job.stage) or _("Running"), ""
    if job.state == Import.State.WAITING:
        said, how_far = _("Waiting for a worker"), _("It begins by itself as soon as one is free.")
        if job.attempts:
            said, how_far = _("Waiting for another attempt"), job.log[-1].get("reason", "") if job.log else ""
    elif job.steps_total:
        how_far = _("%(steps)s of %(total)s") % {"steps": grouped(job.steps), "total": grouped(job.steps_total)}
    if job.cancel_asked_at and job.finished_at is None:
        said = _("Being cancelled")
    return {
        "version": job.state,
        "said": said,
        "how_far": how_far,
        "steps": job.steps,
        "total": job.steps_total,
        "stages": [stage._asdict() for stage in stages(job)],
    }


def stages(job: Import) -> list[Stage]:
    """The stages of the log, each with how long it took until the next."""
    known = [(line, datetime.fromisoformat(line["at"])) for line in job.log]
    found = [
        Stage(stage_name(line["stage"]), lasting(after - at), False) for (line, at), (_line, after) in pairwise(known)
    ]
    if known and job.state == Import.State.RUNNING:
        line, at = known[-1]
        found.append(Stage(stage_name(line["stage"]), lasting(timezone.now() - at), True))
    return found


def stage_name(stage: str) -> str:
    return _(stage) if stage else ""


def lasting(duration: Any) -> str:
    """A time that something took, in the largest unit that tells enough."""
    seconds = max(0.0, duration.total_seconds())
    if seconds < 10:
        return _("%(count)s s") % {"count": f"{seconds:.1f}"}
    if seconds < 120:
        return _("%(count)s s") % {"count": f"{seconds:.0f}"}
    if seconds < 7200:
        return _("%(count)s min") % {"count": f"{seconds / 60:.0f}"}
    return _("%(count)s h") % {"count": f"{seconds / 3600:.1f}"}


def asked(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the import was told, in words; what it was not told follows the study."""
    pairs = options.get("pairs") or ""
    chosen = {
        "": _("those the manifest lists, else all of each prompt’s videos"),
        "all": _("all of each prompt’s videos"),
        "listed": _("those the manifest lists"),
    }
    number = pairs.partition(":")[2]
    said = [(_("Pairs"), chosen.get(pairs) or _("%(count)s a prompt, drawn") % {"count": number})]
    said.append((_("Pairs a batch"), grouped(options.get("batch_size", 100))))
    said.append((_("Answers a pair"), grouped(options["overlap"]) if "overlap" in options else _("as the study says")))
    said.append((_("Bad rows"), _("left out") if options.get("skip_bad") else _("keep everything out")))
    return said


def grouped(number: int) -> str:
    return f"{number:,}"


def some(number: int) -> str:
    return grouped(number) if number else ""


def bad_rows(job: Import) -> Iterator[dict[str, Any]]:
    """All bad rows, one after the other; none where their file is gone."""
    with suppress(FileNotFoundError):
        yield from map(orjson.loads, _lines(job))


def copy_as_jsonl(job: Import, target: CopyFile) -> None:
    """Copy the bad rows as they lie in storage. Raises FileNotFoundError and OSError."""
    lines = _lines(job)
    while some_lines := list(islice(lines, AT_ONCE)):
        target.write(b"".join(some_lines))


def copy_as_csv(job: Import, target: CopyFile) -> None:
    """Copy the bad rows as a table for spreadsheets. Raises FileNotFoundError and OSError."""
    rows = map(orjson.loads, _lines(job))
    target.write(MARK + _csv([BAD_ROW]))
    while some_rows := list(islice(rows, AT_ONCE)):
        target.write(_csv([[harmless(row.get(name)) for name in BAD_ROW] for row in some_rows]))


def _csv(rows: Any) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


def _lines(job: Import) -> Iterator[bytes]:
    if not job.bad_rows:
        return
    with default_storage.open(jobs.bad_rows_file(job)) as file:
        yield from file
