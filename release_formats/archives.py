"""Files of the videos: videos and frames in tar archives with an index each, or videos as single files.

Archives have the same bytes whenever they are made: members come by prompt and video, and their headers have no time,
no owner and one mode. Members of one video have the same name before their first dot, as WebDataset reads them.
"""

import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from diptych.downloads import BUFFER_BYTES, CopyFile
from media import names
from release_formats import columns, rows
from release_formats.rows import Row
from release_formats.stored_videos import stored, watched
from release_formats.tables import Table, write_table
from releases import videos
from releases.formats import Folder, Format
from releases.items import Items
from releases.models import Release, ReleaseVideo

MODE = 0o644
#: Where the single files are described. Readers of such a folder want this name.
METADATA = f"{videos.FOLDERS[videos.SINGLE_VIDEOS]}/metadata.parquet"


def write_videos(release: Release, items: Items, folder: Folder) -> None:
    """Write the archives of videos, and their index. Raise Refused if one is in quarantine, missing or changed."""
    for archive in videos.archives(release, "video_archive"):
        mine = videos.read(release, part=archive.part, video_archive=archive.number)
        path = videos.path_of_archive(videos.VIDEOS, archive.part, archive.number)
        folder.add(path, partial(_write_archive, items, mine, add_video), steps=archive.videos)
    index = Table(videos.FOLDERS[videos.VIDEOS], columns.of_videos, lambda of, _items, part: _indexed_videos(of, part))
    write_table(index, videos.parts(release), release, items, folder)


def write_frames(release: Release, items: Items, folder: Folder) -> None:
    """Write the archives of frames, and their index. Raise Refused if a video is in quarantine, or a frame missing."""
    for archive in videos.archives(release, "frame_archive"):
        mine = videos.read(release, part=archive.part, frame_archive=archive.number)
        path = videos.path_of_archive(videos.FRAMES, archive.part, archive.number)
        folder.add(path, partial(_write_archive, items, mine, add_frames), steps=archive.videos)
    index = Table(
        videos.FOLDERS[videos.FRAMES], columns.of_frames, lambda of, _items, part: _indexed_frames(of, folder, part)
    )
    write_table(index, videos.parts(release), release, items, folder)


def write_single_videos(release: Release, items: Items, folder: Folder) -> None:
    """Write each video as a file, and a table of the pairs that names both files of each.

    Raise Refused if a video is in quarantine, missing or changed.
    """
    from release_formats import parquet_files  # loads Arrow, which only jobs need

    for row in watched(items, videos.read(release)):
        path = f"{videos.FOLDERS[videos.SINGLE_VIDEOS]}/{videos.member(row)}"
        folder.add(path, partial(_copy, row), steps=1)
    described = _beside_the_files(rows.pairs(release, items, ""))
    folder.add(METADATA, partial(parquet_files.write, columns.of_pairs(release), described))


def _write_archive(
    items: Items,
    of_archive: Iterable[ReleaseVideo],
    add: Callable[[tarfile.TarFile, ReleaseVideo], None],
    file: CopyFile,
) -> None:
    """Write one archive. `add` adds the members of a video."""
    target: Any = file  # of which a stream of members needs only `write`
    with tarfile.open(fileobj=target, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=BUFFER_BYTES) as archive:
        for row in watched(items, of_archive):
            add(archive, row)


def add_video(archive: tarfile.TarFile, row: ReleaseVideo) -> None:
    """Add the playback file of a video, with the bytes that were frozen. Raise Refused and OSError."""
    _add(archive, row, names.playback(row.asset.public_id), videos.member(row), row.byte_size, row.facts["sha256"])


def add_frames(archive: tarfile.TarFile, row: ReleaseVideo) -> None:
    """Add the frames of a video, with the sizes that were frozen. Raise Refused and OSError."""
    for number, size in enumerate(row.frame_sizes):
        _add(archive, row, names.frame(row.asset.public_id, number), videos.frame_member(row, number), size)


def _add(
    archive: tarfile.TarFile, row: ReleaseVideo, name: str, member: str, size: int, sha256: str | None = None
) -> None:
    header = tarfile.TarInfo(member)  # its time is 0, and its owners are 0 and without names
    header.size, header.mode = size, MODE
    with stored(row, name, size) as file:
        source: Any = file  # of which the archive needs only `read`
        archive.addfile(header, source)
        file.require(sha256)


def _copy(row: ReleaseVideo, target: CopyFile) -> None:
    with stored(row, names.playback(row.asset.public_id), row.byte_size) as file:
        while file.left:
            target.write(file.read(BUFFER_BYTES))
        file.require(row.facts["sha256"])


def _indexed_videos(release: Release, part: str) -> Iterator[Row]:
    for row in videos.read(release, part=part):
        yield {
            **_indexed(row, videos.VIDEOS, row.video_archive),
            "member": videos.member(row),
            "bytes": row.byte_size,
            **{name: row.facts[name] for name in ("sha256", "width", "height", "fps", "duration_s", "frames")},
        }


def _indexed_frames(release: Release, folder: Folder, part: str) -> Iterator[Row]:
    """Yield a row for each video of a part. The hashes are those of the published bytes, read from the archives."""
    hashes: Iterator[tuple[str, str]] = iter(())
    archive = -1
    for row in videos.read(release, part=part):
        if row.frame_archive != archive:
            archive = row.frame_archive
            hashes = _hashes(folder, videos.path_of_archive(videos.FRAMES, part, archive))
        found = [next(hashes) for _size in row.frame_sizes]
        yield {
            **_indexed(row, videos.FRAMES, archive),
            "members": [member for member, _digest in found],
            "sha256": [digest for _member, digest in found],
        }


def _hashes(folder: Folder, path: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the SHA-256 of each member of a published archive."""
    with folder.open(path) as file, tarfile.open(fileobj=file, mode="r|", bufsize=BUFFER_BYTES) as archive:
        for member in archive:
            content: Any = archive.extractfile(member)
            yield member.name, hashlib.file_digest(content, "sha256").hexdigest()


def _indexed(row: ReleaseVideo, kind: str, archive: int) -> Row:
    return {
        "prompt_id": row.video.prompt.public_id,
        "part": row.part,
        "video_id": row.video.public_id,
        "shard": videos.path_of_archive(kind, row.part, archive),
    }


def _beside_the_files(of_pairs: Iterator[Row]) -> Iterator[Row]:
    """Yield pairs with the names of their files as they are seen from the folder of the files."""
    folder = f"{videos.FOLDERS[videos.SINGLE_VIDEOS]}/"
    for row in of_pairs:
        yield row | {name: row[name].removeprefix(folder) for name in ("video_0_file_name", "video_1_file_name")}


FRAMES = Format(
    videos.FRAMES, _("Frames: 8 pictures of each video, to train models"), write_frames, order=60, default=True
)
VIDEOS = Format(videos.VIDEOS, _("Videos in archives of about 1 GB"), write_videos, order=70)
SINGLE_VIDEOS = Format(videos.SINGLE_VIDEOS, _("Videos as single files"), write_single_videos, order=80)
