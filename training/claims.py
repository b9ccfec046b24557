"""What a worker does with a run: claim it, keep it, report, and give it back.

Each function but `claim` gets the fence number of the claim. If another worker has the run by then, or it has ended,
the function writes nothing and raises `taken_over`. So a worker that was cut off for an hour cannot disturb the next.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from diptych.refusals import BadInput, Refused
from jobs import engine
from training.kinds import BACKBONES
from training.models import Run, RunPoint, Worker
from training.models.runs import LOG_CHARACTERS
from training.permissions import studies_to_train
from training.policy import POLICY

LONGEST_SENTENCE = 2000
MOST_ITEMS = 1000
#: A step that is done again replaces its point.
POINTS = """
INSERT INTO training_runpoint (run_id, part, step, loss)
SELECT %(run)s, part, step, loss
  FROM unnest(%(parts)s::text[], %(steps)s::bigint[], %(losses)s::float8[]) AS point (part, step, loss)
ON CONFLICT (run_id, part, step) DO UPDATE SET loss = excluded.loss
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A worker, and what its machine has."""

    name: str
    gpus: int = 0
    gpu_memory_mib: int = 0
    hardware: str = ""
    code_version: str = ""
    #: Backbones that it offers besides those that every worker can train.
    backbones: Sequence[str] = ()


def taken_over() -> Refused:
    """Return the refusal of a claim that no longer holds."""
    sentence = _("This claim of the run no longer holds: another worker has it, or it has ended. Stop the program.")
    return Refused(sentence, "taken_over")


@transaction.atomic
def claim(owner: User, offer: Offer) -> Run | None:
    """Claim the first waiting run that the worker can do. Return None if there is none.

    A run that this worker had before comes first: its checkpoint is on the same machine.
    """
    facts = {"gpus": offer.gpus, "gpu_memory_mib": offer.gpu_memory_mib, "hardware": offer.hardware}
    facts |= {"code_version": offer.code_version, "backbones": list(offer.backbones), "seen_at": timezone.now()}
    worker, _is_new = Worker.objects.update_or_create(owner=owner, name=offer.name, defaults=facts)
    studies = list(studies_to_train(owner))
    if not studies:
        return None
    possible = Q(study_id__in=studies, gpus__lte=offer.gpus, gpu_memory_mib__lte=offer.gpu_memory_mib)
    possible &= Q(family__backbone__in=[*BACKBONES, *offer.backbones])
    for condition in (Q(possible, worker=worker), possible):
        found = engine.claim_next(replace(POLICY, claimable=condition))
        if found is not None:
            Run.objects.filter(pk=found.pk).update(
                worker=worker, hardware=offer.hardware, code_version=offer.code_version, stage_at=None
            )
            return Run.objects.select_related("study", "release", "family", "version__run").get(pk=found.pk)
    return None


def beat(run: Run, fence: int, **progress: Any) -> bool:
    """Keep the claim. Return whether somebody cancelled the run. Raise `taken_over`."""
    if "stage" in progress and (run.stage_at is None or progress["stage"] != run.stage):
        progress |= {"stage_at": timezone.now(), "stage_from": progress.get("steps", 0)}
    now = engine.beat(POLICY, run.pk, fence, **progress)
    if not now.holds:
        raise taken_over()
    if run.worker is not None:
        Worker.objects.filter(pk=run.worker.pk).update(seen_at=timezone.now())
    return now.cancel_asked


@transaction.atomic
def report(
    run: Run,
    fence: int,
    *,
    points: Sequence[tuple[str, int, float]] = (),
    log: str | None = None,
    preflight: Mapping[str, Any] | None = None,
    **progress: Any,
) -> bool:
    """Store what the program said, and keep the claim. Return whether somebody cancelled the run. Raise `taken_over`.

    Repeating a report is harmless. A point is its part (`RunPoint.Part`), its step and its loss. `log` is the end of
    the log, and replaces what was stored before. A step further than any before makes this the first attempt again, so
    that only a run that does not get on is given up.
    """
    columns: dict[str, Any] = dict(progress)
    if log is not None:
        columns["log"] = log[-LOG_CHARACTERS:]
    if preflight is not None:
        columns["preflight"] = dict(preflight)
    trained = [(step, loss) for part, step, loss in points if part == RunPoint.Part.TRAINING]
    if trained:
        columns["loss"] = max(trained)[1]
    is_cancelled = beat(run, fence, **columns)  # its update locks the row until the points are written
    if points:
        if not run.points.filter(step__gte=max(step for _part, step, _loss in points)).exists():
            Run.objects.filter(pk=run.pk, attempts__gt=1).update(attempts=1, pauses=0)
        by_step = {(part, step): loss for part, step, loss in points}
        values: dict[str, Any] = {"run": run.pk, "losses": list(by_step.values())}
        values |= {"parts": [part for part, _step in by_step], "steps": [step for _part, step in by_step]}
        with connection.cursor() as cursor:
            cursor.execute(POINTS, values)
    return is_cancelled


def fail(run: Run, fence: int, *, code: str, message: str, items: Sequence[str] = ()) -> None:
    """End a run whose program failed for good. Repeating it is harmless. Raise `taken_over`, BadInput."""
    if not message.strip():
        raise BadInput(_("Say why the run failed."), field="message")
    fault = {"code": code, "items": list(items[:MOST_ITEMS])}
    ended = engine.end(POLICY, run.pk, fence, Run.State.FAILED, reason=message.strip()[:LONGEST_SENTENCE], fault=fault)
    if not ended and not _ended_by(run, fence):
        raise taken_over()


def put_back(run: Run, fence: int, *, trouble: str, counted: bool) -> Run:
    """Give the claim up, so that any worker can continue the run. Return it. Raise `taken_over`.

    A run that somebody cancelled ends as cancelled. After the last counted attempt it fails.
    """
    if not engine.look(POLICY, run.pk, fence).holds and not _ended_by(run, fence):
        raise taken_over()
    engine.put_back(POLICY, run.pk, fence, trouble[:LONGEST_SENTENCE], counted=counted)
    run.refresh_from_db()
    return run


def _ended_by(run: Run, fence: int) -> bool:
    """Return whether the run has ended, with this as its last claim: a request whose response was lost is repeated."""
    return Run.objects.filter(pk=run.pk, fence=fence, finished_at__isnull=False).exists()


def refuse_not_finite(numbers: Sequence[float], field: str) -> None:
    """Raise BadInput unless all numbers are finite."""
    if not all(math.isfinite(number) for number in numbers):
        raise BadInput(_("Send finite numbers."), field=field)
