"""`manage.py import_study PATH --study SLUG`: import prompts, videos and pairs into a study."""

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.models import User
from diptych.disk_space import EXIT_STATUS, is_full, sentence
from diptych.refusals import Refused
from diptych.strict_json import readable
from importing.job_work import run_here
from importing.pairing import PairChoice
from importing.report import ImportReport
from importing.study import ImportOptions
from jobs.progress_bar import Bar
from sources.causes import causes_of, numbered, summary
from sources.name_encodings import CODE_PAGES
from sources.s3 import is_address

MOST_BAD_SHOWN = 50
NO_ROOM_ADVICE = "Nothing was imported. Free space on that disk, and run the command again."


class Command(BaseCommand):
    help = (
        "Imports prompts, videos and pairs. PATH is one of these: a JSONL manifest "
        "(sources/schemas/manifest.schema.json), plain or gzipped; the same as a JSON array; a folder with "
        "manifest.jsonl; a folder with one subfolder for each prompt (prompt.txt with the text, and the videos next "
        "to it); a folder in the SafeSora layout; a .tar, .tar.gz, .tgz or .zip of one of these; an address "
        "s3://bucket/key. Importing again adds what is new and changes nothing else. The import is listed with the "
        "study's imports. If the command was killed, run it again: it continues where it stopped. Exit status: 0 "
        "imported; 1 bad rows, nothing imported; 2 PATH or an option is wrong; 3 a disk is full, nothing imported."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH")
        parser.add_argument("--study", required=True, metavar="SLUG", help="the study")
        parser.add_argument(
            "--create",
            action="store_true",
            help="create the study, paused; needs --owner",
        )
        parser.add_argument(
            "--owner", default="", metavar="NAME", help="username of the admin and researcher of the new study"
        )
        parser.add_argument("--title", default="", help="title of a new study (default: its slug)")
        parser.add_argument(
            "--pairs",
            type=choice,
            metavar="all|listed|random:N",
            help="which pairs: all pairs of each prompt's videos, the manifest's pair lines, or N per prompt drawn "
            "by seed (default: listed if the manifest has pair lines, else all)",
        )
        parser.add_argument("--batch-size", type=int, default=100, metavar="N", help="pairs per batch (default: 100)")
        parser.add_argument(
            "--overlap", type=int, metavar="N", help="answers wanted for each new pair (default: the study's)"
        )
        parser.add_argument("--seed", type=int, help="seed of random draws (default: the study's)")
        parser.add_argument(
            "--name-encoding",
            default="",
            choices=list(CODE_PAGES),
            help="encoding of file names in an archive that does not state it (default: the paths of the manifest "
            "decide, or the command stops and shows how the names read)",
        )
        parser.add_argument("--skip-bad", action="store_true", help="import the good rows even if others are bad")
        parser.add_argument(
            "--dry-run", action="store_true", help="check the files and report problems without importing anything"
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON, with all bad rows")

    def handle(self, *, path: str, study: str, **options: Any) -> None:
        names = ("title", "pairs", "batch_size", "overlap", "seed", "skip_bad", "dry_run", "name_encoding")
        chosen = ImportOptions(**{name: options[name] for name in names})
        if wrong := [given for given in (path, study, options["title"]) if readable(given) != given]:
            raise CommandError(f"{readable(wrong[0])} is not UTF-8. Rename it, or type it in UTF-8.", returncode=2)
        try:
            location = path if is_address(path) else str(Path(path).absolute())
            owner = owner_of(create=options["create"], name=options["owner"])
            report = run_here(location, study, options=chosen, shown=Bar(shown=not options["json"]), owner=owner)
        except Refused as trouble:
            if is_full(trouble):
                raise CommandError(f"{trouble} {NO_ROOM_ADVICE}", returncode=EXIT_STATUS) from None
            raise CommandError(str(trouble), returncode=2) from None
        except DatabaseError as trouble:
            if is_full(trouble):
                raise CommandError(sentence(trouble), returncode=EXIT_STATUS) from None
            raise
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            self.show_complaints(report)
            if report.imported:
                self.show_counts(report)
        if not report.imported:
            raise CommandError(refusal(report, skip_bad=options["skip_bad"]), returncode=1)

    def show_complaints(self, report: ImportReport) -> None:
        """Write bad rows, differences and warnings to stderr."""
        for cause in causes_of(report.bad):
            self.stderr.write(f"{summary(cause)} Use --json to see all of them.")
        single = [bad for bad, cause in numbered(report.bad) if not cause]
        for bad in single[:MOST_BAD_SHOWN]:
            self.stderr.write(str(bad))
        if len(single) > MOST_BAD_SHOWN:
            self.stderr.write(f"… and {len(single) - MOST_BAD_SHOWN} more problems. Use --json to see all.")
        for row in report.differences[:MOST_BAD_SHOWN]:
            where = row.file if row.line is None else f"{row.file}, line {row.line}"
            self.stderr.write(
                f"{where}: {row.kind} {row.id} differs: {', '.join(row.fields)}. The study was not changed."
            )
        if len(report.differences) > MOST_BAD_SHOWN:
            self.stderr.write(
                f"… and {len(report.differences) - MOST_BAD_SHOWN} more differences. Use --json to see all."
            )
        for warning in report.warnings:
            self.stderr.write(warning)

    def show_counts(self, report: ImportReport) -> None:
        """Write how many rows of each kind were added."""
        what = "The new study" if report.study_created else "Study"
        self.stdout.write(f"{what} {report.study} {'would get' if report.dry_run else 'got'}:")
        for name in ("prompts", "videos", "assets", "pairs", "labels"):
            tally = getattr(report, name)
            shown, there = ("files", "stored") if name == "assets" else (name, "in the study")
            self.stdout.write(f"  {shown:8}{tally.added:>9} new {tally.already_there:>9} already {there}")
        self.stdout.write(f"  batches {report.batches_added:>9} new")
        if report.bad:
            self.stdout.write(f"  skipped bad rows, with {problems(report)}")
        if report.study_created:
            self.stdout.write(
                "The study is paused. An admin or researcher can resume it on its page under Settings, State."
            )


def owner_of(*, create: bool, name: str) -> User | None:
    """Return the owner of the new study, or None if no study is created. Raises Refused."""
    if create != bool(name):
        raise Refused("Use --create and --owner NAME together: the named person will run the new study.")
    if not create:
        return None
    owner = User.objects.filter(username=name, is_active=True).first()
    if owner is None:
        raise Refused(f"There is no active account with the username {name}.")
    return owner


def problems(report: ImportReport) -> str:
    """Return how many problems the bad rows have. A row can have several."""
    return f"{len(report.bad)} problem{'s' if len(report.bad) != 1 else ''}"


def refusal(report: ImportReport, *, skip_bad: bool) -> str:
    """Return why nothing was imported."""
    count = problems(report)
    if skip_bad:
        return f"Nothing was imported: {count}, and without these no prompt is left."
    return f"Nothing was imported: {count}. Correct them, or import the other rows with --skip-bad."


def choice(text: str) -> PairChoice:
    """Parse --pairs for argparse."""
    try:
        return PairChoice.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
