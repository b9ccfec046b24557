"""`manage.py revoke_token ID`: end an API token immediately."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AccessToken
from accounts.tokens import revoke


class Command(BaseCommand):
    help = "Ends an API token at once. Run list_tokens to see the ids."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id")

    def handle(self, *args: Any, id: str, **options: Any) -> None:
        try:
            token = AccessToken.objects.select_related("user").filter(public_id=uuid.UUID(id)).first()
        except ValueError:
            token = None
        if token is None or not revoke(token, actor=None):
            raise CommandError(f"There is no token {id}. Run list_tokens to see the ids.")
        self.stdout.write(f"The token “{token.name}” of {token.user.username} is revoked.")
