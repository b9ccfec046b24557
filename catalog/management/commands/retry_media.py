"""`manage.py retry_media --study SLUG`: prepare failed videos again."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.media_retry import retry_failed
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Puts the failed videos of a study back in the queue, and ends the hold of pairs that were held only because "
        "of them, in every study with the same files. A video that cannot be played fails again, and its pairs are "
        "held again. media_progress reports the progress. "
        "Exit status: 0, also if no video had failed; 2 if there is no such study."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help='{"study": …, "videos": how many, "pairs": how many}')

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        retried = retry_failed(study)
        if options["json"]:
            self.stdout.write(json.dumps({"study": study.slug} | retried._asdict()))
        elif not retried.videos:
            self.stdout.write(f"No video of {study.slug} has failed.")
        else:
            self.stdout.write(
                f"Videos of {study.slug} that are prepared again: {retried.videos}. Pairs released: {retried.pairs}."
            )
