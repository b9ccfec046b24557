"""Read what a run predicted about the test answers of its release."""

import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage

from training.kinds import Kind
from training.models import Artefact, Run
from training.promotion import Choice, TagChance

PATH, VIDEO_SCORES = "predictions.parquet", "video_scores.parquet"
#: What the columns have; all others have text.
NUMBERS = {"score_0", "score_1", "probability", "value"}
WHOLE_NUMBERS = {"annotation_id", "seed", "positive", "n"}
MOST_IN_MEMORY = 64_000_000  # bytes
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
    """Yield the rows of a file, with values of the right types. Raise Unreadable, and OSError if the storage is away.

    The file is copied first: Arrow raises OSError for damaged files too, which has nothing to do with the storage.
    """
    import pyarrow as pa  # only jobs need Arrow
    import pyarrow.parquet as pq

    stored = Artefact.objects.filter(run=run, fence=run.fence, path=path).first()
    if stored is None:
        raise Unreadable(f"Run {run.pk} has no {path}.")
    with tempfile.SpooledTemporaryFile(max_size=MOST_IN_MEMORY) as copy:
        with default_storage.open(stored.stored_name) as file:
            shutil.copyfileobj(file, copy)
        copy.seek(0)
        try:
            for batch in pq.ParquetFile(copy).iter_batches(ROWS, columns=list(columns)):
                found = {name: batch.column(name) for name in columns}
                for name, column in found.items():
                    _check(name, column)
                yield from zip(*(column.to_pylist() for column in found.values()), strict=True)
        except (pa.ArrowException, OSError, KeyError) as error:
            raise Unreadable(f"{path} of run {run.pk} cannot be read: {error}") from error


def _check(name: str, column: Any) -> None:
    """Raise Unreadable if a column has gaps, values of another type, or numbers that are not finite."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        raise Unreadable(f"The column {name} has no value in {column.null_count} rows.")
    kind = column.type
    is_whole = pa.types.is_integer(kind)
    is_number = is_whole or pa.types.is_floating(kind)
    if not (is_number if name in NUMBERS else is_whole if name in WHOLE_NUMBERS else pa.types.is_string(kind)):
        raise Unreadable(f"The column {name} has the type {kind}.")
    if name in NUMBERS and not pc.all(pc.is_finite(column)).as_py():
        raise Unreadable(f"The column {name} has numbers that are not finite.")
