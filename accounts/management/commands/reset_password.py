"""`manage.py reset_password USERNAME`: replace a forgotten password with a one-time password."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.people import new_password, reset_password


class Command(BaseCommand):
    help = (
        "Replaces a person's password with a one-time password, prints it, and ends the person's sessions and API "
        "tokens. First make sure that the request really comes from that person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no user called {username!r}. Check the spelling.")
        password = new_password()
        reset_password(person, password)
        self.stdout.write(password.text)
