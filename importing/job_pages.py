"""Return what pages show about an import: counts, warnings, stages with their times, and bad rows."""

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
from importing.import_sections import sections_of
from importing.models import Import
from jobs.pages import JobCard, grouped, stages, words
from sources.name_encodings import CHOOSE, CODE_PAGES, readings_asked
from sources.sentences import MESSAGE, VALUES, worded

#: The most bad rows and differences that a page shows; there can be millions.
MOST_SHOWN = 50
BAD_ROW = ("file", "line", "field", "reason")
KINDS = {
    "prompts": gettext_lazy("Prompts"),
    "videos": gettext_lazy("Videos"),
    "assets": gettext_lazy("Video files"),
    "pairs": gettext_lazy("Pairs"),
    "labels": gettext_lazy("Labels"),
}
#: The names of stages as the log has them. Pages translate them.
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
    """Numbers of new and existing rows of one kind. `list` is the page of the new ones."""

    name: str | Promise
    added: str
    existing: str
    list: str = ""


#: The pages of the library that list what an import added.
LISTS = {"prompts": "catalog:prompts", "videos": "catalog:videos", "pairs": "catalog:pairs"}


@dataclass(frozen=True, slots=True)
class Draw:
    """A number of new rows that were drawn for a sample or a split, and what that means."""

    name: str
    count: str
    about: str


def counts(job: Import) -> list[Count]:
    """Return new and existing rows of each kind. Return none if nothing was or would be imported."""
    report = job.report or {}
    if not report.get("imported"):
        return []

    def page(key: str) -> str:
        has_list = key in LISTS and report[key]["added"] and job.undone_at is None and not job.options.get("dry_run")
        return f"{reverse(LISTS[key], args=[job.study.slug])}?import_number={job.pk}" if has_list else ""

    rows = [
        Count(name, grouped(report[key]["added"]), there(key, report[key]["already_there"]), page(key))
        for key, name in KINDS.items()
        if key != "labels" or report[key] != {"added": 0, "already_there": 0}
    ]
    return [*rows, Count(_("Batches"), grouped(report["batches_added"]), "")]


def there(key: str, number: int) -> str:
    """Return how many rows of a kind were there before; empty for none. Files can come from other studies."""
    if not number:
        return ""
    said = _("%(n)s already stored") if key == "assets" else _("%(n)s already in the study")
    return said % {"n": grouped(number)}


def draws(job: Import) -> list[Draw]:
    """Return the random sample of the new pairs and the splits of the new prompts."""
    report = job.report or {}
    if not report.get("imported"):
        return []
    known = {
        "sampled": (
            _("Random sample"),
            _("of the new pairs. They were drawn at random, and several people answer each of them"),
        ),
        "train": (_("Training"), _("of the new prompts, for training models")),
        "test": (_("Testing"), _("of the new prompts, for testing models, together with their near-duplicates")),
        "excluded": (
            _("Excluded"),
            _("of the new prompts. They resemble both training and test prompts, so they are in neither set"),
        ),
    }
    numbers = {"sampled": report.get("sampled", 0)} | report.get("splits", {})
    return [Draw(name, grouped(numbers[key]), about) for key, (name, about) in known.items() if numbers.get(key)]


def outcome(job: Import) -> str:
    """Return the outcome in one line. It is empty while the import is open, or if the state says everything."""
    if job.state == Import.State.COLLECTING:
        collected = uploads.collected(job)
        values = {"complete": grouped(collected.complete), "files": grouped(collected.files)}
        return _("%(complete)s of %(files)s files uploaded") % values if collected.files else _("No files yet")
    if job.state == Import.State.FAILED:
        return _("Choose the encoding of the file names.") if readings(job) else reason(job)
    if job.state == Import.State.REFUSED:
        return ngettext("%(count)s problem", "%(count)s problems", job.bad_rows) % {"count": grouped(job.bad_rows)}
    report = job.report or {}
    if not report.get("imported"):
        return ""
    if job.undone_at is not None:
        return _("Undone on %(day)s.") % {"day": localtime(job.undone_at).strftime("%Y-%m-%d %H:%M")}
    new = {key: grouped(report[key]["added"]) for key in ("prompts", "videos", "pairs", "labels")}
    if set(new.values()) == {"0"}:
        return _("Nothing new: the study already had everything.")
    if new["labels"] != "0":
        return _("New: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s, labels %(labels)s") % new
    return _("New: prompts %(prompts)s, videos %(videos)s, pairs %(pairs)s") % new


def reason(job: Import) -> str:
    """Return why an import failed or waits, in the language of the reader. It is empty for other imports."""
    if not job.reason:
        return ""
    last = job.log[-1] if job.log else {}
    return worded(last.get("reason") or job.reason)


def warnings(job: Import) -> list[str]:
    """Return the warnings of an import in the language of the reader."""
    return [worded(one) for one in (job.report or {}).get("warnings", [])]


def facts(job: Import) -> dict[str, Any]:
    """Return what the import's page shows besides the row itself."""
    report = job.report or {}
    differing = report.get("differing", [])
    return {
        "unfinished": job.is_open,
        "sections": sections_of(job),
        "counts": counts(job),
        "draws": draws(job),
        "reason": reason(job),
        "warnings": warnings(job),
        "causes": causes(job),
        "bad": list(islice(single_rows(job), MOST_SHOWN)),
        "more_bad": single_count(job) > MOST_SHOWN,
        "bad_count": grouped(job.bad_rows),
        "differences": differing[:MOST_SHOWN],
        "difference_count": grouped(report.get("differences", 0)),
        "more_differences": report.get("differences", 0) > len(differing[:MOST_SHOWN]),
        "stages": stages(job.log, is_running=job.state == Import.State.RUNNING),
        "asked": asked(job.options),
        "card": card(job),
        "most_files": settings.UPLOAD_MOST_FILES,
        "code_pages": code_pages(job),
        "readings": readings(job),
    }


def readings(job: Import) -> list[tuple[str, str, str]]:
    """Return key, label and names of each likely encoding, if the import stopped to ask for the encoding of names."""
    last = job.log[-1] if job.log and job.state == Import.State.FAILED else {}
    return readings_asked(last.get("reason"))


def code_pages(job: Import) -> list[tuple[str, str, bool]]:
    """Return the encodings that can be chosen for an archive's names, each with whether it was used.

    There are none if the archive states the encoding of its names.
    """
    used = job.options.get("name_encoding") or (job.report or {}).get("name_encoding", "")
    if not used and CHOOSE not in job.reason:
        return []
    return [(key, label, key == used) for key, (label, _codec) in CODE_PAGES.items()]


def card(job: Import) -> JobCard:
    """Return what pages say about the import."""

    def link(name: str) -> str:
        return reverse(f"importing:{name}", args=[job.study.slug, job.public_id])

    is_collecting = job.state == Import.State.COLLECTING
    doing = str(job.get_state_display()) if is_collecting else stage_name(job.stage) or _("Running")
    return JobCard(
        **words(job, doing=doing, cancel=link("cancel")),
        title=_("Import %(number)s") % {"number": job.pk},
        about=job.location or str(job.get_source_display()),
        how_far=how_far(job),
        stages=stages(job.log, is_running=job.state == Import.State.RUNNING),
        outcome=outcome(job),
        page=link("import"),
        watch=link("progress"),
        cancel_ask=_("Cancel this import…"),
        cancel_label=_("Cancel the import"),
        cancel_about=_("The uploaded files are deleted. The study does not change.")
        if is_collecting
        else _("The import stops at its next step, and nothing is added to the study."),
        resume=link("again") if job.state in (Import.State.FAILED, Import.State.CANCELLED) else "",
        resume_label=_("Try again"),
    )


def how_far(job: Import) -> str:
    """Return how many steps of the present stage are done."""
    if job.state != Import.State.RUNNING or not job.steps_total:
        return ""
    return _("%(steps)s of %(total)s") % {"steps": grouped(job.steps), "total": grouped(job.steps_total)}


def stage_name(stage: str) -> str:
    """Return the name of a stage in the language of the reader."""
    return _(stage) if stage else ""


def asked(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the import's options with their values. Options that were not given follow the study."""
    pairs = options.get("pairs") or ""
    chosen = {
        "": _("the pairs in the manifest, or all pairs of each prompt’s videos if it lists none"),
        "all": _("all pairs of each prompt’s videos"),
        "listed": _("the pairs in the manifest"),
    }
    number = pairs.partition(":")[2]
    rows = [(_("Pairs"), chosen.get(pairs) or _("%(count)s per prompt, drawn at random") % {"count": number})]
    rows.append((_("Pairs per batch"), grouped(options.get("batch_size", 100))))
    rows.append(
        (_("Answers per pair"), grouped(options["overlap"]) if "overlap" in options else _("the study’s setting"))
    )
    if "name_encoding" in options:
        rows.append((_("File name encoding"), CODE_PAGES[options["name_encoding"]][0]))
    rows.append((_("Bad rows"), _("skip them") if options.get("skip_bad") else _("stop the import")))
    return rows


def bad_rows(job: Import) -> Iterator[dict[str, Any]]:
    """Yield all bad rows, each with its reason in the language of the reader. Yield none if their file is gone."""
    with suppress(FileNotFoundError):
        yield from _worded_rows(job)


def causes(job: Import) -> list[dict[str, Any]]:
    """Return the faults that many bad rows share, in the language of the reader."""
    found = (job.report or {}).get("causes", [])
    return [cause | {"reason": worded(cause["reason"])} for cause in found]


def single_count(job: Import) -> int:
    """Return the number of bad rows whose fault few rows share."""
    return job.bad_rows - sum(cause["total"] for cause in (job.report or {}).get("causes", []))


def single_rows(job: Import) -> Iterator[dict[str, Any]]:
    """Yield the bad rows whose fault few rows share, like `bad_rows`. The file is read no further than the last."""
    return islice((row for row in bad_rows(job) if not row.get("cause")), single_count(job))


def copy_as_jsonl(job: Import, target: CopyFile, cause: int | None = None) -> None:
    """Copy the bad rows as they are stored: English reasons, each with its template and values.

    Args:
        cause: the number of the shared fault whose rows are wanted. None for all rows.

    Raises FileNotFoundError and OSError.
    """
    for line in _lines(job):
        if cause is None or orjson.loads(line).get("cause") == cause:
            target.write(line)


def copy_as_csv(job: Import, target: CopyFile, cause: int | None = None) -> None:
    """Copy the bad rows as a table, like `copy_as_jsonl`, with reasons in the language of the reader."""
    wanted = (row for row in _worded_rows(job) if cause is None or row.get("cause") == cause)
    write_rows(BAD_ROW, ([row.get(name) for name in BAD_ROW] for row in wanted), target)


def _worded_rows(job: Import) -> Iterator[dict[str, Any]]:
    for row in map(orjson.loads, _lines(job)):
        sentence = {name: row.pop(name) for name in (MESSAGE, VALUES) if name in row}
        yield row | ({"reason": worded(sentence)} if sentence else {})


def _lines(job: Import) -> Iterator[bytes]:
    if not job.bad_rows:
        return
    with default_storage.open(job_progress.bad_rows_file(job)) as file:
        yield from file
