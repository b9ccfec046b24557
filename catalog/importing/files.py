"""Finds, fingerprints and keeps the files of a manifest. Whether they can be played, transcoding decides."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage

from catalog.hashing import sha256_of
from catalog.importing.progress import Progress
from catalog.importing.rows import Fingerprint, Manifest

THREADS = min(4, os.cpu_count() or 1)  # SHA-256 and file reads run outside Python's lock


class FileTrouble(Exception):
    """A file cannot be imported; `str()` says why."""


def locate(root: Path, given: str) -> Path:
    """The regular, non-empty file that `given` names inside `root`, links resolved. Raises FileTrouble."""
    try:
        path = (root / given).resolve(strict=True)
        if not path.is_relative_to(root):
            raise FileTrouble(f"{given} leads out of the folder that is imported")
        facts = path.stat()
    except FileNotFoundError:
        advice = "; write paths with forward slashes" if "\\" in given else ""
        outside = not Path(os.path.normpath(root / given)).is_relative_to(root)
        what = "leads out of the folder that is imported" if outside else "does not exist"
        raise FileTrouble(f"{given} {what}{advice}") from None
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        raise FileTrouble(f"{given} cannot be read: {_words(error)}") from None
    if not stat.S_ISREG(facts.st_mode):
        raise FileTrouble(f"{given} is {'a folder' if stat.S_ISDIR(facts.st_mode) else 'no regular file'}")
    if facts.st_size == 0:
        raise FileTrouble(f"{given} is empty")
    if not os.access(path, os.R_OK):
        raise FileTrouble(f"{given} cannot be read: you lack permission")
    return path


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def find_files(manifest: Manifest) -> None:
    """Finds each video's file, and refuses videos without a good one."""
    for video in list(manifest.videos.values()):
        try:
            video.file = locate(manifest.root, video.path)
        except FileTrouble as trouble:
            manifest.refuse_video(video, "path", str(trouble))


def fingerprint(path: Path) -> Fingerprint:
    """Reads the whole file. Raises OSError."""
    with path.open("rb", buffering=0) as file:
        return Fingerprint(sha256_of(file), os.fstat(file.fileno()).st_size)


def fingerprint_files(manifest: Manifest, progress: Progress) -> None:
    """Fingerprints each video's file, once a file, and refuses videos whose file cannot be read after all."""
    paths = dict.fromkeys(video.file for video in manifest.videos.values() if video.file)
    progress.begin("Reading files", len(paths))
    found = _in_threads(fingerprint, paths, progress)
    for video in list(manifest.videos.values()):
        outcome = found[video.file] if video.file else None
        if isinstance(outcome, Fingerprint):
            video.fingerprint = outcome
        else:
            manifest.refuse_video(video, "path", f"{video.path} cannot be read: {outcome}")


def keep_files(manifest: Manifest, known: set[str], progress: Progress) -> set[str]:
    """Puts files whose SHA-256 is not `known` into storage; the SHA-256 of those that are there now.

    This comes before the rows, so that whatever happens in between leaves at most a file that no row names.
    Refuses videos whose file changed since it was fingerprinted.
    """
    wanted: dict[Fingerprint, Path] = {}  # the same bytes under two paths are kept once
    for video in manifest.videos.values():
        if video.fingerprint and video.file and video.fingerprint.sha256 not in known:
            wanted.setdefault(video.fingerprint, video.file)
    progress.begin("Keeping files", len(wanted))
    outcomes = _in_threads(lambda mark: keep(wanted[mark], mark), wanted, progress)
    for video in list(manifest.videos.values()):
        outcome = outcomes.get(video.fingerprint)
        if outcome is not None:
            manifest.refuse_video(video, "path", f"{video.path} could not be kept: {_words(outcome)}")
    return {mark.sha256 for mark, outcome in outcomes.items() if outcome is None}


def original_name(sha256: str) -> str:
    """Where an original lies in storage; 256 first-level folders keep listings short."""
    return f"originals/{sha256[:2]}/{sha256}"


def keep(path: Path, mark: Fingerprint) -> None:
    """Puts one file into storage, unless it is there already. Raises OSError or FileTrouble.

    What lies under the name is used only if its bytes are right, and is replaced if they are not. It is never
    deleted: another import may have committed a row that names it.
    """
    name = original_name(mark.sha256)
    if default_storage.exists(name):
        with default_storage.open(name) as there:
            if there.size == mark.size and sha256_of(there) == mark.sha256:
                return
    with path.open("rb") as file:
        default_storage.save(name, Checked(file, mark))


class Checked(File):
    """A file that fails at its end, and so is not stored, if its bytes are others than when it was fingerprinted."""

    def __init__(self, file: Any, mark: Fingerprint) -> None:
        super().__init__(file)
        self.mark = mark

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The file in blocks. Raises FileTrouble after the last."""
        digest = hashlib.sha256()
        for block in super().chunks(chunk_size):
            digest.update(block)
            yield block
        if digest.hexdigest() != self.mark.sha256:
            raise FileTrouble("it changed while it was being imported")


def _in_threads(work: Callable[[Any], Any], subjects: Iterable[Any], progress: Progress) -> dict[Any, Any]:
    """`work(subject)` for each, or the OSError or FileTrouble that it raised."""

    def attempt(subject: Any) -> Any:
        try:
            return work(subject)
        except (OSError, FileTrouble) as error:
            return error

    outcomes: dict[Any, Any] = {}
    remaining = iter(subjects)
    with ThreadPoolExecutor(THREADS) as pool:
        while chunk := list(islice(remaining, 1024)):
            for subject, outcome in zip(chunk, pool.map(attempt, chunk), strict=True):
                outcomes[subject] = outcome
                progress.advance()
    return outcomes
