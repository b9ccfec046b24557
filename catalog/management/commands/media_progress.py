"""`manage.py media_progress --study SLUG`: how far the preparation of a study's videos is."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Max, QuerySet, Sum
from tqdm import tqdm

from catalog.importing.schema import shorten
from catalog.models import Asset, Study, Video

LOOK_EVERY_S = 0.5
PATIENCE_S = 120.0
NO_WORKER = "it seems that no worker runs. Start one: celery -A diptych worker -Q default,media"


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
        "Says how many of a study's videos are pending, processing, ready and failed, why they failed, and what "
        "trouble of this machine keeps others waiting. "
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
        failed, kept_waiting = failures(study), troubles(study)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(counts) | {"failures": failed, "troubles": kept_waiting}))
            return
        said = ", ".join(f"{number} {state}" for state, number in asdict(counts).items())
        self.stdout.write(f"Videos of {study.slug}: {said}.")
        for failure in failed:
            said = shorten(" ".join(failure["prompt"].split()), 40)
            self.stderr.write(f"{failure['video'][:8]} “{said}”: {failure['reason']}")
        for trouble in kept_waiting:
            number, what = trouble["videos"], trouble["trouble"]
            self.stderr.write(f"{number} waiting, tried again every minute; the worker's log says more: {what}")

    def wait(self, study: Study, patience: float, *, shown: bool) -> None:
        """Returns when nothing is unfinished. Raises CommandError if nothing moves for `patience` seconds."""
        moved_at, last = time.monotonic(), None
        counts = count(study)
        total = sum(asdict(counts).values())
        hidden = not (shown and sys.stderr.isatty())
        with tqdm(desc="Preparing videos", total=total, disable=hidden, file=sys.stderr) as bar:
            while counts.unfinished:
                signs = (counts.ready, counts.failed, signs_of_life(study))
                if signs != last:
                    moved_at, last = time.monotonic(), signs
                elif time.monotonic() - moved_at > patience:
                    why = "; ".join(one["trouble"] for one in troubles(study)) or NO_WORKER
                    raise CommandError(
                        f"Nothing has moved for {patience:.0f} seconds while videos wait ({counts.unfinished}): {why}",
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
    """What a worker changes while it is at a video, so that one long video is not taken for none at work.

    A video that is tried again and again because of trouble is no sign of life.
    """
    assets = unfinished(study).filter(facts__trouble__isnull=True)
    return tuple(assets.aggregate(Max("heartbeat_at"), Sum("attempts")).values())


def unfinished(study: Study) -> QuerySet[Asset]:
    return Asset.objects.filter(videos__study=study, state__in=["pending", "processing"])


def failures(study: Study) -> list[dict[str, str]]:
    """Published id, prompt and reason of each video that failed."""
    rows = Video.objects.filter(study=study, asset__state=Asset.State.FAILED).order_by("pk")
    columns = rows.values_list("public_id", "prompt__text", "asset__reason")
    return [{"video": video, "prompt": prompt, "reason": reason} for video, prompt, reason in columns]


def troubles(study: Study) -> list[dict[str, Any]]:
    """What keeps videos waiting, and how many distinct files; empty where nothing but their turn does."""
    rows = unfinished(study).filter(facts__trouble__isnull=False).values_list("facts__trouble")
    said = rows.annotate(Count("pk", distinct=True)).order_by("facts__trouble")
    return [{"trouble": trouble, "videos": number} for trouble, number in said]
