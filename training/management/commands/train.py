"""`manage.py train --study SLUG --release N …`: queue a training run."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from diptych.refusals import Refused
from releases import latest
from releases.models import Release
from studies.models import Study
from training import queueing
from training.kinds import BACKBONES, OFFERED_HELP, TARGETS, Kind
from training.models import Run


def policy(given: str) -> tuple[str, str]:
    """Return the name and the value of an argument NAME=VALUE. Raise ValueError."""
    name, is_given, value = given.partition("=")
    if not is_given:
        raise ValueError(given)
    return name, value


class Command(BaseCommand):
    help = (
        "Queues a training run on a release, and prints it as one JSON object: run, release, family, state. A training "
        "worker does it: python -m training.worker. Exit status: 0 queued; 2 it was refused, or an option is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--study", required=True, metavar="SLUG")
        parser.add_argument("--release", type=int, metavar="N", help="default: the latest complete release")
        parser.add_argument("--kind", choices=Kind.values, default=Kind.REWARD.value)
        parser.add_argument("--targets", nargs="+", default=[], metavar="TARGET", help=", ".join(TARGETS))
        parser.add_argument("--backbone", default="small", help=f"{', '.join(BACKBONES)}, {OFFERED_HELP}")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--seeds", type=int, help="number of seeds whose metrics are averaged; default: by backbone"
        )
        parser.add_argument("--gpus", type=int, help="default: by backbone")
        parser.add_argument("--gpu-memory-mib", type=int, help="memory of each GPU; default: by backbone")
        parser.add_argument("--max-steps", type=int)
        parser.add_argument(
            "--policy", nargs="+", type=policy, default=[], metavar="NAME=VALUE", help="policies of the pre-flight"
        )

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']}.", returncode=2)
        release = self.release(study, options["release"])
        given = {"policies": dict(options["policy"]), "max_steps": options["max_steps"]}
        names = ("kind", "targets", "backbone", "seed", "seeds", "gpus", "gpu_memory_mib")
        chosen = {name: value for name, value in given.items() if value}
        wanted = queueing.Wanted(**{name: options[name] for name in names}, options=chosen)
        try:
            run = queueing.ask(release, wanted, actor=None, because=Run.Because.COMMAND)
        except Refused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        about = {"run": run.pk, "release": release.number, "family": str(run.family), "state": run.state}
        self.stdout.write(json.dumps(about))

    def release(self, study: Study, number: int | None) -> Release:
        """Return the release with this number, or the latest. Raise CommandError."""
        found = latest.latest(study) if number is None else Release.objects.filter(study=study, number=number).first()
        if found is None:
            which = "no complete release" if number is None else f"no release {number}"
            raise CommandError(f"Study {study.slug} has {which}.", returncode=2)
        found.study = study
        return found
