"""`manage.py dismiss_officer USERNAME [--study SLUG]`: end an appointment as safety officer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from safety import officers
from safety.management.commands.appoint_officer import person_called, study_called
from safety.models import Officer


class Command(BaseCommand):
    help = "Ends the appointment of a safety officer at once. Their records and decisions stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--study", metavar="SLUG", help="the appointment for this study (default: for all)")

    def handle(self, *args: Any, username: str, study: str | None, **options: Any) -> None:
        person, where = person_called(username), study_called(study)
        name = study or "the whole installation"
        officer = Officer.objects.of(person.pk).filter(study=where).select_related("study").first()
        if officer is None or not officers.dismiss(officer, by=None):
            raise CommandError(f"{username} is not a safety officer of {name}. Nothing was changed.")
        self.stdout.write(f"{username} is no longer a safety officer of {name}.")
