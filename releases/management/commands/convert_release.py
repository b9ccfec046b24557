"""`manage.py convert_release safesora DIR --out DIR`: make an external release folder of a published dataset."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych_client.release_folder import FolderError
from diptych_client.release_folder.safesora import convert


class Command(BaseCommand):
    help = (
        "Makes a release folder of a published SafeSora dataset as downloaded, with its preferences, tags and split, "
        "and prints its manifest as JSON. What reads release folders reads it too. It needs no database. "
        "Exit status: 0 made; 2 the dataset cannot be read, or the folder is not empty."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=["safesora"])
        parser.add_argument("dataset", type=Path, help="the downloaded folder, the folder above, or a hub's cache")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
        parser.add_argument("--title", default="SafeSora", help="title of the dataset; default: SafeSora")
        parser.add_argument("--licence", default="", help="licence of the dataset, such as CC-BY-NC-4.0")

    def handle(self, **options: Any) -> None:
        about = {name: options[name] for name in ("title", "licence")}
        try:
            done = convert(options["dataset"], options["out"], **about, before_config=self.announce)
        except FolderError as error:
            raise CommandError(str(error), returncode=2) from None
        if done.left_out:
            left_out = options["out"] / "left_out.jsonl"
            self.stderr.write(f"{done.left_out.total()} records were left out. {left_out} lists them with the reasons.")
        self.stdout.write(json.dumps(done.manifest, indent=2, sort_keys=True, ensure_ascii=False))

    def announce(self, path: str) -> None:
        """Say which config is read next."""
        self.stderr.write(f"Reading {path}")
