"""Finds, fingerprints and keeps the files of a manifest. Whether they can be played, transcoding decides."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from catalog.importing.progress import Progress
from catalog.importing.rows import Fingerprint, Manifest

BLOCK_BYTES = 1 << 20
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
        facts = os.fstat(file.fileno())
        return Fingerprint(_sha256(file), facts.st_size, facts.st_ino, facts.st_mtime_ns)


def _sha256(file: Any) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


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


def keep_files(manifest: Manifest, known: set[str], progress: Progress) -> dict[str, str]:
    """Puts files whose SHA-256 is not `known` into storage; their storage names, by SHA-256.

    This comes before the rows, so that whatever happens in between leaves at most a file that no row names.
    Refuses videos whose file changed since it was fingerprinted.
    """
    wanted: dict[Fingerprint, Path] = {}
    for video in manifest.videos.values():
        if video.fingerprint and video.file and video.fingerprint.sha256 not in known:
            wanted.setdefault(video.fingerprint, video.file)
    by_hash = {mark.sha256: mark for mark in wanted}  # the same bytes under two paths are kept once
    progress.begin("Keeping files", len(by_hash))
    kept = _in_threads(lambda sha256: keep(wanted[by_hash[sha256]], by_hash[sha256]), by_hash, progress)
    for video in list(manifest.videos.values()):
        outcome = kept.get(video.fingerprint.sha256) if video.fingerprint else None
        if isinstance(outcome, Exception):
            manifest.refuse_video(video, "path", f"{video.path} could not be kept: {_words(outcome)}")
    if by_hash and isinstance(default_storage, FileSystemStorage):
        os.sync()  # rows are about to be committed durably: the bytes they name must be on the disk by then
    return {sha256: name for sha256, name in kept.items() if isinstance(name, str)}


def original_name(sha256: str) -> str:
    """Where an original lies in storage; 256 first-level folders keep listings short."""
    return f"originals/{sha256[:2]}/{sha256}"


def keep(path: Path, mark: Fingerprint) -> str:
    """Puts one file into storage and answers its name there. Raises OSError or FileTrouble.

    A file that lies under the name already may be half of one, left by an import that was killed or is still
    running. It is used only if its bytes are right. If not, it stays, and storage finds a free name.
    """
    name = original_name(mark.sha256)
    if default_storage.exists(name):
        with default_storage.open(name) as there:
            if there.size == mark.size and _sha256(there) == mark.sha256:
                return name
    with path.open("rb") as file:
        kept = default_storage.save(name, File(file))
    facts = path.stat()
    if (facts.st_size, facts.st_ino, facts.st_mtime_ns) != mark[1:]:
        default_storage.delete(kept)
        raise FileTrouble("it changed while it was being imported")
    return kept


def forget(names: Iterable[str]) -> None:
    """Removes originals that turned out not to be needed."""
    for name in names:
        default_storage.delete(name)


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
