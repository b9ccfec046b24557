"""`manage.py undo_import NUMBER`: remove what an import added."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from importing.models import Import
from removal import orders
from removal.pages import outcome


class Command(BaseCommand):
    help = (
        "Removes what an import added, as long as none of its pairs was served to anyone. NUMBER is on the import's "
        "page and in the columns `import` of the library's CSV files. If there are many rows, a worker removes them. "
        "Exit status: 0 removed, or left to a worker; 1 nothing was removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, metavar="NUMBER", help="the number of the import")

    def handle(self, *, number: int, **_options: Any) -> None:
        job = Import.objects.select_related("study").filter(pk=number).first()
        if job is None:
            raise CommandError(f"There is no import {number}.")
        try:
            removal = orders.undo_import(job, actor=None)
        except Refused as trouble:
            raise CommandError(str(trouble)) from None
        if removal.state == removal.State.FAILED:
            raise CommandError(removal.reason)
        result = outcome(removal) if removal.state == removal.State.DONE else "A worker will remove it."
        self.stdout.write(f"Import {number} of study {removal.study_slug}. {result}")
