"""`manage.py add_people --study SLUG …`: add people to a study, with one-time passwords and API tokens."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from jobs.progress_bar import Bar
from studies.management.people_csv import read_people
from studies.models import Study
from studies.people import TOKEN_SCOPES, Added, add_named, add_numbered


class Command(BaseCommand):
    help = (
        "Adds people to a study and prints one JSON object for each: username, outcome, password, token, role, study, "
        "expires. The outcome is created (a new account), granted (a further role for a person in the study), invited "
        "(an account that is not in the study: the person can accept or decline) or unchanged. A password is for one "
        "sign-in. Passwords and tokens are shown only once. "
        "Exit status: 0 added; 1 bad lines in the CSV file, nobody added; 2 an option is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--role", default="", help=f"one of {', '.join(TOKEN_SCOPES)}")
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--count", type=int, metavar="N", help="add this many people with numbered usernames")
        how.add_argument(
            "--csv",
            type=Path,
            metavar="FILE",
            help="add the people in a CSV file. Its first line has the columns username, and optionally email and role "
            "(default: --role). People who have an account are invited",
        )
        parser.add_argument("--prefix", default="", help="start of numbered usernames (default: the role)")
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of a line per person")

    def handle(self, **options: Any) -> None:
        bar = Bar(shown=not options["json"])
        try:
            study = Study.objects.filter(slug=options["study"]).first()
            if study is None:
                raise Refused(
                    f"There is no study {options['study']!r}. Check the name; import_study --create makes one."
                )
            added = self.add(study, bar, options)
        except Refused as trouble:
            raise CommandError(str(trouble), returncode=2) from None
        finally:
            bar.end()
        people = [one.as_json() for one in added]
        if options["json"]:
            self.stdout.write(json.dumps({"people": people, "bad": []}))
            return
        for person in people:
            self.stdout.write(json.dumps(person))

    def add(self, study: Study, bar: Bar, options: dict[str, Any]) -> list[Added]:
        if options["csv"] is None:
            bar.begin("Adding people", max(0, options["count"]))
            return add_numbered(
                study,
                role=options["role"],
                count=options["count"],
                prefix=options["prefix"],
                progress=bar.advance,
            )
        wanted, bad = read_people(options["csv"], options["role"])
        if bad:
            if options["json"]:
                self.stdout.write(json.dumps({"people": [], "bad": [line._asdict() for line in bad]}))
            for line in bad:
                self.stderr.write(f"{options['csv']}, {line}")
            count = f"{len(bad)} bad line{'s' if len(bad) != 1 else ''}"
            raise CommandError(f"Nobody was added: {count}. Correct them and run this again.", returncode=1)
        bar.begin("Adding people", len(wanted))
        return add_named(study, wanted, progress=bar.advance)
