"""Prompts and pictures as the tensors of each network.

The processors of `transformers` for these networks want torchvision, so the few lines that are needed are here.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.learn.backbones import FRAMES, chosen
from training.learn.large.videos import Clip, Length
from training.learn.options import BackboneOptions

#: What the vision tower of Video-LLaVA was trained with, by channel.
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
#: In `mm_token_type_ids` of Qwen3-VL.
TEXT, VIDEO = 0, 2


class Processor(Protocol):
    """What makes tensors for a network."""

    def places(self, length: Length) -> list[int]:
        """Return which pictures of a video the network sees, in the order of time."""

    def batch(self, items: Sequence[tuple[str, Clip]]) -> dict[str, Tensor]:
        """Return the arguments of `Network.forward` for prompts, each with its clip."""


class VideoLlavaProcessor:
    """The prompt, then 8 pictures: the short side is made as long as the network's pictures, and the centre is kept.

    Fewer than 8 pictures are followed by black ones.
    """

    def __init__(self, tokenizer: Any, config: Any, options: BackboneOptions) -> None:
        self.tokens = _Tokens(tokenizer, (config.image_token_id, config.video_token_id), options.prompt_tokens)
        self.video = config.video_token_id
        self.size = config.vision_config.image_size
        self.tokens_of_picture = (self.size // config.vision_config.patch_size) ** 2 + 1  # with the class token

    def places(self, length: Length) -> list[int]:
        """Return 8 evenly spaced pictures, the first and the last included."""
        return sorted(chosen(length.pictures))

    def batch(self, items: Sequence[tuple[str, Clip]]) -> dict[str, Tensor]:
        """Return input_ids and attention_mask (B, L), positions (B, 1), pixel_values_videos (B, 8, 3, size, size)."""
        rows = [
            [
                *self.tokens.begin,
                *self.tokens.of("USER: "),
                *self.tokens.of_prompt(prompt),
                *self.tokens.of("\n"),
                *[self.video] * (FRAMES * self.tokens_of_picture),
                *self.tokens.of(" ASSISTANT:"),
            ]
            for prompt, _clip in items
        ]
        pixels = torch.stack([self._pixels(clip) for _prompt, clip in items])
        last = torch.tensor([[len(row) - 1] for row in rows])
        return self.tokens.padded(rows) | {"positions": last, "pixel_values_videos": pixels}

    def _pixels(self, clip: Clip) -> Tensor:
        """Return (8, 3, size, size), normalised."""
        pictures = [centre_crop(one, self.size) for one in clip.pictures[:FRAMES]]
        pictures += [Image.new("RGB", (self.size, self.size))] * (FRAMES - len(pictures))
        return _normalised(pictures, MEAN, DEVIATION)


class QwenProcessor:
    """The prompt, then so many pictures a second, each two with their time, then one reward token for each output."""

    def __init__(self, tokenizer: Any, config: Any, options: BackboneOptions, rewards: Sequence[int]) -> None:
        own = (config.image_token_id, config.video_token_id, config.vision_start_token_id, config.vision_end_token_id)
        self.tokens = _Tokens(tokenizer, (*own, *rewards), options.prompt_tokens)
        _image, self.video, self.start, self.end = own
        vision = config.vision_config
        self.patch, self.merge, self.temporal = vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size
        self.options, self.rewards = options, list(rewards)

    def places(self, length: Length) -> list[int]:
        """Return evenly spaced pictures, the first and the last included: as many a second as the options say."""
        wanted = int(length.pictures / length.per_second * self.options.frames_per_second)
        number = min(max(wanted, self.temporal), self.options.most_frames, length.pictures)
        return [int(one) for one in np.linspace(0, length.pictures - 1, number).round()]

    def batch(self, items: Sequence[tuple[str, Clip]]) -> dict[str, Tensor]:
        """Return input_ids, attention_mask and mm_token_type_ids (B, L), positions (B, outputs), patches and grids.

        pixel_values_videos is (patches of all videos, 3 · temporal · patch²), and video_grid_thw (B, 3).
        """
        rows, types, patches, grids = [], [], [], []
        for prompt, clip in items:
            size = fitting_size(*clip.pictures[0].size, self.options.most_pixels, self.patch * self.merge)
            pixels = _normalised([_resized(one, size) for one in clip.pictures], (0.5,) * 3, (0.5,) * 3)
            of_video, grid = patchify(pixels, self.patch, self.merge, self.temporal)
            row = [*self.tokens.begin, *self.tokens.of_prompt(prompt), *self.tokens.of("\n")]
            kinds = [TEXT] * len(row)
            each = grid[1] * grid[2] // self.merge**2
            for second in _times(clip.times, grid[0], self.temporal):
                stamp = self.tokens.of(f"<{second:.1f} seconds>")
                row += [*stamp, self.start, *[self.video] * each, self.end]
                kinds += [TEXT] * (len(stamp) + 1) + [VIDEO] * each + [TEXT]
            rows.append(row + self.rewards)
            types.append(kinds + [TEXT] * len(self.rewards))
            patches.append(of_video)
            grids.append(grid)
        number = torch.arange(len(self.rewards))
        positions = torch.stack([len(row) - len(self.rewards) + number for row in rows])
        return self.tokens.padded(rows) | {
            "positions": positions,
            "mm_token_type_ids": _padded(types, TEXT),
            "pixel_values_videos": torch.cat(patches),
            "video_grid_thw": torch.tensor(grids),
        }


class _Tokens:
    """A tokenizer that never makes special tokens of what a prompt says.

    Args:
        reserved: further tokens that a prompt cannot have.
        most: tokens of a prompt; longer ones are cut.
    """

    def __init__(self, tokenizer: Any, reserved: Sequence[int], most: int) -> None:
        self.tokenizer, self.most = tokenizer, most
        self.reserved = {*tokenizer.all_special_ids, *reserved}
        self.begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        self.pad = tokenizer.pad_token_id or 0

    def of(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def of_prompt(self, text: str) -> list[int]:
        return [one for one in self.of(text) if one not in self.reserved][: self.most]

    def padded(self, rows: Sequence[list[int]]) -> dict[str, Tensor]:
        """Return input_ids and attention_mask, padded at the end."""
        return {"input_ids": _padded(rows, self.pad), "attention_mask": _padded([[1] * len(row) for row in rows], 0)}


def centre_crop(picture: Image.Image, size: int) -> Image.Image:
    """Return the square in the middle, `size` pixels wide."""
    scale = size / min(picture.size)
    picture = picture.resize([max(size, round(side * scale)) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = ((side - size) // 2 for side in picture.size)
    return picture.crop((left, top, left + size, top + size))


def fitting_size(width: int, height: int, most_pixels: int, factor: int) -> tuple[int, int]:
    """Return the width and height nearest to a picture's that are multiples of `factor`, of at most so many pixels."""
    scale = min(1.0, math.sqrt(most_pixels / (width * height)))
    near = [max(factor, round(side * scale / factor) * factor) for side in (width, height)]
    if math.prod(near) > most_pixels:
        near = [max(factor, math.floor(side * scale / factor) * factor) for side in (width, height)]
    return near[0], near[1]


def patchify(pixels: Tensor, patch: int, merge: int, temporal: int) -> tuple[Tensor, tuple[int, int, int]]:
    """Return the patches of a video in the order of Qwen3-VL, and how many there are in time, height and width.

    Args:
        pixels: (T, 3, height, width); both sides are multiples of patch · merge. The last picture is repeated until T
            is a multiple of `temporal`.

    Returns:
        (patches, 3 · temporal · patch²). Those that are merged to one token are neighbours.
    """
    if missing := -len(pixels) % temporal:
        pixels = torch.cat([pixels, pixels[-1:].expand(missing, -1, -1, -1)])
    time, channels, height, width = pixels.shape
    grid = (time // temporal, height // patch, width // patch)
    parts = pixels.reshape(grid[0], temporal, channels, grid[1] // merge, merge, patch, grid[2] // merge, merge, patch)
    ordered = parts.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)  # (t, h, w, merged h, merged w, channel, in time, y, x)
    return ordered.reshape(math.prod(grid), channels * temporal * patch * patch), grid


def _times(times: Sequence[float], groups: int, temporal: int) -> list[float]:
    """Return the middle of the first and the last time of each group of pictures, in seconds."""
    ends = [(at * temporal, min((at + 1) * temporal, len(times)) - 1) for at in range(groups)]
    return [(times[first] + times[last]) / 2 for first, last in ends]


def _resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


def _normalised(pictures: Sequence[Image.Image], mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Return (T, 3, height, width) of pictures of one size."""
    if any(one.size != other.size for one, other in pairwise(pictures)):
        raise ValueError("The frames have several sizes.")
    pixels = torch.from_numpy(np.stack([np.asarray(one.convert("RGB")) for one in pictures])).permute(0, 3, 1, 2)
    shape = (1, 3, 1, 1)
    return (pixels.float() / 255 - torch.tensor(mean).view(shape)) / torch.tensor(deviation).view(shape)


def _padded(rows: Sequence[list[int]], fill: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [fill] * (longest - len(row)) for row in rows])
