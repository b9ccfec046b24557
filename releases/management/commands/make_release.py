"""`manage.py make_release --study SLUG …`: make a release of a study, or write the files of one again."""

import json
import tempfile
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from jobs.progress_bar import Bar
from releases import filters, formats, making, videos
from releases.filters import PROMPT_TYPES, Decision, Reviewed
from releases.folders import copy_stored
from releases.models import Release
from studies.models import Study


def column(given: str) -> tuple[str, str]:
    """Return the name and the question of an argument COLUMN=QUESTION. Raise ArgumentTypeError."""
    name, is_given, question = given.partition("=")
    if not is_given:
        raise ArgumentTypeError(f"{given} is not COLUMN=QUESTION, such as MQ=informativeness")
    return name, question


class Command(BaseCommand):
    help = (
        "Makes a release of a study and prints its manifest as JSON. Without options it has the answers of accepted "
        "lots. If the command is stopped, a worker makes the release to its end. With --rebuild it writes the files of "
        "an earlier release again and compares them. "
        "Exit status: 0 made, or rebuilt with the same bytes; 1 the release failed, or the bytes differ; 2 an option "
        "is wrong or nothing would be in the release."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--licence", default="", help="licence of the release, such as CC-BY-4.0")
        parser.add_argument("--terms", default="", help="what those who use the release agree to")
        parser.add_argument(
            "--licence-reason", default="", help="why it may have a licence that the table cannot judge"
        )
        parser.add_argument(
            "--format", nargs="+", default=[], metavar="NAME", dest="formats", help="default: jsonl frames"
        )
        parser.add_argument("--videos", action="store_true", help="also the videos, in archives of about 1 GB")
        parser.add_argument("--loose", action="store_true", help="also the videos, as single files")
        parser.add_argument(
            "--videoreward",
            nargs="+",
            type=column,
            default=[],
            metavar="COLUMN=QUESTION",
            help="which question a column of the VideoReward CSV has, such as MQ=informativeness",
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="also write the files into this folder")
        parser.add_argument("--rebuild", type=int, metavar="N", help="write the files of release N again")
        parser.add_argument("--parent", type=int, metavar="N", help="the release that it follows")
        parser.add_argument("--decisions", nargs="+", choices=Decision.values, help="default: accepted")
        parser.add_argument("--lots", nargs="+", type=int, default=[], metavar="N", help="only these lots")
        parser.add_argument("--reviewed", choices=Reviewed.values, help="default: any")
        parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="first day, in UTC")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="last day, in UTC")
        parser.add_argument("--languages", nargs="+", default=[], metavar="CODE")
        parser.add_argument("--prompt-types", nargs="+", default=[], choices=PROMPT_TYPES)
        parser.add_argument("--protocol-versions", nargs="+", type=int, default=[], metavar="N")
        parser.add_argument("--with-invalid", action="store_true", help="also a file of the invalid answers")
        parser.add_argument("--with-comments", action="store_true", help="also the text that people wrote")
        parser.add_argument("--with-times", action="store_true", help="times instead of days")
        parser.add_argument(
            "--with-weights", action="store_true", help="reliability weights of answers; not to publish"
        )

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']}.", returncode=2)
        try:
            if options["rebuild"] is not None:
                self.rebuild(study, options["rebuild"], options["out"])
            else:
                self.make(study, options)
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=2) from None

    def make(self, study: Study, options: dict[str, Any]) -> None:
        names = ("decisions", "lots", "reviewed", "since", "until", "languages", "prompt_types", "protocol_versions")
        wanted = making.Wanted(
            filter=filters.checked(study, **{name: options[name] for name in names if options[name]}),
            formats=self.formats(options),
            options={"videoreward": dict(options["videoreward"])},
            **{name: options[name] for name in ("licence", "licence_reason", "terms", "parent")},
            **{name: options[name] for name in ("with_invalid", "with_comments", "with_times", "with_weights")},
        )
        release = making.ask(study, wanted, actor=None, announce=False)
        bar = Bar(shown=True)
        try:
            making.run(release.pk, bar)
        finally:
            bar.end()
        release.refresh_from_db()
        if release.state != Release.State.DONE:
            said = release.reason or f"it is {release.state}"
            raise CommandError(f"Release {release.number} was not made: {said}", returncode=1)
        if options["out"] is not None:
            copy_stored(release.files.order_by("path"), options["out"])
        self.stdout.write(json.dumps(release.manifest, indent=2, sort_keys=True, ensure_ascii=False))

    def formats(self, options: dict[str, Any]) -> list[str]:
        """Return the names of the formats that the options name."""
        more = {videos.VIDEOS: options["videos"] and not options["loose"], videos.SINGLE_VIDEOS: options["loose"]}
        return [*(options["formats"] or formats.defaults()), *(name for name, wanted in more.items() if wanted)]

    def rebuild(self, study: Study, number: int, out: Path | None) -> None:
        release = Release.objects.filter(study=study, number=number).select_related("study", "parent").first()
        if release is None:
            raise CommandError(f"Study {study.slug} has no release {number}.", returncode=2)
        with tempfile.TemporaryDirectory() as folder:
            different = making.rebuild(release, out or Path(folder))
        if different:
            raise CommandError(f"These files have other bytes than release {number}: {', '.join(different)}")
        self.stdout.write(f"Release {number} was written again with the same bytes.")
