"""Releases, rules and models of the example: what is asked for, and waiting for the workers that do it."""

import json
import time
from collections.abc import Callable

from demo.example.study import researcher
from diptych.embedded.state import Home
from jobs.models import OPEN_STATES
from releases import automatic, filters, making
from releases.formats import defaults
from releases.models import Release
from studies.models import Study
from training import rules
from training.models import ModelVersion, Run, TrainingRule

LICENCE = "CC0-1.0"
REWARD = {"kind": "reward", "targets": ["helpfulness", "harmlessness"]}
MODERATION = {"kind": "moderation", "targets": list[str]()}
LEAST_NEW_PAIRS = 50
LOOK_EVERY_S = 1.0
#: A slow machine needs minutes to install the training programs and to train.
PATIENCE_S = 3600.0


def set_rules(study: Study) -> None:
    """Let each release be trained on, and each accepted lot bring a release. Repeating it changes nothing."""
    actor = researcher()
    for family, scores in ((REWARD, True), (MODERATION, False)):
        if not TrainingRule.objects.filter(study=study, family__kind=family["kind"]).exists():
            rules.set_rule(study, **family, least_new_pairs=LEAST_NEW_PAIRS, scores_new_videos=scores, actor=actor)  # type: ignore[arg-type]  # the values of a dictionary
    automatic.switch(study, on=True, actor=actor)


def make_first_release(study: Study) -> None:
    """Order the first release, unless it is there. Later ones come by themselves."""
    if not Release.objects.filter(study=study).exists():
        wanted = making.Wanted(filter=filters.Filter(), licence=LICENCE, formats=defaults())
        making.ask(study, wanted, actor=researcher())


def release(study: Study, number: int) -> Release | None:
    """Return the complete release with this number, or None. Raise RuntimeError if it failed."""
    found = Release.objects.filter(study=study, number=number).first()
    if found is not None and found.state in {Release.State.FAILED, Release.State.CANCELLED}:
        raise RuntimeError(f"Release {number} of the example is {found.state}: {found.reason}")
    return found if found is not None and found.state == Release.State.DONE else None


def is_trained(study: Study, number: int, home: Home) -> bool:
    """Return whether both runs on a release have ended and their versions are decided. A failed run counts as ended.

    Raise RuntimeError if the training programs could not be installed.
    """
    if installation(home).get("state") == "failed":
        raise RuntimeError("The training programs could not be installed. See the log training-install.")
    runs = Run.objects.filter(study=study, release__number=number, purpose=Run.Purpose.TRAIN)
    if runs.count() < 2 or Run.objects.filter(study=study, state__in=OPEN_STATES).exists():
        return False
    return not ModelVersion.objects.filter(study=study, state=ModelVersion.State.CANDIDATE).exists()


def wait(until: Callable[[], object], what: str) -> None:
    """Return when `until` is true. Raise RuntimeError after an hour."""
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} took more than an hour.")
        time.sleep(LOOK_EVERY_S)


def installation(home: Home) -> dict[str, str]:
    """Return what the demo wrote about the training programs: `state` is installing, ready or failed; or nothing."""
    try:
        found: dict[str, str] = json.loads((home.path / "training.json").read_text("utf-8"))
        return found
    except (OSError, ValueError):
        return {}
