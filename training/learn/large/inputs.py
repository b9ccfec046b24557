"""A release as a large backbone reads it: texts of prompts, and pictures that are decoded when they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from accelerate import PartialState
from torch.utils.data import DataLoader, Dataset

from diptych_client.release_folder import Release
from training.learn import data, inputs, preflight
from training.learn.data import Tables
from training.learn.events import StopSignal
from training.learn.features import Cache
from training.learn.frames import Frames
from training.learn.large import videos
from training.learn.large.processors import Processor
from training.learn.large.videos import Clip, Videos
from training.learn.options import RunOptions

#: A row of a batch: its number, its prompt, and its clips.
Row = tuple[int, str, list[Clip]]


@dataclass(eq=False)
class LargeInputs:
    """A release whose videos a large model can score (`inputs.Scored`).

    Attributes:
        texts: of the prompts.
        scored: outputs that are known, by head, prompt and clip: each target asks for the same ones.
    """

    release: Release
    tables: Tables
    found: Frames
    checked: preflight.Checked
    videos: Videos
    texts: Any
    scored: dict[tuple[int, int, int], np.ndarray] = field(default_factory=dict)

    def outputs(self, head: Any, prompts: np.ndarray, clips: np.ndarray) -> np.ndarray:
        """Return (n, outputs) of these rows of prompts and of clips, (n,) each. `head` is one of a `LargeModel`."""
        keys = [(head.number, *one) for one in zip(prompts.tolist(), clips.tolist(), strict=True)]
        if new := [one for one in dict.fromkeys(keys) if one not in self.scored]:
            wanted = np.array(new)
            rows = Rows(self, head.model.built.processor, np.arange(len(new)), wanted[:, 1], wanted[:, 2:])
            self.scored |= dict(zip(new, head.model.scores(head, rows.loader(head.model.batch_size)), strict=True))
        return np.stack([self.scored[one] for one in keys]) if keys else np.empty((0, head.outputs), np.float32)


def prepare(options: RunOptions, targets: tuple[str, ...], stop: StopSignal) -> LargeInputs:
    """Read the release and check it. Of several processes the first one decodes its videos. Raise Failed, Stopped."""
    release = data.open_release(options.release)
    tables = data.read(release)
    options.out.mkdir(parents=True, exist_ok=True)
    with PartialState().main_process_first():
        found, files = videos.find(release, tables, Cache(options.cache, videos.VERSION), stop)
    checked = inputs.check(options, tables, found, targets)
    return LargeInputs(release, tables, found, checked, files, pa.array(one.text for one in release.prompts()))


@dataclass(eq=False)
class Rows(Dataset[Row]):
    """Rows with their pictures.

    Attributes:
        number: (n,) what the row is called in a batch.
        prompt: (n,) and clip (n, clips) rows of the release.
    """

    given: LargeInputs
    processor: Processor
    number: np.ndarray
    prompt: np.ndarray
    clip: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, at: int) -> Row:
        clips = [self._cut(int(one)) for one in self.clip[at]]
        return int(self.number[at]), self.given.texts[int(self.prompt[at])].as_py(), clips

    def loader(self, size: int) -> Any:
        """Return batches in the order of the rows."""
        return DataLoader(self, batch_size=size, collate_fn=self.collate)

    def collate(self, rows: Sequence[Row]) -> dict[str, Any]:
        """Return a batch: first all first clips, then all second ones. `rows` are the numbers of the rows."""
        items = [(text, clips[side]) for side in range(len(rows[0][2])) for _number, text, clips in rows]
        return dict(self.processor.batch(items)) | {"rows": [number for number, _text, _clips in rows]}

    def _cut(self, number: int) -> Clip:
        files = self.given.videos
        length = files.lengths[number]
        return videos.cut(files.content(number), self.processor.places(length), length.per_second)


def to_device(batch: dict[str, Any], device: str) -> dict[str, torch.Tensor]:
    """Return the arguments of the network on a device."""
    return {name: value.to(device) for name, value in batch.items() if name != "rows"}
