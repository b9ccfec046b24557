"""Finish a run: its files, its metrics, and the model version that it made."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from diptych.database import locks
from diptych.refusals import BadInput, Refused
from jobs import engine
from jobs.engine import Cancelled, TakenOver
from releases.sending import require_complete
from training import scoring
from training.claims import taken_over
from training.models import Artefact, ModelVersion, Run
from training.policy import POLICY

#: What a worker may upload, by path in the run folder. No file here can run code when it is loaded.
ALLOWED = re.compile(
    r"(metrics\.json|preflight\.json|options\.json|predictions\.parquet|video_scores\.parquet|scores\.jsonl"
    r"|model/([A-Za-z0-9_-][A-Za-z0-9_.-]*/){0,3}[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(safetensors|json|md|txt))"
)
#: Files that a run must have, by its purpose.
NEEDED = {
    Run.Purpose.TRAIN: ("metrics.json", "model/model.safetensors", "model/model.json", "predictions.parquet"),
    Run.Purpose.EVALUATE: ("metrics.json", "predictions.parquet"),
    Run.Purpose.SCORE: (scoring.PATH,),
}
MOST_METRICS = 2000
CANCELLED = "cancelled"


def allowed(path: str) -> bool:
    """Return whether a worker may upload a file with this path."""
    return len(path) <= 200 and ALLOWED.fullmatch(path) is not None


def files_of(run: Run) -> Any:
    """Return the files of a run's last attempt, by path."""
    return Artefact.objects.filter(run=run, fence=run.fence).order_by("path")


def finish(
    run: Run, fence: int, *, metrics: Sequence[Mapping[str, Any]], files: Mapping[str, str], wall_s: float
) -> ModelVersion | None:
    """End a run whose program is done, and return the version that it made. None: the run evaluated or scored.

    Repeating it is harmless. `files` has the SHA-256 of each file by path: all must have been uploaded with this claim.

    Raise `taken_over`, `cancelled`, `missing_files`, BadInput, and Refused if the release was withdrawn meanwhile.
    """
    if len(metrics) > MOST_METRICS or not all(isinstance(one.get("figure"), str) for one in metrics):
        raise BadInput(_("Send up to %(n)s metrics, each with its figure.") % {"n": MOST_METRICS}, field="metrics")
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, run.study_id)  # also numbers versions one after the other
        present = Run.objects.get(pk=run.pk)
        if present.state == Run.State.DONE and present.fence == fence:
            return ModelVersion.objects.filter(run=run).first()
        try:
            engine.locked(POLICY, run.pk, fence)
        except TakenOver:
            raise taken_over() from None
        except Cancelled:
            raise Refused(_("Somebody cancelled the run. Put it back."), CANCELLED) from None
        require_complete(run.release)
        _require_files(run, fence, files)
        if run.purpose == Run.Purpose.SCORE:
            _refuse_withdrawn(run)
            scoring.store(run)
        engine.end(POLICY, run.pk, fence, Run.State.DONE, metrics=list(metrics), wall_s=wall_s)
        if run.purpose != Run.Purpose.TRAIN:
            return None
        last = ModelVersion.objects.filter(family=run.family).aggregate(last=Max("number"))["last"] or 0
        return ModelVersion.objects.create(study=run.study, family=run.family, run=run, number=last + 1)


def _refuse_withdrawn(run: Run) -> None:
    """Raise Refused if the version that scored is withdrawn. Its row is locked, so nobody withdraws it meanwhile."""
    assert run.version_id is not None  # noqa: S101  # a constraint
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=run.version_id)
    if version.state == ModelVersion.State.WITHDRAWN:
        raise Refused(_("The version was withdrawn. Nothing that it scored is kept."), "withdrawn", status=410)


def _require_files(run: Run, fence: int, files: Mapping[str, str]) -> None:
    uploaded = dict(Artefact.objects.filter(run=run, fence=fence).values_list("path", "sha256"))
    needed = NEEDED[Run.Purpose(run.purpose)]
    missing = sorted({path for path, sha256 in files.items() if uploaded.get(path) != sha256} | {*needed} - {*files})
    if missing:
        sentence = _("These files are missing, or were uploaded with another SHA-256: %(paths)s. Upload them first.")
        raise Refused(sentence % {"paths": ", ".join(missing)[:500]}, "missing_files")
