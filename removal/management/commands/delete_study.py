"""`manage.py delete_study SLUG --confirm SLUG`: delete a study of which no pair was served."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from removal import orders
from removal.pages import outcome
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Deletes a study with its material, settings and roles, as long as none of its pairs was served to anyone. "
        "People's accounts are kept. If there are many rows, a worker deletes them. Exit status: 0 deleted, or left "
        "to a worker; 1 nothing was deleted. `archive_study` hides a study and deletes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument("--confirm", default="", metavar="SLUG", help="the same slug again")

    def handle(self, *, slug: str, confirm: str, **_options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"There is no study {slug}.")
        if confirm != slug:
            raise CommandError(f"This deletes the study permanently. To delete it, add --confirm {slug}.")
        try:
            removal = orders.delete_study(study, actor=None)
        except Refused as trouble:
            raise CommandError(str(trouble)) from None
        if removal.state == removal.State.FAILED:
            raise CommandError(removal.reason)
        done = removal.state == removal.State.DONE
        self.stdout.write(
            f"Study {slug} was deleted. {outcome(removal)}" if done else f"A worker will delete study {slug}."
        )
