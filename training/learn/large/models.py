"""A trained model of a large backbone. Its folder has what training changed; the rest is in the checkpoint."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.learn.events import StopSignal
from training.learn.large import inputs, networks, videos
from training.learn.large.inputs import LargeInputs
from training.learn.large.networks import Built
from training.learn.large.videos import Clip
from training.learn.models import Trained, refuse_other_backbone, with_prefix
from training.learn.options import BackboneOptions, RunOptions

#: Rows of an evaluation that a network computes at a time.
BATCH = 4


@dataclass(eq=False)
class LargeHead:
    """What one seed trained.

    Attributes:
        weights: of the network, by name.
    """

    model: "LargeModel"
    number: int
    weights: Mapping[str, Tensor]

    @property
    def eta(self) -> Tensor:
        """Return how readily people call a tie, before softplus: (targets,)."""
        return self.weights["eta"].float()

    @property
    def outputs(self) -> int:
        """Return the number of targets."""
        return len(self.weights["bias"])


@dataclass(eq=False)
class LargeModel(Trained):
    """A model of `qwen-vl` or `video-llava`. One network is in memory, and has the weights of one seed at a time."""

    reads_videos: ClassVar[bool] = True
    batch_size: ClassVar[int] = BATCH
    active: int = -1

    @classmethod
    def of_weights(
        cls, kind: str, targets: tuple[str, ...], about: dict[str, Any], weights: Mapping[str, Tensor]
    ) -> "LargeModel":
        """Return a model with the weights of its file."""
        return cls.of_seeds(
            kind, targets, about, [with_prefix(weights, f"seed_{number}.") for number in range(len(about["seeds"]))]
        )

    @classmethod
    def of_seeds(
        cls, kind: str, targets: tuple[str, ...], about: dict[str, Any], by_seed: Sequence[Mapping[str, Tensor]]
    ) -> "LargeModel":
        """Return a model with the trained weights of each seed."""
        model = cls(kind, targets, about, [])
        model.heads = [LargeHead(model, number, one) for number, one in enumerate(by_seed)]
        return model

    @cached_property
    def device(self) -> str:
        """Return where it computes."""
        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def built(self) -> Built:
        """Return the network. Raise Failed if its checkpoint is not there, or is another one."""
        options = options_of(self.about)
        computes = networks.precision_of(self.about["precision"])
        built = networks.build(options, self.targets, 0, computes, self.heads[0].weights["weight"].dtype)
        refuse_other_backbone(self.about, built.version)
        built.network.eval().to(self.device)
        return built

    def weights(self) -> dict[str, Tensor]:
        """Return what each seed trained."""
        return {f"seed_{one.number}.{name}": value for one in self.heads for name, value in one.weights.items()}

    def prepare(self, options: RunOptions, targets: tuple[str, ...], stop: StopSignal) -> LargeInputs:
        """Return a release as it is. Raise Failed and Stopped."""
        return inputs.prepare(options, targets, stop)

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return 0: which languages the network reads is the user's matter."""
        return 0.0

    def read_video(self, path: str) -> Clip:
        """Return the pictures of a video that the network sees. Raise OSError, and ValueError if it is broken."""
        content = Path(path).read_bytes()
        length = videos.length_of(content)
        return videos.cut(content, self.built.processor.places(length), length.per_second)

    def outputs(self, items: Sequence[tuple[str, Any]]) -> Tensor:
        """Return (heads, items, targets). Raise OSError and ValueError."""
        ready = [(text, self._clip(shown)) for text, shown in items]
        groups = [ready[at : at + BATCH] for at in range(0, len(ready), BATCH)]
        batches = [self.built.processor.batch(one) for one in groups]
        return torch.stack([torch.from_numpy(self.scores(head, batches)) for head in self.heads])

    @torch.inference_mode()
    def scores(self, head: LargeHead, batches: Iterable[dict[str, Any]]) -> np.ndarray:
        """Return the outputs of one seed for all rows of some batches: (n, targets) float32."""
        network = self.built.network
        if self.active != head.number:
            networks.put(network, head.weights, f"Seed {head.number} of the model")
            self.active = head.number
        computes = networks.precision_of(self.about["precision"])
        with torch.autocast(self.device, computes, enabled=computes != torch.float32):
            found = [network(**inputs.to_device(one, self.device)).float().cpu() for one in batches]
        return np.asarray(torch.cat(found))

    def _clip(self, shown: Any) -> Clip:
        """Return frames of the caller as a clip. Without times they are as many a second as the network sees."""
        if isinstance(shown, Clip):
            return shown
        if isinstance(shown, str | Path):
            return self.read_video(str(shown))
        if not shown:
            raise ValueError("An item has no frames.")
        pictures = [one if isinstance(one, Image.Image) else Image.open(one) for one in shown]
        if len({one.size for one in pictures}) > 1:
            raise ValueError(f"The frames have several sizes: {sorted({one.size for one in pictures})}.")
        per_second = self.about["large"]["frames_per_second"]
        return Clip(pictures, [number / per_second for number in range(len(pictures))])


def about_large(options: BackboneOptions) -> dict[str, Any]:
    """Return what model.json says about how the network is built."""
    names = [one.name for one in dataclasses.fields(BackboneOptions) if not one.name.startswith("backbone")]
    return {name: getattr(options, name) for name in names}


def options_of(about: Mapping[str, Any]) -> BackboneOptions:
    """Return the options that a model was built with."""
    named = {name: about[name] for name in ("backbone", "backbone_path")}
    return BackboneOptions(**named, **about["large"])
