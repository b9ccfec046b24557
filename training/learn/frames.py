"""The frames of a release: read from its archives, in order, and told apart by their bytes."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from diptych_client.release_folder import Release
from training.learn.backbones import clip_of
from training.learn.data import Tables
from training.learn.events import Failed

#: In place of the number of a clip.
UNREADABLE, NOT_THERE = -1, -2


@dataclass(eq=False)
class Frames:
    """Which frames each T-V pair has.

    Attributes:
        clip: (videos,) number of its frames among all different ones; −1: it has none, or they cannot be read.
        digests: of each different clip.
        missing: number of T-V pairs without frames.
        unreadable: number of different clips that cannot be read.
    """

    clip: np.ndarray
    digests: list[bytes]
    missing: int
    unreadable: int


def find(release: Release, tables: Tables) -> Frames:
    """Read the frames of all T-V pairs once, and tell which are the same, and which cannot be read. Raise Failed."""
    keys = tables.video_ids.keys()
    order = np.argsort(keys, kind="stable")
    clip = np.full(len(keys), NOT_THERE, np.int64)
    numbers: dict[bytes, int] = {}
    unreadable: set[bytes] = set()
    for video_id, pictures in of_release(release):
        key = np.frombuffer(bytes.fromhex(video_id)[:8], np.int64)[0]
        at = np.searchsorted(keys, key, sorter=order)
        if at == len(keys) or keys[order[at]] != key:
            continue  # nobody judged this video
        digest = digest_of(pictures)
        if digest not in numbers and digest not in unreadable:
            if read_clip(pictures) is not None:
                numbers[digest] = len(numbers)
            else:
                unreadable.add(digest)
        clip[order[at]] = numbers.get(digest, UNREADABLE)
    missing = int((clip == NOT_THERE).sum())
    return Frames(np.maximum(clip, UNREADABLE), list(numbers), missing, len(unreadable))


def read_clip(pictures: list[bytes]) -> Tensor | None:
    """Return the frames as (8, 3, height, width), uint8, or None if they cannot be read or differ in size."""
    try:
        return clip_of([Image.open(io.BytesIO(one)) for one in pictures])
    except (OSError, ValueError, RuntimeError, SyntaxError):  # what Pillow and torch raise for damaged or odd frames
        return None


def of_release(release: Release) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each video that has frames, and their JPEG files in the order of time. Archives are read once, in order.

    Raise Failed if there are no archives, or one is damaged.
    """
    paths = [
        one["path"] for one in release.manifest["files"] if one["kind"] == "frames" and one["path"].endswith(".tar")
    ]
    if not paths:
        raise Failed("bad_release", f"{release.root} has no frames. Make the release with the format frames.")
    for path in paths:
        try:
            yield from _members(release.root / path)
        except (OSError, tarfile.TarError) as error:
            raise Failed("bad_release", f"{release.root / path} cannot be read: {error}. Download it again.") from error


def _members(path: Path) -> Iterator[tuple[str, list[bytes]]]:
    now, pictures = "", list[bytes]()
    with tarfile.open(path, "r:") as archive:
        for member in archive:
            video_id = member.name.rpartition("/")[2].partition(".")[0]
            if video_id != now:
                if pictures:
                    yield now, pictures
                now, pictures = video_id, []
            content = archive.extractfile(member)
            pictures.append(content.read() if content else b"")
            archive.members = []  # type: ignore[attr-defined] # else the headers of all files stay in memory
    if pictures:
        yield now, pictures


def digest_of(pictures: list[bytes]) -> bytes:
    """Return what is the same for the same frames only: 32 bytes."""
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(len(one).to_bytes(8, "big"))
        digest.update(one)
    return digest.digest()
