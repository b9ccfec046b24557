"""A trained model as a folder: `model.safetensors`, `model.json` and a model card. No pickles."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

import training.learn
from diptych_client.release_folder import Release
from training.learn import backbones, card, inputs, loop
from training.learn.backbones import Backbone
from training.learn.checkpoints import Checkpoint
from training.learn.data import TAGS
from training.learn.events import Failed, StopSignal
from training.learn.features import Reduction
from training.learn.heads import ProductHead, seeded_head
from training.learn.inputs import Inputs, write_json
from training.learn.options import RunOptions, TrainOptions

VERSION = 1
WEIGHTS = "model.safetensors"


@dataclass(eq=False)
class Trained:
    """A reward, cost or moderation model of any backbone. The heads of several seeds score with their mean.

    Attributes:
        kind: `reward` or `moderation`.
        targets: what each output is: questions, or tags.
        about: what model.json says: versions, sizes, thresholds, and where the model comes from.
        heads: what each seed trained.
    """

    kind: str
    targets: tuple[str, ...]
    about: dict[str, Any]
    heads: Sequence[Any]

    #: Whether `score` also takes the path of a video in place of frames.
    reads_videos: ClassVar[bool] = False

    def weights(self) -> dict[str, torch.Tensor]:
        """Return what model.safetensors has."""
        raise NotImplementedError

    def prepare(self, options: RunOptions, targets: tuple[str, ...], stop: StopSignal) -> Any:
        """Return a release as this model reads it. Raise Failed and Stopped."""
        raise NotImplementedError

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of tokens of these prompts that the text encoder does not know."""
        raise NotImplementedError

    def read_video(self, path: str) -> Any:
        """Return a video as `score` takes it, if `reads_videos`. Raise OSError and ValueError."""
        raise NotImplementedError

    def outputs(self, items: Sequence[tuple[str, Sequence[Any]]]) -> torch.Tensor:
        """Return scores or logits: (heads, items, targets). Raise OSError and ValueError."""
        raise NotImplementedError

    def save(self, folder: Path, metrics: Sequence[dict[str, Any]]) -> None:
        """Write the folder. model.json comes last, so a folder without it is not complete. Raise OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in self.weights().items()}, folder / WEIGHTS)
        (folder / "README.md").write_text(card.text(self.kind, self.targets, self.about, metrics), "utf-8")
        write_json(folder / "model.json", {"kind": self.kind, "targets": list(self.targets)} | self.about)

    @torch.no_grad()
    def score(self, items: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, float]]:
        """Score videos, each with its prompt.

        Args:
            items: prompts, each with up to 8 frames in the order of time: paths, or pictures of Pillow. Large backbones
                also take what their `read_video` returns in place of frames.

        Returns:
            For a reward model a score by target, and for harmlessness the cost, which is the score's negative. For a
            moderation model the probability of each tag, and of any harm.

        Raises:
            OSError: a frame cannot be read.
            ValueError: an item has no frames, or frames of several sizes.
        """
        if not items:
            return []
        outputs = torch.stack([self.chances(one) for one in self.outputs(items)]).mean(0)  # (items, targets)
        found = [dict(zip(self.targets, map(float, one), strict=True)) for one in outputs]
        for one in found if self.kind == "reward" and "harmlessness" in self.targets else ():
            one["cost"] = -one["harmlessness"]
        return found

    def chances(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return scores as they are, and logits of tags as probabilities, without the weights of their classes."""
        if self.kind == "reward":
            return outputs
        return torch.sigmoid(outputs - torch.tensor(self.about["class_weights"]).log())

    def eta(self, head: Any) -> np.ndarray:
        """Return for each target how readily people call a tie; 0 where there are none."""
        return np.asarray(F.softplus(head.eta.detach())) * np.array(self.about["ties"], np.float32)


def about_run(options: TrainOptions, release: Release, version: str, **more: Any) -> dict[str, Any]:
    """Return what model.json says about a run that has just trained. `version` is that of the backbone."""
    return {
        "model": VERSION,
        "backbone": options.backbone,
        "backbone_path": options.backbone_path,
        "backbone_version": version,
        "code_version": training.learn.__version__,
        "seeds": [options.seed + number for number in range(options.seeds)],
        "release": {name: release.manifest.get(name) for name in ("title", "study", "release", "licence", "simulated")},
        "policy": dict(options.policy),
    } | more


@dataclass(eq=False)
class Model(Trained):
    """A model of a frozen backbone: `small` or `embed`."""

    heads: list[ProductHead]
    reduction: Reduction

    @classmethod
    def of_weights(
        cls, kind: str, targets: tuple[str, ...], about: dict[str, Any], weights: Mapping[str, torch.Tensor]
    ) -> "Model":
        """Return a model with the weights of its file."""
        heads = []
        for number in range(len(about["seeds"])):
            head = ProductHead(about["prompt_size"], about["clip_size"], len(targets), about["rank"])
            head.load_state_dict(with_prefix(weights, f"seed_{number}."))
            heads.append(head.eval())
        reduction = Reduction(*(weights[f"reduction.{one.name}"].numpy() for one in fields(Reduction)))
        return cls(kind, targets, about, heads, reduction)

    @cached_property
    def backbone(self) -> Backbone:
        """Return the backbone. Raise Failed if its numbers are not those that the model was trained with."""
        made = backbones.make(self.about["backbone"], self.about["backbone_path"])
        refuse_other_backbone(self.about, made.version)
        return made

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the heads and the reduction."""
        found = {
            f"seed_{n}.{name}": value for n, head in enumerate(self.heads) for name, value in head.state_dict().items()
        }
        return found | {
            f"reduction.{one.name}": torch.from_numpy(getattr(self.reduction, one.name)) for one in fields(Reduction)
        }

    def prepare(self, options: RunOptions, targets: tuple[str, ...], stop: StopSignal) -> Inputs:
        """Return a release, embedded. Raise Failed and Stopped."""
        return inputs.prepare(options, targets, stop, self.backbone, self.reduction)

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of tokens that the backbone does not know."""
        return self.backbone.unknown_share(texts)

    def outputs(self, items: Sequence[tuple[str, Sequence[Any]]]) -> torch.Tensor:
        """Return (heads, items, targets). Raise OSError and ValueError."""
        prompt, clip = self.embed([text for text, _ in items], [_clip(frames) for _, frames in items])
        return torch.stack([head(prompt, clip) for head in self.heads])

    def embed(self, prompts: Sequence[str], clips: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return prompts and clips as the heads read them."""
        prompt = self.reduction.prompts(self.backbone.embed_prompts(prompts))
        clip = self.reduction.clips(self.backbone.embed_clips(clips))
        return torch.from_numpy(prompt).float(), torch.from_numpy(clip).float()


def fit(
    kind: str,
    targets: Sequence[str],
    task: loop.Task,
    given: Inputs,
    options: TrainOptions,
    checkpoint: Checkpoint,
    stop: StopSignal,
    **more: Any,
) -> Model:
    """Train the heads of all seeds, and return the model. `more` goes to model.json. Raise Failed and Stopped."""
    prompt_size, clip_size = given.sizes
    sizes = (prompt_size, clip_size, len(targets), options.rank)
    heads = [seeded_head(*sizes, options.seed + number) for number in range(options.seeds)]
    heads = loop.fit(heads, task, options, checkpoint, stop)
    sized = {"prompt_size": prompt_size, "clip_size": clip_size, "rank": options.rank}
    about = about_run(options, given.release, given.version, **sized, **more)
    return Model(kind, tuple(targets), about, heads, given.reduction)


def refuse_other_backbone(about: Mapping[str, Any], version: str) -> None:
    """Raise Failed if a backbone is not the one that a model was trained with."""
    if version != about["backbone_version"]:
        raise Failed("bad_model", f"The model was trained on {about['backbone_version']}, and this is {version}.")


def with_prefix(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the weights whose names begin with this, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def tag_code(tag: str) -> str:
    """Return S1 to S12 for a tag, and the name of any harm as it is."""
    place = TAGS.index(tag)
    return f"S{place + 1}" if place < len(TAGS) - 1 else tag


def finite(value: float) -> float | None:
    """Return a number that JSON has, or None."""
    return value if math.isfinite(value) else None


def _clip(frames: Sequence[Any]) -> torch.Tensor:
    if not frames:
        raise ValueError("An item has no frames.")
    pictures = [one if isinstance(one, Image.Image) else Image.open(one) for one in frames]
    if len({one.size for one in pictures}) > 1:
        raise ValueError(f"The frames have several sizes: {sorted({one.size for one in pictures})}.")
    return backbones.clip_of(pictures)
