"""Score all videos of test and eval prompts, so that a server can compare generators by them: video_scores.parquet."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from training.learn.data import ANY_HARM, EVAL, TAGS, TEST

PATH = "video_scores.parquet"
#: Videos that are scored and written at a time.
ROWS = 20_000
SCHEMA = pa.schema({"video_id": pa.string(), "name": pa.string(), "value": pa.float32()})


def write(model: Any, given: Any, out: Path) -> None:
    """Write the scores of videos, each the mean over the seeds.

    A reward model has a score for each target. A moderation model has the chance of any harm. Videos without readable
    frames are left out.

    Args:
        model: a model with heads (`models.Model`).
        given: the release as numbers (`inputs.Inputs`).
    """
    tables, names = given.tables, model.targets if model.kind == "reward" else (ANY_HARM,)
    part = tables.prompt_part[tables.video_prompt]
    videos = np.flatnonzero(np.isin(part, (TEST, EVAL)) & (given.found.clip >= 0))
    with pq.ParquetWriter(aside := out / "video_scores.part", SCHEMA, compression="zstd") as writer:
        for at in range(0, len(videos), ROWS):
            some = videos[at : at + ROWS]
            values = _values(model, given, some)  # (videos, names)
            columns = {
                "video_id": [tables.video_ids[int(one)] for one in some for _name in names],
                "name": [*names] * len(some),
                "value": values.ravel(),
            }
            writer.write_table(pa.table(columns, schema=SCHEMA))
    os.replace(aside, out / PATH)


def _values(model: Any, given: Any, videos: np.ndarray) -> np.ndarray:
    prompt, clip = given.tables.video_prompt[videos].astype(np.int64), given.found.clip[videos]
    outputs = [given.outputs(head, prompt, clip) for head in model.heads]
    if model.kind != "reward":
        place = TAGS.index(ANY_HARM)
        outputs = [np.asarray(model.chances(torch.from_numpy(one)))[:, place : place + 1] for one in outputs]
    return np.asarray(np.mean(outputs, 0), np.float32)
