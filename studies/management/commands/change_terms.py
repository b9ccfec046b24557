"""`manage.py change_terms STUDY --harms KEY,KEY --en FILE --zh-hans FILE`: change the terms of a study."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from studies.documents.texts import LANGUAGES
from studies.harms import HARM_KEYS
from studies.management.text_files import read_text
from studies.models import Study
from studies.terms import change_terms


class Command(BaseCommand):
    help = (
        "Changes the harms that a study may show, its consent text, or both. Everybody sees the changes and is "
        "asked again before their next pair. Exit status: 0 in force, 1 refused, 2 an option is wrong. "
        f"The harms: {', '.join(HARM_KEYS)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="the study's short name, as in its address")
        parser.add_argument("--harms", metavar="KEY,KEY", help="harms its videos may show: keys, `all` or `none`")
        for language in LANGUAGES:
            parser.add_argument(
                f"--{language}", dest=language, type=Path, metavar="FILE", help=f"the consent text in {language}"
            )

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        texts = {language: read_text(options[language]) for language in LANGUAGES if options[language]}
        if options["harms"] is None and not texts:
            raise CommandError("Give --harms, or a text in at least one language.", returncode=2)
        before = study.consent_version
        try:
            version = change_terms(study, categories=harms_named(options["harms"]), texts=texts or None)
        except Refused as refusal:
            raise CommandError(f"Nothing was changed.\n{refusal}", returncode=1) from None
        if version == before:
            self.stdout.write(f"{study.slug} already has these terms. Nobody is asked again.")
            return
        self.stdout.write(f"Version {version} of the terms of {study.slug} is in force. Everybody is asked again.")


def harms_named(text: str | None) -> list[str] | None:
    """Return the keys of `--harms`. None means no change."""
    if text is None:
        return None
    words = {"all": list(HARM_KEYS), "none": []}
    return words.get(text, [key.strip() for key in text.split(",") if key.strip()])
