"""`manage.py appoint_officer USERNAME [--study SLUG] [--until DATE]`: appoint a safety officer."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from diptych.refusals import Refused
from safety import officers
from safety.forms import end_of
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Appoints a safety officer for one study or for the whole installation. Safety officers open reports of "
        "illegal material and decide on them. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--study", metavar="SLUG", help="only for this study (default: the whole installation)")
        parser.add_argument(
            "--until",
            type=date.fromisoformat,
            metavar="DATE",
            help="the day on which the appointment ends, for example 2027-01-31 (default: until somebody ends it)",
        )

    def handle(self, *args: Any, username: str, study: str | None, until: date | None, **options: Any) -> None:
        person = person_called(username)
        try:
            officer = officers.appoint(person, study_called(study), by=None, until=end_of(until))
        except Refused as trouble:
            raise CommandError(str(trouble)) from None
        end = f" until {officer.until:%Y-%m-%d}" if officer.until else ""
        self.stdout.write(f"{username} is a safety officer of {study or 'the whole installation'}{end}.")


def person_called(username: str) -> User:
    """Return the person. Raises CommandError."""
    person = User.objects.filter(username=username).first()
    if person is None:
        raise CommandError(f"There is no user called {username}. Check the spelling of the username.")
    return person


def study_called(slug: str | None) -> Study | None:
    """Return the study, or None for the whole installation. Raises CommandError."""
    if slug is None:
        return None
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        raise CommandError(f"There is no study {slug!r}. Check the spelling of --study.")
    return study
