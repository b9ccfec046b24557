"""`diptych-server migrate`: Django's own command, which makes a new database in seconds (see `migration_states`)."""

from typing import Any

from django.core.management.commands import migrate

from diptych.database.migration_states import few_classes_are_made


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        with few_classes_are_made():
            return super().handle(*args, **options)
