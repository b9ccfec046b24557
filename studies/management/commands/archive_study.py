"""`manage.py archive_study SLUG`: hide a study from lists, or unarchive it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.archiving import archive, bring_back
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Hides a study from all lists, and pauses it if it runs. Nothing is deleted: its data can still be read and "
        "exported, and --bring-back shows it again. Repeating it is harmless."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the study")
        parser.add_argument("--bring-back", action="store_true", help="show an archived study in lists again")

    def handle(self, *, slug: str, **options: Any) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"There is no study {slug}.")
        if options["bring_back"]:
            changed, done = bring_back(study, actor=None), "is shown in lists"
        else:
            changed, done = archive(study, actor=None), "is archived"
        self.stdout.write(f"Study {slug} {done}." if changed else f"Study {slug} already {done}. Nothing was changed.")
