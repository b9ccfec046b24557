"""Embeddings of the prompts and clips of a release, as memory-mapped arrays.

Each embedding is computed once and stored by the hash of its content, in a folder that runs share.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import platformdirs
from torch import Tensor

from diptych_client.release_folder import Release
from training.learn import data, frames
from training.learn.backbones import Backbone
from training.learn.events import StopSignal, emit
from training.learn.frames import Frames

#: Principal components of a clip.
COMPONENTS = 48
#: Of the search for them: spare directions, and rounds.
OVERSAMPLED, ROUNDS = 16, 12
#: Texts and clips that are embedded at a time.
TEXTS, CLIPS = 64, 8


class Cache:
    """Embeddings of one backbone by the hash of their content: a file each, written whole or not at all."""

    def __init__(self, folder: str, version: str) -> None:
        self.root = (Path(folder) if folder else platformdirs.user_cache_path("diptych-learn")) / version

    def path(self, digest: bytes) -> Path:
        """Return where an embedding is, or would be."""
        return self.root / digest.hex()[:2] / f"{digest.hex()}.npy"

    def get(self, digest: bytes) -> np.ndarray | None:
        """Return an embedding, or None if it is not there or is damaged."""
        try:
            return np.asarray(np.load(self.path(digest), allow_pickle=False))
        except (OSError, ValueError, EOFError):
            return None

    def put(self, digest: bytes, embedding: np.ndarray) -> None:
        """Store an embedding. Raise OSError."""
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            np.save(file, embedding.astype(np.float32))
        os.replace(file.name, path)


def embed_clips(release: Release, found: Frames, backbone: Backbone, cache: Cache, stop: StopSignal) -> None:
    """Embed the clips that are not in the cache. Raise Stopped."""
    wanted = {digest for digest in found.digests if not cache.path(digest).exists()}
    done, of = len(found.digests) - len(wanted), len(found.digests)
    emit("stage", stage="embedding", done=done, of=of)
    for group in data.groups(_wanted(release, wanted), CLIPS) if wanted else ():
        stop.check()
        embeddings = backbone.embed_clips([clip for _digest, clip in group])
        for (digest, _clip), embedding in zip(group, embeddings, strict=True):
            cache.put(digest, embedding)
        done += len(group)
        emit("stage", stage="embedding", done=done, of=of)


def _wanted(release: Release, wanted: set[bytes]) -> Iterator[tuple[bytes, Tensor]]:
    for _video_id, pictures in frames.of_release(release):
        if (digest := frames.digest_of(pictures)) in wanted:
            wanted.discard(digest)
            if (clip := frames.read_clip(pictures)) is not None:
                yield digest, clip


def embed_prompts(release: Release, path: Path, backbone: Backbone, cache: Cache, stop: StopSignal) -> np.memmap:
    """Embed all prompts into a file. Return (prompts, prompt_size), in the order of the release. Raise Stopped."""
    rows: Callable[[], Iterator[str]] = lambda: (one.text for one in release.prompts())  # noqa: E731
    result = _mapped(path, sum(1 for _ in rows()), backbone.prompt_size)
    for group in data.groups(enumerate(rows()), TEXTS):
        stop.check()
        digests = [hashlib.sha256(text.encode()).digest() for _row, text in group]
        stored = [cache.get(digest) for digest in digests]
        new = [text for (_row, text), one in zip(group, stored, strict=True) if one is None]
        computed = iter(backbone.embed_prompts(new)) if new else iter(())
        for (row, _text), digest, one in zip(group, digests, stored, strict=True):
            if one is None:
                one = next(computed)
                cache.put(digest, one)
            result[row] = one
    return result


@dataclass(eq=False)
class Reduction:
    """How an embedding of the backbone becomes the numbers that a head reads. It is fitted on training clips only.

    Attributes:
        mean: (embedded,) of the clips.
        components: (embedded − kept, components) principal ones, unwhitened.
        scale: (components + kept,) of the result.
        prompt_mean, prompt_scale: of the embeddings of prompts.
    """

    mean: np.ndarray
    components: np.ndarray
    scale: np.ndarray
    prompt_mean: np.ndarray
    prompt_scale: np.ndarray

    def clips(self, embedded: np.ndarray) -> np.ndarray:
        """Return (clips, components + kept) of (clips, embedded)."""
        centred = embedded - self.mean
        size = len(self.components)
        return np.concatenate([centred[:, :size] @ self.components, centred[:, size:]], 1) / self.scale

    def prompts(self, embedded: np.ndarray) -> np.ndarray:
        """Return (prompts, prompt_size)."""
        return (embedded - self.prompt_mean) / self.prompt_scale


def fit_reduction(clips: Iterator[np.ndarray], prompts: np.ndarray, kept: int) -> Reduction:
    """Fit on training clips, (embedded,) each, and on training prompts. Memory does not grow with the clips."""
    first = next(clips)
    n, total, squares = 0, np.zeros(len(first)), np.zeros((len(first), len(first)))
    for group in data.groups(chain([first], clips), 256):
        block = np.asarray(group, np.float64)
        n, total, squares = n + len(block), total + block.sum(0), squares + block.T @ block
    mean = total / n
    covariance = squares / n - np.outer(mean, mean)
    size = len(first) - kept
    wanted = max(1, min(COMPONENTS, n - 1, size))
    components, values = principal(covariance[:size, :size], wanted)
    spread = np.sqrt(max(values.mean(), 1e-12))
    own = np.sqrt(np.maximum(np.diag(covariance)[size:], 1e-12))
    mean[size:] = 0  # 0 is no drift
    prompt_mean = np.asarray(prompts, np.float64).mean(0)
    prompt_scale = np.sqrt(max(np.asarray(prompts, np.float64).var(0).mean(), 1e-12))
    scale = np.concatenate([np.full(wanted, spread), own])
    parts = (mean, components, scale, prompt_mean, np.array([prompt_scale]))
    return Reduction(*(np.ascontiguousarray(one, np.float32) for one in parts))


def principal(covariance: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal components, (size, wanted), and their variances, the largest first.

    Subspace iteration: a tenth of the time of all eigenvectors, of which most are not wanted.
    """
    size = len(covariance)
    spare = min(size, wanted + OVERSAMPLED)
    base = np.linalg.qr(np.random.default_rng(0).normal(size=(size, spare)))[0]
    for _round in range(ROUNDS):
        base = np.linalg.qr(covariance @ base)[0]
    values, turn = np.linalg.eigh(base.T @ covariance @ base)
    components = (base @ turn)[:, ::-1][:, :wanted]
    components *= np.where(components.sum(0) < 0, -1, 1)  # the sign is arbitrary
    return components, values[::-1][:wanted]


def reduced_clips(found: Frames, cache: Cache, reduction: Reduction, path: Path) -> np.memmap:
    """Return (clips, components + kept) in a file. Clips that cannot be read have zeros, and no T-V pair has them."""
    result = _mapped(path, max(len(found.digests), 1), len(reduction.scale))
    for row, digest in enumerate(found.digests):
        if (one := cache.get(digest)) is not None:
            result[row] = reduction.clips(one[None])[0]
    return result


def _mapped(path: Path, rows: int, size: int) -> np.memmap:
    return np.lib.format.open_memmap(path, "w+", np.float32, (max(rows, 1), size))
