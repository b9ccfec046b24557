"""Pictures out of the playback files of a release, decoded with PyAV whenever they are needed."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import av
import numpy as np
from PIL import Image

from diptych_client.release_folder import FolderError, Release
from training.learn.data import Tables
from training.learn.events import Failed, StopSignal, emit
from training.learn.features import Cache
from training.learn.frames import NOT_THERE, UNREADABLE, Frames

#: The name of the folder in the cache that says which files can be decoded.
VERSION = "videos-1"
#: Files between two lines of progress.
EVERY = 100


class Clip(NamedTuple):
    """Pictures of a video in the order of time, and when each is shown, in seconds."""

    pictures: Sequence[Image.Image]
    times: Sequence[float]


class Length(NamedTuple):
    """How many pictures a file has, and how many a second. 0 pictures: it cannot be decoded."""

    pictures: int
    per_second: float


@dataclass(eq=False)
class Videos:
    """The different playback files of a release, by number.

    Attributes:
        ids: of one T-V pair that has this file.
        lengths: of each file.
    """

    release: Release
    ids: list[str]
    lengths: list[Length]

    def content(self, number: int) -> bytes:
        """Return the bytes of a file. Raise Failed."""
        try:
            return self.release.video(self.ids[number])
        except FolderError as error:
            raise Failed("bad_release", str(error)) from error


def find(release: Release, tables: Tables, cache: Cache, stop: StopSignal) -> tuple[Frames, Videos]:
    """Read all playback files once, and tell which are the same, and which cannot be decoded.

    A file is decoded only if no run has done so before. Raise Failed if the release has no videos, and Stopped.
    """
    if not any(one["kind"] in ("videos", "single_videos") for one in release.manifest["files"]):
        raise Failed(
            "bad_release",
            f"{release.root} has no videos, which this backbone needs. Make the release with the format videos.",
        )
    clip = np.full(len(tables.video_ids), NOT_THERE, np.int64)
    numbers: dict[bytes, int] = {}
    videos = Videos(release, [], [])
    unreadable: set[bytes] = set()
    for row in range(len(clip)):
        stop.check()
        if row % EVERY == 0:
            emit("stage", stage="embedding", done=row, of=len(clip))
        try:
            content = release.video(tables.video_ids[row])
        except FolderError:
            continue
        digest = hashlib.sha256(content).digest()
        if digest not in numbers and digest not in unreadable:
            length = _known_length(content, digest, cache)
            if length.pictures:
                numbers[digest] = len(numbers)
                videos.ids.append(tables.video_ids[row])
                videos.lengths.append(length)
            else:
                unreadable.add(digest)
        clip[row] = numbers.get(digest, UNREADABLE)
    emit("stage", stage="embedding", done=len(clip), of=len(clip))
    missing = int((clip == NOT_THERE).sum())
    return Frames(np.maximum(clip, UNREADABLE), list(numbers), missing, len(unreadable)), videos


def length_of(content: bytes) -> Length:
    """Decode a whole file and return its length. Raise ValueError if it cannot be decoded."""
    try:
        with av.open(io.BytesIO(content)) as file:
            per_second = float(file.streams.video[0].average_rate or 0)
            count = sum(1 for _picture in file.decode(video=0))
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"The video cannot be decoded: {error}") from error
    if not count:
        raise ValueError("The video has no pictures.")
    return Length(count, per_second or 1.0)


def cut(content: bytes, places: Sequence[int], per_second: float) -> Clip:
    """Return the pictures at these places, which ascend. Raise ValueError if the file cannot be decoded."""
    wanted = set(places)
    try:
        with av.open(io.BytesIO(content)) as file:
            found = {at: _image(one) for at, one in enumerate(file.decode(video=0)) if at in wanted}
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(f"The video cannot be decoded: {error}") from error
    if len(found) < len(wanted):
        raise ValueError(f"The video ends before picture {max(wanted) + 1}.")
    return Clip([found[at] for at in places], [at / per_second for at in places])


def _image(picture: Any) -> Image.Image:
    image: Image.Image = picture.to_image()
    return image


def _known_length(content: bytes, digest: bytes, cache: Cache) -> Length:
    """Return the length, from the cache if it is there. A file that cannot be decoded has 0 pictures."""
    if (known := cache.get(digest)) is not None and known.shape == (2,):
        return Length(int(known[0]), float(known[1]))
    try:
        length = length_of(content)
    except ValueError:
        length = Length(0, 0.0)
    cache.put(digest, np.array(length))
    return length
