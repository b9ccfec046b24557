"""`manage.py changepassword USERNAME`: Django's command, which here also ends the person's API tokens."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.tokens import revoke_all


class Command(changepassword.Command):
    """A command that also revokes all tokens, because the password of somebody else is set."""

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> Any:
        options["username"] = options["username"] or getpass.getuser()
        said = super().handle(*args, **options)
        person = User.objects.get(username=options["username"])
        audit.record("user.password_reset", person, actor=None, after={"one_time_password": False})
        revoke_all(person, actor=None)
        return said
