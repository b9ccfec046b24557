"""`manage.py media_progress --study SLUG`: report the progress of the preparation of a study's videos."""

import json
import sys
import time
from dataclasses import asdict
from textwrap import shorten
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from catalog.media_progress import UNKNOWN, Pace, Trouble, count, failures, pace, signs_of_life, troubles
from diptych.durations import MINUTE, in_words
from jobs import sweeps
from studies.models import Study

LOOK_EVERY_S = 0.5
PATIENCE_S = 120.0
NO_WORKER = "it seems that no worker is running. Start one: celery -A diptych worker -Q default,media"


class Command(BaseCommand):
    help = (
        "Reports how many of a study's videos are waiting, being prepared, ready and failed, the time left at the pace "
        "of the last ten minutes, why videos failed, and which problems of this machine delay others. "
        "Exit status: 0; with --wait, 1 if there was no progress for two minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument(
            "--wait", action="store_true", help="show a progress bar until every video is ready or failed"
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=PATIENCE_S,
            metavar="SECONDS",
            help="how long --wait waits without progress (default: 120)",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']!r}.", returncode=2)
        if options["wait"]:
            self.wait(study, options["patience"], shown=not options["json"])
        counts = count(study)
        going = pace(study) if counts.unfinished else UNKNOWN
        failed, kept_waiting = failures(study), troubles(study)
        if options["json"]:
            told = [{"trouble": one.trouble, "videos": one.videos} for one in kept_waiting]
            ended_at = sweeps.last()
            told_of = {"failures": failed, "troubles": told, "last_sweep_at": ended_at and ended_at.isoformat()}
            self.stdout.write(json.dumps(asdict(counts) | asdict(going) | told_of))
            return
        said = ", ".join(f"{number} {state}" for state, number in asdict(counts).items())
        self.stdout.write(f"Videos of {study.slug}: {said}.")
        if counts.unfinished:
            self.stdout.write(expectation(going))
            if warning := about_workers():
                self.stderr.write(warning)
        for failure in failed:
            said = shorten(failure["prompt"], 40, placeholder=" …")
            self.stderr.write(f"{failure['video'][:8]} “{said}”: {failure['reason']}")
        for trouble in kept_waiting:
            self.stderr.write(complaint(trouble))

    def wait(self, study: Study, patience: float, *, shown: bool) -> None:
        """Return when no video is unfinished. Raises CommandError after `patience` seconds without progress."""
        moved_at, last = time.monotonic(), None
        counts = count(study)
        total = sum(asdict(counts).values())
        hidden = not (shown and sys.stderr.isatty())
        with tqdm(desc="Preparing videos", total=total, disable=hidden, file=sys.stderr) as bar:
            while counts.unfinished:
                signs = (counts.done, counts.failed, signs_of_life(study))
                if signs != last:
                    moved_at, last = time.monotonic(), signs
                elif time.monotonic() - moved_at > patience:
                    why = "; ".join(one.trouble for one in troubles(study)) or NO_WORKER
                    raise CommandError(
                        f"Nothing has moved for {in_words(patience)} while videos wait ({counts.unfinished}): {why}",
                        returncode=1,
                    )
                bar.update(counts.done + counts.failed - bar.n)
                time.sleep(LOOK_EVERY_S)
                counts = count(study)
            bar.update(counts.done + counts.failed - bar.n)


def expectation(going: Pace) -> str:
    """Return the time left, as a sentence."""
    if not going.left:
        return "Estimating time left…"
    return f"About {going.left} left at the pace of the last ten minutes ({going.per_minute:.1f} a minute)."


def about_workers() -> str:
    """Return a warning if the periodic sweeps have stopped; empty if they have not."""
    is_late, ended_at = sweeps.late()
    if not is_late:
        return ""
    if ended_at is None:
        return "No periodic sweep has ended yet. Check that a worker and beat run."
    ago = in_words((timezone.now() - ended_at).total_seconds(), to=MINUTE)
    return f"The last periodic sweep ended {ago} ago. Check that a worker and beat run and are not busy."


def complaint(trouble: Trouble) -> str:
    """Return a line about a problem that delays videos, and when they are tried again."""
    waits_s = max(0.0, (trouble.next_at - timezone.now()).total_seconds()) if trouble.next_at else 0.0
    again = f"again in {waits_s:.0f} s" if waits_s else "again now"
    return f"{trouble.videos} waiting, {again}; the worker's log says more: {trouble.trouble}"
