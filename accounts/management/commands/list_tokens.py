"""`manage.py list_tokens [USERNAME]`: list API tokens."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AccessToken, User
from diptych.database.natural import Natural


class Command(BaseCommand):
    help = (
        "Lists API tokens, one JSON object per line: id, username, name, scopes, created, last_used_on, expires, "
        "expired. The text of a token is not stored, so it is not listed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", nargs="?", default="", help="only the tokens of this person")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        rows = AccessToken.objects.select_related("user").order_by(Natural("user__username"), "user_id", "expiry")
        if username:
            if not User.objects.filter(username=username).exists():
                raise CommandError(f"There is no user called {username!r}. Check the spelling.")
            rows = rows.filter(user__username=username)
        for row in rows.iterator():
            facts = {
                "id": str(row.public_id),
                "username": row.user.username,
                "name": row.name,
                "scopes": row.scopes,
                "created": row.created.isoformat(),
                "last_used_on": row.last_used_on and row.last_used_on.isoformat(),
                "expires": row.expiry.isoformat(),
                "expired": row.is_expired,
            }
            self.stdout.write(json.dumps(facts))
