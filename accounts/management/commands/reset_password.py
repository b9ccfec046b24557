"""`manage.py reset_password USERNAME`: replace a forgotten password by a one-time one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.people import new_password, reset_password


class Command(BaseCommand):
    help = (
        "Replaces a person's password by a one-time password, prints it, and ends the person's sessions and API "
        "tokens. Make sure first that it is really they who ask."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is nobody called {username!r}.")
        password = new_password()
        reset_password(person, password)
        self.stdout.write(password.text)
