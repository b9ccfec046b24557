"""`manage.py publish_guideline STUDY --en FILE --zh-hans FILE`: publish a new version of a study's guideline."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.reading import publish_guideline
from diptych.refusals import Refused
from studies.documents.texts import LANGUAGES
from studies.management.text_files import read_text
from studies.models import Study


class Command(BaseCommand):
    help = (
        "Publish a new version of a study's guideline from Markdown files. Annotators read the changes before their "
        "next pair. Each file needs a section for every question and every tag. Missing sections are listed. "
        "Exit status: 0 if it was published, 1 if it was refused and nothing changed, 2 if an option is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="the study's short name, as in its address")
        for language in LANGUAGES:
            parser.add_argument(
                f"--{language}", dest=language, type=Path, metavar="FILE", help=f"the text in {language}"
            )

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        files = {language: options[language] for language in LANGUAGES if options[language]}
        if not files:
            raise CommandError(f"Name at least one file: --{' FILE, --'.join(LANGUAGES)} FILE.", returncode=2)
        texts = {language: read_text(path) for language, path in files.items()}
        try:
            version = publish_guideline(study, texts=texts, actor=None)
        except Refused as refusal:
            raise CommandError(f"Nothing was published.\n{refusal}", returncode=1) from None
        self.stdout.write(f"Version {version} of the guideline of {study.slug} is in force.")
        for language in LANGUAGES:
            if language not in files:
                self.stdout.write(
                    f"It has no text in {language}. People who work in that language read the other text."
                )
