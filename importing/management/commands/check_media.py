"""`manage.py check_media`: compare rows with storage, and with --mend repair differences."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from importing.storage_check import KINDS, Difference, differences, mend
from jobs.progress_bar import Bar
from media.models import Asset


class Command(BaseCommand):
    help = (
        "Lists differences between rows and storage: renditions and originals that are missing or of another size, "
        "files that no row names or that are incomplete (if they are a day old), and files of videos in quarantine "
        "that are outside it. Imports and workers can run meanwhile. Quarantine is not checked. Exit status: 0 no "
        "differences, or all repaired; 1 some differences remain; 2 the check failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--mend",
            action="store_true",
            help="prepare damaged videos again, and delete files that no row names and that are a day old",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help='{"differences": [{"kind": …, "name": in storage, "asset": …, "mended": what was done}, …]}',
        )

    def handle(self, **options: Any) -> None:
        if options["mend"] and not Asset.objects.exists():
            raise CommandError(
                "The database names no files, so --mend would delete every file. Is it the right database?",
                returncode=2,
            )
        bar = Bar(shown=not options["json"])
        found = []
        try:
            for difference in differences(bar):
                found.append(mend(difference) if options["mend"] else difference)
                if not options["json"]:
                    self.stdout.write(line(found[-1]))
        except (OSError, BotoCoreError, ClientError) as error:
            raise CommandError(f"Storage cannot be read or written: {error}.", returncode=2) from error
        finally:
            bar.end()
        if options["json"]:
            self.stdout.write(json.dumps({"differences": [asdict(one) for one in found]}))
        else:
            self.show_summary(found)
        if not all(one.mended for one in found):
            raise CommandError("Rows and storage differ.", returncode=1)

    def show_summary(self, found: list[Difference]) -> None:
        """Write how many differences of each kind there are, and what people can do."""
        if not found:
            self.stdout.write("Rows and storage agree.")
        for kind, number in sorted(Counter(one.kind for one in found).items()):
            self.stdout.write(f"{number} {kind}: {KINDS[kind]}.")


def line(difference: Difference) -> str:
    """Return one difference as a line of text."""
    of_asset = f" of asset {difference.asset[:8]}" if difference.asset else ""
    return f"{difference.kind}{of_asset}: {difference.name}{' ' if difference.mended else ''}{difference.mended}"
