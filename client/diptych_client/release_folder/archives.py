"""Find the files of a video in the tar archives of a release folder, by the id of the video.

The headers of an archive say where each file begins. They are read once, archive after archive, only until the video is
found, so records that are read in the order of the release need each archive once. The files themselves are read when
they are asked for.
"""

import tarfile
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from diptych_client.release_folder.errors import FolderError


class Member(NamedTuple):
    """A file in an archive: where it begins, and how many bytes it has."""

    archive: Path
    begins_at: int
    size: int

    def read(self) -> bytes:
        """Return the bytes of the file. Raise FolderError."""
        try:
            with self.archive.open("rb") as file:
                file.seek(self.begins_at)
                content = file.read(self.size)
        except OSError as error:
            raise FolderError(f"{self.archive} cannot be read: {error}. Download it again.") from error
        if len(content) < self.size:
            raise FolderError(f"{self.archive} has been cut. Download it again.")
        return content


class Archives:
    """The archives of one kind. Members of one video have its id before the first dot of their names."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._unread = deque(paths)
        self._found: defaultdict[str, list[Member]] = defaultdict(list)

    def members(self, video_id: str) -> list[Member]:
        """Return the files of a video in the order of the archive, or none. Raise FolderError."""
        while video_id not in self._found and self._unread:
            self._read_headers(self._unread[0])
            self._unread.popleft()
        return self._found.get(video_id, [])

    def _read_headers(self, path: Path) -> None:
        found: defaultdict[str, list[Member]] = defaultdict(list)
        try:
            with tarfile.open(path, "r:") as archive:
                for member in archive:
                    video_id = PurePosixPath(member.name).name.partition(".")[0]
                    found[video_id].append(Member(path, member.offset_data, member.size))
        except (OSError, tarfile.TarError) as error:
            raise FolderError(f"{path} cannot be read: {error}. Download it again.") from error
        self._found |= found
