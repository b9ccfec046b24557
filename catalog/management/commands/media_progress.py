"""`manage.py media_progress --study SLUG`: how far the preparation of a study's videos is."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Max, Sum
from tqdm import tqdm

from catalog.models import Asset, Study, Video

LOOK_EVERY_S = 0.5
PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Distinct files of a study by state; the same bytes under two prompts are prepared once."""

    pending: int = 0
    processing: int = 0
    ready: int = 0
    failed: int = 0

    @property
    def unfinished(self) -> int:
        return self.pending + self.processing


class Command(BaseCommand):
    help = (
        "Says how many of a study's videos are pending, processing, ready and failed, and why they failed. "
        "Exit status: 0; with --wait, 1 if nothing moved for two minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--wait", action="store_true", help="draw a bar until every video is ready or failed")
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE_S,
            metavar="SECONDS",
            help="how long --wait bears that nothing moves (default: 120)",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        if options["wait"]:
            self.wait(study, options["patience"], shown=not options["json"])
        counts = count(study)
        failed = failures(study)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(counts) | {"failures": failed}))
            return
        said = ", ".join(f"{number} {state}" for state, number in asdict(counts).items())
        self.stdout.write(f"Videos of {study.slug}: {said}.")
        for failure in failed:
            self.stderr.write(f"{failure['video']}: {failure['reason']}")

    def wait(self, study: Study, patience: float, *, shown: bool) -> None:
        """Returns when nothing is unfinished. Raises CommandError if nothing moves for `patience` seconds."""
        moved_at, last = time.monotonic(), None
        counts = count(study)
        total = sum(asdict(counts).values())
        hidden = not (shown and sys.stderr.isatty())
        with tqdm(desc="Preparing videos", total=total, disable=hidden, file=sys.stderr) as bar:
            while counts.unfinished:
                signs = (counts, signs_of_life(study))
                if signs != last:
                    moved_at, last = time.monotonic(), signs
                elif time.monotonic() - moved_at > patience:
                    raise CommandError(
                        f"Nothing has moved for {patience:.0f} seconds while videos wait ({counts.unfinished}): "
                        "it seems that no worker runs. Start one: celery -A diptych worker -Q default,media",
                        returncode=1,
                    )
                bar.update(counts.ready + counts.failed - bar.n)
                time.sleep(LOOK_EVERY_S)
                counts = count(study)
            bar.update(counts.ready + counts.failed - bar.n)


def count(study: Study) -> Counts:
    rows = Video.objects.filter(study=study).values("asset__state").annotate(n=Count("asset", distinct=True))
    return Counts(**dict(rows.order_by().values_list("asset__state", "n")))


def signs_of_life(study: Study) -> tuple[Any, ...]:
    """What a worker changes while it is at a video, so that one long video is not taken for none at work."""
    assets = Asset.objects.filter(videos__study=study, state__in=["pending", "processing"])
    return tuple(assets.aggregate(Max("heartbeat_at"), Sum("attempts")).values())


def failures(study: Study) -> list[dict[str, str]]:
    rows = Video.objects.filter(study=study, asset__state=Asset.State.FAILED).order_by("pk")
    return [{"video": video, "reason": reason} for video, reason in rows.values_list("public_id", "asset__reason")]
