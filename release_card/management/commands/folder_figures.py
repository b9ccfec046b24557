"""`manage.py folder_figures`: compute the figures of a release folder."""

from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych_client.release_folder import FolderError, Release


class Command(BaseCommand):
    help = (
        "Prints the figures of a release folder as JSON, as card.json has them: shares and correlations of tags and "
        "preferences, tension, generators, and programs compared with people. The folder is a release with the format "
        "jsonl, or one that `diptych convert` made of a published dataset. It needs no rows of the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="the release folder")

    def handle(self, **options: Any) -> None:
        from release_card.figures import folders  # it loads numpy

        try:
            found = folders.figures_of(Release.open(options["folder"]))
        except FolderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())
