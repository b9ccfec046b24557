"""`manage.py remove_second_factor USERNAME`: for somebody who lost their app and their backup codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import second_factor
from accounts.models import User


class Command(BaseCommand):
    help = "Takes a person's second factor away. Make sure first that it is really they who ask."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is nobody called {username}.")
        second_factor.remove(person)
        self.stdout.write(f"{username} has no second factor now, and sets up a new one when it is next asked for.")
