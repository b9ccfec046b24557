"""Download a release into a folder that appears only when it is complete.

Files are written into a hidden folder beside it, each with the ending `.part` until its bytes are those that the server
states. The manifest is the last one. Then the folder gets its name. Whoever is interrupted, or killed, continues where
they were.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from filelock import FileLock, Timeout

from diptych_client.api_types import ReleaseDetailShape
from diptych_client.connection import Connection, Passing
from diptych_client.errors import ClientError
from diptych_client.release_folder import FolderError, Release
from diptych_client.release_folder.folder import BLOCK_BYTES, MANIFEST

WITHDRAWN = "Release {number} was withdrawn and cannot be downloaded any more. The reason: {reasons}"
UNFINISHED = "Release {number} is still being made. Try again when it is done."
ENDED = "Release {number} cannot be downloaded, because it {how}. {reason} Make a new release."
ENDINGS = {"failed": "failed", "cancelled": "was cancelled"}


@dataclass(frozen=True, slots=True)
class Pulled:
    """A complete release folder, how many bytes it has, and how many of them were downloaded now."""

    folder: Path
    files: int
    bytes: int
    downloaded_bytes: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a release, as the server states it."""

    path: str
    sha256: str
    size: int


def pull(
    connection: Connection,
    release: ReleaseDetailShape,
    target: Path,
    *,
    advance: Callable[[int], object] = lambda _bytes: None,
) -> Pulled:
    """Download a release into `target`, a new folder. If it is there already, check every byte of it.

    `advance` is called with each number of bytes that are known to be right or were written.

    Raises:
        ClientError: the release cannot be downloaded, or `target` has something else.
        OSError: the folder cannot be written.
    """
    target = target.absolute()
    aside = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        with lock.acquire(blocking=False):
            try:
                return _pull(connection, release, target, aside, advance)
            except ClientError as error:
                if error.code == "withdrawn":  # what was begun can never be completed
                    shutil.rmtree(aside, ignore_errors=True)
                raise
            finally:
                with suppress(OSError):  # some systems delete no file that is open
                    Path(lock.lock_file).unlink()
    except Timeout:
        raise ClientError(f"Another program downloads into {target} now. Wait until it ends.", "busy_folder") from None


def _pull(
    connection: Connection,
    release: ReleaseDetailShape,
    target: Path,
    aside: Path,
    advance: Callable[[int], object],
) -> Pulled:
    require_complete(release)
    files = _files(release)
    downloaded = 0
    if not _is_there(target, files, advance):
        downloaded = _download(connection, release["id"], files, aside, advance)
        if target.exists():
            target.rmdir()  # it is empty
        os.replace(aside, target)
        _sync(target.parent)
    return Pulled(target, len(files), sum(file.size for file in files), downloaded)


def require_complete(release: ReleaseDetailShape) -> None:
    """Raise ClientError unless the release can be downloaded."""
    number, state = release["number"], release["state"]
    if release["withdrawn"]:
        reasons = " ".join(f"{stone['reason'].rstrip('.')}." for stone in release["tombstones"])
        raise ClientError(WITHDRAWN.format(number=number, reasons=reasons), "withdrawn")
    if state == "done":
        return
    if state not in ENDINGS:
        raise ClientError(UNFINISHED.format(number=number), "not_complete")
    sentence = ENDED.format(number=number, how=ENDINGS[state], reason=release["reason"]).replace("  ", " ")
    raise ClientError(sentence, "not_complete")


def _files(release: ReleaseDetailShape) -> list[RemoteFile]:
    """Return the files of a release, the manifest last. Raise ClientError for a path that leads out of the folder."""
    found = [RemoteFile(file["path"], file["sha256"], file["bytes"]) for file in release["files"]]
    for file in found:
        parts = PurePosixPath(file.path).parts
        if file.path.startswith("/") or not parts or ".." in parts or "\\" in file.path or ":" in file.path:
            raise ClientError(f"The server names a file outside of the release folder: {file.path}.", "wrong_path")
    if not any(file.path == MANIFEST for file in found):
        raise ClientError(f"The server names no {MANIFEST} for this release. Tell its operator.", "not_complete")
    return sorted(found, key=lambda file: (file.path == MANIFEST, file.path))


def _is_there(target: Path, files: list[RemoteFile], advance: Callable[[int], object]) -> bool:
    """Return whether the folder is there with every byte. Raise ClientError if it has something else."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    try:
        Release.open(target)
    except FolderError:
        sentence = f"{target} exists and is no release folder. Give the path of a new folder."
        raise ClientError(sentence, "not_empty") from None
    manifest = next(file for file in files if file.path == MANIFEST)
    if _sha256(target / MANIFEST) != manifest.sha256:
        raise ClientError(f"{target} has another release. Give the path of a new folder.", "not_empty")
    wrong = []
    for file in files:
        if _sha256(target / file.path) != file.sha256:
            wrong.append(file.path)
        advance(file.size)
    if wrong:
        named = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        sentence = f"In {target} these files are missing or have other bytes than the release: {named}."
        raise ClientError(f"{sentence} Delete the folder and download it again.", "damaged")
    return True


def _download(
    connection: Connection, release_id: int, files: list[RemoteFile], aside: Path, advance: Callable[[int], object]
) -> int:
    """Download all files into the hidden folder. Return the number of bytes that were downloaded."""
    aside.mkdir(exist_ok=True)
    _require_space(aside, files)
    downloaded = 0
    for file in files:
        path = aside / file.path
        if path.exists() and _sha256(path) == file.sha256:
            advance(file.size)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        downloaded += _FileDownload(connection, release_id, file, path, advance).run()
    _remove_others(aside, {file.path for file in files})
    stated = {file["path"]: file["sha256"] for file in Release.open(aside).manifest["files"]}
    if stated != {file.path: file.sha256 for file in files if file.path != MANIFEST}:
        raise ClientError(f"{MANIFEST} names other files than the server. Tell its operator.", "damaged")
    return downloaded


def _require_space(aside: Path, files: Iterable[RemoteFile]) -> None:
    """Raise ClientError if the disk has not enough space for what is missing."""
    present = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
    missing, free = sum(file.size for file in files) - present, shutil.disk_usage(aside).free
    if missing > free:
        sentence = f"The release needs {missing:,} more bytes, and the disk of {aside.parent} has {free:,} bytes free."
        raise ClientError(f"{sentence} Free space, or give a folder on another disk.", "disk_full")


def _remove_others(aside: Path, paths: set[str]) -> None:
    """Delete what an earlier download of another release left in the folder."""
    for path in sorted(aside.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(aside).as_posix() not in paths:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


class _FileDownload:
    """The download of one file, which continues after what is there already."""

    def __init__(
        self, connection: Connection, release_id: int, file: RemoteFile, path: Path, advance: Callable[[int], object]
    ) -> None:
        self.connection, self.file, self.path, self.advance = connection, file, path, advance
        self.address = f"releases/{release_id}/files/{quote(file.path)}"
        self.part = path.with_name(f"{path.name}.part")
        self.digest, self.size, self.downloaded = hashlib.sha256(), 0, 0

    def run(self) -> int:
        """Download the file. Return how many bytes came. Raise ClientError and OSError."""
        self._read_present()
        for is_last in (False, True):
            while self.size < self.file.size or not self.part.exists():
                self.connection.repeat(self._continue)
            if self.digest.hexdigest() == self.file.sha256:
                break
            self.part.unlink()
            self._begin_again()
            if is_last:
                sentence = f"The server sends other bytes of {self.file.path} than it states. Tell its operator."
                raise ClientError(sentence, "damaged")
        os.replace(self.part, self.path)
        return self.downloaded

    def _read_present(self) -> None:
        """Add the bytes that an earlier download wrote to the digest."""
        if not self.part.exists():
            return
        if self.part.stat().st_size > self.file.size:
            self.part.unlink()
            return
        with self.part.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                self._count(block)

    def _begin_again(self) -> None:
        self.advance(-self.size)
        self.digest, self.size = hashlib.sha256(), 0

    def _count(self, block: bytes) -> None:
        self.digest.update(block)
        self.size += len(block)
        self.advance(len(block))

    def _continue(self) -> None:
        """Ask for the rest of the file. Return if some of it came, also if the connection then broke.

        Raise Passing if nothing came, so that only attempts in vain use up the patience.
        """
        before = self.downloaded
        try:
            self._append_rest()
        except Passing:
            if self.downloaded == before:
                raise
        if self.downloaded == before and self.size < self.file.size:
            raise Passing(ClientError(f"The server sends nothing of {self.file.path}. Try again later.", "unreachable"))

    def _append_rest(self) -> None:
        # The digest of a file is its tag, so a range is only sent of the same bytes.
        headers = {"Range": f"bytes={self.size}-", "If-Range": f'"{self.file.sha256}"'} if self.size else {}
        with self.connection.stream(self.address, headers) as response:
            if response.status_code == 416:
                raise ClientError(f"The server has fewer bytes of {self.file.path} than it states.", "damaged")
            if response.status_code != 206:
                self._begin_again()
            with self.part.open("ab" if self.size else "wb") as file:
                for block in response.iter_raw():
                    if self.size + len(block) > self.file.size:
                        raise ClientError(f"The server sends more bytes of {self.file.path} than it states.", "damaged")
                    file.write(block)
                    self._count(block)
                    self.downloaded += len(block)
                file.flush()
                os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make the new name of a folder survive a crash of the machine, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits; empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
