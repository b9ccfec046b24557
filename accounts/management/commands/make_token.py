"""`manage.py make_token USERNAME --name NAME --scope SCOPE`: make an API token for a person."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.tokens import LIFETIME, LIFETIMES_DAYS, SCOPES, make_named_token
from diptych.refusals import BadInput


class Command(BaseCommand):
    help = (
        "Makes an API token for a person and prints one JSON object: id, username, name, scopes, expires, token. "
        "The token is shown only once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="what the token is for, such as the program that uses it")
        parser.add_argument(
            "--scope", required=True, action="append", choices=SCOPES, help="give this option once for each scope"
        )
        parser.add_argument(
            "--days", type=int, default=LIFETIME.days, help=f"1 to {LIFETIMES_DAYS[-1]} (default: {LIFETIME.days})"
        )

    def handle(self, *args: Any, username: str, name: str, scope: list[str], days: int, **options: Any) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no user called {username!r}. Check the spelling.")
        if not 1 <= days <= LIFETIMES_DAYS[-1]:
            raise CommandError(f"--days is {days}. It must be 1 to {LIFETIMES_DAYS[-1]}.")
        if not 1 <= len(name.strip()) <= 80:
            raise CommandError(f"--name has {len(name.strip())} characters. It must have 1 to 80.")
        try:
            token = make_named_token(person, scopes=scope, name=name.strip(), days=days)
        except BadInput as trouble:
            raise CommandError(str(trouble)) from None
        row = token.row
        made = {
            "id": str(row.public_id),
            "username": username,
            "name": row.name,
            "scopes": row.scopes,
            "expires": row.expiry.isoformat(),
            "token": token.text,
        }
        self.stdout.write(json.dumps(made))
