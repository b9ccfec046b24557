"""What the pages say about an import: counts, stages with their times, and its bad rows, a few or all."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from diptych.downloads import CopyFile
from diptych.spreadsheet import write_rows
from importing import job_progress, uploads
from importing.models import Import
from importing.name_encodings import CHOOSE, CODE_PAGES
from jobs.pages import JobCard, grouped, stages, words

#: Bad rows, differences and files that a page shows; there may be millions.
MOST_SHOWN = 50
BAD_ROW = ("file", "line", "field", "reason")
KINDS = {
    "prompts": gettext_lazy("Prompts"),
    "videos": gettext_lazy("Videos"),
    "assets": gettext_lazy("Video files"),
    "pairs": gettext_lazy("Pairs"),
}
#: What imports call their stages.
STAGES = (
    gettext_noop("Preparing uploaded files"),
    gettext_noop("Unpacking"),
    gettext_noop("Checking files in S3"),
    gettext_noop("Downloading from S3"),
    gettext_noop("Reading rows"),
    gettext_noop("Finding files"),
    gettext_noop("Reading files"),
    gettext_noop("Storing files"),
    gettext_noop("Adding prompts and videos"),
    gettext_noop("Adding pairs"),
    gettext_noop("Making pairs"),
    gettext_noop("Waiting for another attempt"),
)


class Count(NamedTuple):
    """How many rows of one kind were new, and how many the study had. `list` is the page that lists the new ones."""

    name: str | Promise
    added: str
    there: str
    list: str = ""


#: The lists of the library that show what an import added.
LISTS = {"prompts": "catalog:prompts", "videos": "catalog:videos", "pairs": "catalog:pairs"}


@dataclass(frozen=True, slots=True)
class Draw:
    """How many of the new rows were drawn for something, and what that means."""

    name: str
    count: str
    about: str


def counts(job: Import) -> list[Count]:
    """New and old rows of each kind; none where nothing was imported, or would be."""
    report = job.report or {}
    if not report.get("imported"):
        return []

    def page(key: str) -> str:
        is_there = key in LISTS and report[key]["added"] and job.undone_at is None and not job.options.get("dry_run")
        return f"{reverse(LISTS[key], args=[job.study.slug])}?import_number={job.pk}" if is_there else ""

    found = [
        Count(name, grouped(report[key]["added"]), some(report[key]["already_there"]), page(key))
        for key, name in KINDS.items()
    ]
    return [*found, Count(_("Batches"), grouped(report["batches_added"]), "")]


def draws(job: Import) -> list[Draw]:
    """The overlap sample among the new pairs, and the splits of the new prompts; none where nothing came in."""
    report = job.report or {}
    if not report.get("imported"):
        return []
    known = {
        "sampled": (_("Random sample"), _("new pairs, drawn at random. Several people answer each of them")),
        "train": (_("Training"), _("new prompts for training models")),
        "test": (_("Testing"), _("new prompts for testing models, together with their near-duplicates")),
        "excluded": (_("Excluded"), _("new prompts that resemble both training and test prompts, so they are in neither set")),
    }
    numbers = {"sampled": report.get("sampled", 0)} | report.get("splits", {})
    return [Draw(name, grouped(numbers[key]), about) for key, (name, about) in known.items() if numbers.get(key)]


def outcome(job: Import) -> str:
    """What came of it, in a line; nothing while that is open, or there is no more to say than its state."""
    if job.state == Import.State.COLLECTING:
        there = uploads.collected(job)
        values = {"complete": grouped(there.complete), "files": grouped(there.files)}
        return _("%(complete)s of %(files)s files uploaded") % values if there.files else _("No files yet")
    if job.state == Import.State.FAILED:
        return job.reason
    if job.state == Import.State.REFUSED:
        return ngettext("%(count)s bad row", "%(count)s bad rows", job.bad_rows) % {"count": grouped(job.bad_rows)}
    report = job.report or {}
    if not report.get("imported"):
        return ""
    if job.undone_at is not None:
        return _("Undone on %(day)s.") % {"day": localtime(job.undone_at).strftime("%Y-%m-%d %H:%M")}
    new = {key: grouped(report[key]["added"]) for key in ("prompts", "videos", "pairs")}
    if set(new.values()) == {"0"}:
        return _("Nothing new: the study already had everything.")
    return _("New: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s") % new


def facts(job: Import) -> dict[str, Any]:
    """What the import's page shows besides the row itself."""
    report = job.report or {}
    differing = report.get("differing", [])
    return {
        "unfinished": job.is_open,
        "can_undo": job.state == Import.State.DONE and not job.options.get("dry_run") and job.undone_at is None,
        "counts": counts(job),
        "draws": draws(job),
        "warnings": report.get("warnings", []),
        "bad": list(islice(bad_rows(job), MOST_SHOWN)),
        "bad_count": grouped(job.bad_rows),
        "differences": differing[:MOST_SHOWN],
        "difference_count": grouped(report.get("differences", 0)),
        "more_differences": report.get("differences", 0) > len(differing[:MOST_SHOWN]),
        "stages": stages(job.log, is_running=job.state == Import.State.RUNNING),
        "asked": asked(job.options),
        "card": card(job),
        "most_files": settings.UPLOAD_MOST_FILES,
        "code_pages": code_pages(job),
    }


def code_pages(job: Import) -> list[tuple[str, str, bool]]:
    """Return the code pages that the names of an import's archive can be in, each with whether it was taken.

    There are none where the archive says how its names are written.
    """
    taken = job.options.get("name_encoding") or (job.report or {}).get("name_encoding", "")
    if not taken and CHOOSE not in job.reason:
        return []
    return [(key, label, key == taken) for key, (label, _codec) in CODE_PAGES.items()]


def card(job: Import) -> JobCard:
    """Return the import in words."""

    def link(name: str) -> str:
        return reverse(f"importing:{name}", args=[job.study.slug, job.public_id])

    collects = job.state == Import.State.COLLECTING
    doing = str(job.get_state_display()) if collects else stage_name(job.stage) or _("Running")
    return JobCard(
        **words(job, doing=doing, cancel=link("cancel")),
        title=_("Import of %(when)s") % {"when": localtime(job.created_at).strftime("%Y-%m-%d %H:%M")},
        about=job.location or str(job.get_source_display()),
        how_far=how_far(job),
        stages=stages(job.log, is_running=job.state == Import.State.RUNNING),
        outcome=outcome(job),
        page=link("import"),
        watch=link("progress"),
        cancel_ask=_("Cancel this import…"),
        cancel_label=_("Cancel the import"),
        cancel_about=_("The uploaded files are deleted. The study does not change.")
        if collects
        else _("The import stops at its next step, and nothing is added to the study."),
        resume=link("again") if job.state in (Import.State.FAILED, Import.State.CANCELLED) else "",
        resume_label=_("Try again"),
    )


def how_far(job: Import) -> str:
    """Return how many steps of its stage are done."""
    if job.state != Import.State.RUNNING or not job.steps_total:
        return ""
    return _("%(steps)s of %(total)s") % {"steps": grouped(job.steps), "total": grouped(job.steps_total)}


def stage_name(stage: str) -> str:
    return _(stage) if stage else ""


def asked(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the import was told, in words; what it was not told follows the study."""
    pairs = options.get("pairs") or ""
    chosen = {
        "": _("the pairs in the manifest, or all pairs of each prompt’s videos if it lists none"),
        "all": _("all pairs of each prompt’s videos"),
        "listed": _("the pairs in the manifest"),
    }
    number = pairs.partition(":")[2]
    said = [(_("Pairs"), chosen.get(pairs) or _("%(count)s per prompt, drawn at random") % {"count": number})]
    said.append((_("Pairs per batch"), grouped(options.get("batch_size", 100))))
    said.append((_("Answers per pair"), grouped(options["overlap"]) if "overlap" in options else _("the study’s setting")))
    if "name_encoding" in options:
        said.append((_("File name encoding"), CODE_PAGES[options["name_encoding"]][0]))
    said.append((_("Bad rows"), _("skipped") if options.get("skip_bad") else _("stop the import")))
    return said


def some(number: int) -> str:
    return grouped(number) if number else ""


def bad_rows(job: Import) -> Iterator[dict[str, Any]]:
    """All bad rows, one after the other; none where their file is gone."""
    with suppress(FileNotFoundError):
        yield from map(orjson.loads, _lines(job))


def copy_as_jsonl(job: Import, target: CopyFile) -> None:
    """Copy the bad rows as they lie in storage. Raises FileNotFoundError and OSError."""
    for line in _lines(job):
        target.write(line)


def copy_as_csv(job: Import, target: CopyFile) -> None:
    """Copy the bad rows as a table for spreadsheets. Raises FileNotFoundError and OSError."""
    rows = map(orjson.loads, _lines(job))
    write_rows(BAD_ROW, ([row.get(name) for name in BAD_ROW] for row in rows), target)


def _lines(job: Import) -> Iterator[bytes]:
    if not job.bad_rows:
        return
    with default_storage.open(job_progress.bad_rows_file(job)) as file:
        yield from file
