"""`manage.py make_example_study`: make the study *Example: simulated answers* with lots, releases and models."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.example import making
from diptych.refusals import Refused


class Command(BaseCommand):
    help = (
        "Make the study “example”: simulated people answer and review, lots are accepted, and releases and models "
        "follow. It needs workers for the queues default, media and gpu, and takes minutes. If you run it again, it "
        "goes on where it was. Exit status: 0; 1 if a step failed."
    )

    def handle(self, **_options: Any) -> None:
        try:
            making.make(settings.HOME, lambda text: self.stdout.write(text))
        except (Refused, RuntimeError, OSError) as trouble:
            raise CommandError(f"The example could not be made: {trouble}") from trouble
