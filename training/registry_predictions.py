"""Read what a run predicted about the test answers of its release."""

from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage

from training.kinds import Kind
from training.models import Artefact, Run
from training.promotion import Choice, TagChance

PATH, VIDEO_SCORES = "predictions.parquet", "video_scores.parquet"
#: Rows that are in memory as Python values at a time.
ROWS = 20_000


class Unreadable(ValueError):
    """A run has no file of predictions, or not the columns of its kind."""


def choices(run: Run) -> Iterator[Choice]:
    """Yield the predictions of a reward model. Raise Unreadable, and OSError if the storage is away."""
    for row in _rows(run, Choice.__slots__):
        yield Choice(*row)


def tags(run: Run) -> Iterator[TagChance]:
    """Yield the predictions of a moderation model. Raise Unreadable, and OSError if the storage is away."""
    for row in _rows(run, TagChance.__slots__):
        yield TagChance(*row)


def answered(run: Run) -> Iterator[tuple[Any, ...]]:
    """Yield target, pair id, choice, both scores and seed of each prediction of a reward model. Raise as `choices`."""
    yield from _rows(run, ("target", "pair_id", "choice", "score_0", "score_1", "seed"))


def video_scores(run: Run) -> dict[str, dict[str, float]]:
    """Return by video and name the scores of all videos of test and eval prompts; none if the run wrote no such file.

    Raise Unreadable, and OSError if the storage is away.
    """
    found: dict[str, dict[str, float]] = {}
    if Artefact.objects.filter(run=run, fence=run.fence, path=VIDEO_SCORES).exists():
        for video_id, name, value in _rows(run, ("video_id", "name", "value"), VIDEO_SCORES):
            found.setdefault(video_id, {})[name] = value
    return found


def of(run: Run) -> Iterator[Any]:
    """Yield the predictions of a run, by the kind of its family."""
    return tags(run) if run.family.kind == Kind.MODERATION else choices(run)


def _rows(run: Run, columns: tuple[str, ...], path: str = PATH) -> Iterator[tuple[Any, ...]]:
    import pyarrow as pa  # only jobs need Arrow
    import pyarrow.parquet as pq

    stored = Artefact.objects.filter(run=run, fence=run.fence, path=path).first()
    if stored is None:
        raise Unreadable(f"Run {run.pk} has no {path}.")
    with default_storage.open(stored.stored_name) as file:
        try:
            for batch in pq.ParquetFile(file).iter_batches(ROWS, columns=list(columns)):
                yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
        except (pa.ArrowInvalid, KeyError) as error:
            raise Unreadable(f"{path} of run {run.pk} cannot be read: {error}") from error
