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

from catalog.media_progress import UNKNOWN, Pace, Trouble, count, failures, pace, troubles, worker_activity
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
        rate = pace(study) if counts.unfinished else UNKNOWN
        failed, delays = failures(study), troubles(study)
        if options["json"]:
            ended_at = sweeps.last()
            details = {
                "failures": failed,
                "troubles": [{"trouble": delay.trouble, "videos": delay.videos} for delay in delays],
                "last_sweep_at": ended_at and ended_at.isoformat(),
            }
            self.stdout.write(json.dumps(asdict(counts) | asdict(rate) | details))
            return
        numbers = ", ".join(f"{number} {state}" for state, number in asdict(counts).items())
        self.stdout.write(f"Videos of {study.slug}: {numbers}.")
        if counts.unfinished:
            self.stdout.write(time_left(rate))
            if warning := workers_warning():
                self.stderr.write(warning)
        for failure in failed:
            prompt = shorten(failure["prompt"], 40, placeholder=" …")
            self.stderr.write(f"{failure['video'][:8]} “{prompt}”: {failure['reason']}")
        for delay in delays:
            self.stderr.write(delay_line(delay))

    def wait(self, study: Study, patience: float, *, shown: bool) -> None:
        """Return when no video is unfinished. Raises CommandError after `patience` seconds without progress."""
        progress_at, last = time.monotonic(), None
        counts = count(study)
        total = sum(asdict(counts).values())
        hidden = not (shown and sys.stderr.isatty())
        with tqdm(desc="Preparing videos", total=total, disable=hidden, file=sys.stderr) as bar:
            while counts.unfinished:
                activity = (counts.done, counts.failed, worker_activity(study))
                if activity != last:
                    progress_at, last = time.monotonic(), activity
                elif time.monotonic() - progress_at > patience:
                    why = "; ".join(one.trouble for one in troubles(study)) or NO_WORKER
                    raise CommandError(
                        f"There was no progress for {in_words(patience)} "
                        f"while videos wait ({counts.unfinished}): {why}",
                        returncode=1,
                    )
                bar.update(counts.done + counts.failed - bar.n)
                time.sleep(LOOK_EVERY_S)
                counts = count(study)
            bar.update(counts.done + counts.failed - bar.n)


def time_left(rate: Pace) -> str:
    """Return the time left, as a sentence."""
    if not rate.left:
        return "Estimating time left…"
    return f"About {rate.left} left at the pace of the last ten minutes ({rate.per_minute:.1f} videos per minute)."


def workers_warning() -> str:
    """Return a warning if the periodic sweeps have stopped; empty if they have not."""
    is_late, ended_at = sweeps.late()
    if not is_late:
        return ""
    if ended_at is None:
        return "No periodic sweep has ended yet. Check that a worker and beat run."
    ago = in_words((timezone.now() - ended_at).total_seconds(), to=MINUTE)
    return f"The last periodic sweep ended {ago} ago. Check that a worker and beat run and are not busy."


def delay_line(delay: Trouble) -> str:
    """Return a line about a problem that delays videos, and when they are tried again."""
    waits_s = max(0.0, (delay.next_at - timezone.now()).total_seconds()) if delay.next_at else 0.0
    next_attempt = f"next attempt in {waits_s:.0f} s" if waits_s else "next attempt now"
    return f"{delay.videos} waiting, {next_attempt}; see the worker's log: {delay.trouble}"
