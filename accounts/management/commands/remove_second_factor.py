"""`manage.py remove_second_factor USERNAME`: for a person who lost their app and their backup codes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import second_factor
from accounts.models import User


class Command(BaseCommand):
    help = "Removes a person's second factor. First make sure that the request really comes from that person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no user called {username}. Check the spelling.")
        second_factor.remove(person)
        self.stdout.write(f"{username} has no second factor now. They set up a new one the next time it is needed.")
