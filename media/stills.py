"""Measure the small pictures of all frames: write the strip, find keyframes, and measure how much the picture moves.

ffmpeg writes the small pictures raw into one file, 4:2:0 with full range: `width × height` bytes of luma, then the two
planes of colour at half the size. So each frame is found by its index, without decoding the video again.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops

from media import likeness
from media.names import STRIP_TILES, TRAINING_FRAMES

BOX = (160, 90)  # pixels; small pictures fit into this size
KEYFRAMES = 8
SAME_DB = 100.0  # value for identical pictures, whose ratio is infinite


def small_size(width: int, height: int) -> tuple[int, int]:
    """Return width and height of the small picture: even, and within `BOX`."""
    shrink = min(BOX[0] / width, BOX[1] / height)
    return max(2, int(width * shrink) // 2 * 2), max(2, int(height * shrink) // 2 * 2)


def spread(frames: int, wanted: int) -> list[int]:
    """Return `wanted` indices, evenly spaced from the first of `frames` to the last. Short videos repeat some."""
    return [round(step * (frames - 1) / (wanted - 1)) for step in range(wanted)]


class Measures(NamedTuple):
    """Values that are measured from the small pictures."""

    keyframes: tuple[int, ...]  # indices, the greatest change first
    psnr_to_first: tuple[float, ...]  # dB, of the first training frame against each later one
    frame_hashes: tuple[int, ...]  # 3 words for each of 8 small pictures, which show the whole frame; see `likeness`


class Stills:
    """The small pictures in the file at `path`, each of `size` pixels."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path = path
        self.size = size
        self._luma = size[0] * size[1]
        self._bytes = self._luma * 3 // 2
        self._frames = path.stat().st_size // self._bytes

    def __len__(self) -> int:
        return self._frames

    def luma(self, index: int) -> Image.Image:
        """Return one frame in grey."""
        return self.planes(index)[0]

    def planes(self, index: int) -> list[Image.Image]:
        """Return the luma of one frame, and its blue and red difference at half the size."""
        with self.path.open("rb") as file:
            file.seek(index * self._bytes)
            content = file.read(self._bytes)
        half, quarter = (self.size[0] // 2, self.size[1] // 2), self._luma // 4
        blue, red = content[self._luma : self._luma + quarter], content[self._luma + quarter :]
        parts = ((self.size, content[: self._luma]), (half, blue), (half, red))
        return [Image.frombytes("L", size, part) for size, part in parts]

    def measure(self, strip: Path, chosen: list[int]) -> Measures:
        """Write the strip to this path, and return the measures. `chosen` are the indices of the training frames."""
        self.write_strip(strip)
        return Measures(tuple(self.keyframes()), tuple(self.psnr_to_first(chosen[1:])), tuple(self.hashes()))

    def write_strip(self, path: Path) -> None:
        """Write 8 pictures side by side as a JPEG."""
        width, height = self.size
        strip = Image.new("YCbCr", (width * STRIP_TILES, height))
        for place, index in enumerate(spread(len(self), STRIP_TILES)):
            whole = [plane.resize(self.size) for plane in self.planes(index)]
            strip.paste(Image.merge("YCbCr", whole), (place * width, 0))
        strip.save(path, quality=80)

    def keyframes(self) -> list[int]:
        """Return up to 8 indices of the frames that differ most from the previous frame, greatest difference first.

        These frames are shown to AI judges (SafeSora, appendix on AI feedback). The first frame has no previous one.
        """
        changes: list[tuple[float, int]] = []
        before: Image.Image | None = None
        for index, frame in enumerate(self._all_luma()):
            if before is not None:
                changes.append((-_mean_difference(before, frame), index))
            before = frame
        return [index for _, index in sorted(changes)[:KEYFRAMES]]

    def psnr_to_first(self, indices: list[int]) -> list[float]:
        """Return the PSNR in dB of the first frame against each of `indices`. It is high if nothing moves."""
        first = self.luma(0)
        return [round(_psnr(first, self.luma(index)), 2) for index in indices]

    def hashes(self) -> list[int]:
        """Return 3 words of 64 bits for each of 8 frames, evenly spaced from the first to the last."""
        chosen = spread(len(self), TRAINING_FRAMES)
        return [word for index in chosen for word in likeness.words(*self.planes(index))]

    def _all_luma(self) -> Iterator[Image.Image]:
        with self.path.open("rb") as file:
            for _ in range(self._frames):
                yield Image.frombytes("L", self.size, file.read(self._bytes)[: self._luma])


def _mean_difference(one: Image.Image, other: Image.Image) -> float:
    counts = ImageChops.difference(one, other).histogram()
    return sum(level * count for level, count in enumerate(counts)) / sum(counts)


def _psnr(one: Image.Image, other: Image.Image) -> float:
    counts = ImageChops.difference(one, other).histogram()
    mean_square = sum(level * level * count for level, count in enumerate(counts)) / sum(counts)
    return 10 * math.log10(255**2 / mean_square) if mean_square else SAME_DB
