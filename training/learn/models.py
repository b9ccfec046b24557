"""A trained model as a folder: `model.safetensors`, `model.json` and a model card. No pickles."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

import training.learn
from training.learn import backbones, card
from training.learn.backbones import Backbone
from training.learn.data import TAGS
from training.learn.events import Failed
from training.learn.features import Reduction
from training.learn.heads import ProductHead
from training.learn.inputs import Inputs, write_json
from training.learn.options import TrainOptions

VERSION = 1


@dataclass(eq=False)
class Model:
    """A reward, cost or moderation model on a frozen backbone. The heads of several seeds score with their mean.

    Attributes:
        kind: `reward` or `moderation`.
        targets: what each output is: questions, or tags.
        about: what model.json says: versions, sizes, thresholds, and where the model comes from.
        backbone_path: folder of the backbone on this machine, if it is not the one that model.json names.
    """

    kind: str
    targets: tuple[str, ...]
    heads: list[ProductHead]
    reduction: Reduction
    about: dict[str, Any]
    backbone_path: str = ""

    @classmethod
    def of_run(
        cls,
        kind: str,
        targets: Sequence[str],
        options: TrainOptions,
        given: Inputs,
        heads: list[ProductHead],
        **more: Any,
    ) -> "Model":
        """Return the model of a run that has just been trained. `more` goes to model.json."""
        prompt_size, clip_size = given.sizes
        about = {
            "model": VERSION,
            "backbone": options.backbone,
            "backbone_path": options.backbone_path,
            "backbone_version": given.version,
            "code_version": training.learn.__version__,
            "prompt_size": prompt_size,
            "clip_size": clip_size,
            "rank": options.rank,
            "seeds": [options.seed + number for number in range(options.seeds)],
            "release": {name: given.release.manifest.get(name) for name in ("title", "study", "release", "licence")},
            "policy": dict(options.policy),
        }
        return cls(kind, tuple(targets), heads, given.reduction, about | more)

    @cached_property
    def backbone(self) -> Backbone:
        """Return the backbone. Raise Failed if its numbers are not those that the model was trained with."""
        made = backbones.make(self.about["backbone"], self.backbone_path or self.about["backbone_path"])
        if made.version != self.about["backbone_version"]:
            raise Failed(
                "bad_model", f"The model was trained on {self.about['backbone_version']}, and this is {made.version}."
            )
        return made

    def save(self, folder: Path, metrics: Sequence[dict[str, Any]]) -> None:
        """Write the folder. model.json comes last, so a folder without it is not complete. Raise OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            f"seed_{n}.{name}": value for n, head in enumerate(self.heads) for name, value in head.state_dict().items()
        }
        weights |= {
            f"reduction.{one.name}": torch.from_numpy(getattr(self.reduction, one.name)) for one in fields(Reduction)
        }
        save_file({name: value.contiguous() for name, value in weights.items()}, folder / "model.safetensors")
        (folder / "README.md").write_text(card.text(self.kind, self.targets, self.about, metrics), "utf-8")
        write_json(folder / "model.json", {"kind": self.kind, "targets": list(self.targets)} | self.about)

    def embed(self, prompts: Sequence[str], clips: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return prompts and clips as the heads read them."""
        prompt = self.reduction.prompts(self.backbone.embed_prompts(prompts))
        clip = self.reduction.clips(self.backbone.embed_clips(clips))
        return torch.from_numpy(prompt).float(), torch.from_numpy(clip).float()

    @torch.no_grad()
    def score(self, items: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, float]]:
        """Score videos, each with its prompt.

        Args:
            items: prompts, each with up to 8 frames in the order of time: paths, or pictures of Pillow.

        Returns:
            For a reward model a score by target, and for harmlessness the cost, which is the score's negative. For a
            moderation model the probability of each tag, and of any harm.

        Raises:
            OSError: a frame cannot be read.
            ValueError: an item has no frames, or frames of several sizes.
        """
        if not items:
            return []
        prompt, clip = self.embed([text for text, _ in items], [_clip(frames) for _, frames in items])
        outputs = torch.stack([self.chances(head(prompt, clip)) for head in self.heads]).mean(0)  # (items, targets)
        found = [dict(zip(self.targets, map(float, one), strict=True)) for one in outputs]
        for one in found if self.kind == "reward" and "harmlessness" in self.targets else ():
            one["cost"] = -one["harmlessness"]
        return found

    def chances(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return scores as they are, and logits of tags as probabilities, without the weights of their classes."""
        if self.kind == "reward":
            return outputs
        return torch.sigmoid(outputs - torch.tensor(self.about["class_weights"]).log())

    def eta(self, head: ProductHead) -> np.ndarray:
        """Return for each target how readily people call a tie; 0 where there are none."""
        return np.asarray(F.softplus(head.eta.detach())) * np.array(self.about["ties"], np.float32)


def load(folder: str | Path, backbone_path: str = "") -> Model:
    """Return the model of a folder. Raise Failed if it is none, or made by a newer version.

    Args:
        backbone_path: folder of the backbone on this machine. Default: the one on which the model was trained.
    """
    root = Path(folder)
    try:
        about = json.loads((root / "model.json").read_text("utf-8"))
        weights = load_file(root / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise Failed(
            "bad_model", f"{root} is no folder of a model: {error}. Give the folder `model` of a run."
        ) from error
    if about.get("model") != VERSION:
        raise Failed("bad_model", f"{root} was made by another version: {about.get('model')} instead of {VERSION}.")
    kind, targets = about.pop("kind"), tuple(about.pop("targets"))
    heads = []
    for number in range(len(about["seeds"])):
        head = ProductHead(about["prompt_size"], about["clip_size"], len(targets), about["rank"])
        prefix = f"seed_{number}."
        head.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
        heads.append(head.eval())
    reduction = Reduction(*(weights[f"reduction.{one.name}"].numpy() for one in fields(Reduction)))
    return Model(kind, targets, heads, reduction, about, backbone_path)


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
