"""Finds, fingerprints and keeps the files of a manifest. Whether they can be played, transcoding decides."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage

from catalog.hashing import sha256_of
from catalog.importing.inside import FileTrouble, open_file, resolved
from catalog.importing.progress import FileRead, Progress
from catalog.importing.rows import Fingerprint, Manifest
from catalog.models import Asset
from diptych.database import locks

THREADS = min(4, os.cpu_count() or 1)  # SHA-256 and file reads run outside Python's lock
AT_ONCE = 1024


def locate(root: Path, given: str) -> Path:
    """The regular, non-empty file that `given` names inside `root`, links resolved. Raises FileTrouble."""
    if given.startswith("s3://"):
        raise FileTrouble(f"{given} is not there, or may not be read")  # else it would have been fetched before
    path = resolved(root, given)
    try:
        facts = path.stat()
    except OSError as error:
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
    with open_file(path) as file:
        return Fingerprint(sha256_of(file), os.fstat(file.fileno()).st_size)


def fingerprint_files(manifest: Manifest, progress: Progress) -> None:
    """Fingerprints each video's file, once a file, and refuses videos whose file cannot be read after all.

    A file that was read in an earlier attempt, and is as large and as old as then, is not read again.
    """
    paths = dict.fromkeys(video.file for video in manifest.videos.values() if video.file)
    progress.begin("Reading files", len(paths))
    found: dict[Path, Any] = {}
    remaining = iter(paths)
    while chunk := list(islice(remaining, AT_ONCE)):
        found |= _fingerprints(manifest.root, chunk, progress)
    for video in list(manifest.videos.values()):
        outcome = found[video.file] if video.file else None
        if isinstance(outcome, Fingerprint):
            video.fingerprint = outcome
        else:
            manifest.refuse_video(video, "path", f"{video.path} cannot be read: {outcome}")


def _fingerprints(root: Path, paths: list[Path], progress: Progress) -> dict[Path, Any]:
    """Each file's fingerprint, remembered or read now, or the OSError that came of reading it."""
    names = {path: path.relative_to(root).as_posix() for path in paths}
    before = progress.recall(names.values())
    found: dict[Path, Any] = {}
    states: dict[Path, os.stat_result] = {}
    for path, name in names.items():
        try:
            states[path] = state = path.stat()
        except OSError as error:
            found[path] = error
            continue
        known = before.get(name)
        if known and (known.byte_size, known.modified_ns) == (state.st_size, state.st_mtime_ns):
            found[path] = Fingerprint(known.sha256, known.byte_size)
    progress.advance(len(found))
    unread = [path for path in paths if path not in found]
    for path, outcome in in_threads(fingerprint, unread, progress):
        found[path] = outcome
        if isinstance(outcome, Fingerprint) and outcome.size == states[path].st_size:
            progress.remember(FileRead(names[path], outcome.size, states[path].st_mtime_ns, outcome.sha256))
    return found


def keep_files(manifest: Manifest, known: set[str], progress: Progress) -> set[str]:
    """Puts files whose SHA-256 is not `known` into storage; the SHA-256 of those that are there now.

    This comes before the rows, so that whatever happens in between leaves at most a file that no row names.
    Refuses videos whose file changed since it was fingerprinted. Raises OSError where storage takes nothing.
    """
    wanted: dict[Fingerprint, Path] = {}  # the same bytes under two paths are kept once
    for video in manifest.videos.values():
        if video.fingerprint and video.file and video.fingerprint.sha256 not in known:
            wanted.setdefault(video.fingerprint, video.file)
    progress.begin("Keeping files", len(wanted))
    outcomes: dict[Fingerprint, Any] = {}
    for mark, outcome in in_threads(lambda mark: keep(wanted[mark], mark), wanted, progress):
        if isinstance(outcome, OSError):
            raise outcome
        outcomes[mark] = outcome
    for video in list(manifest.videos.values()):
        outcome = outcomes.get(video.fingerprint) if video.fingerprint else None
        if outcome is not None:
            manifest.refuse_video(video, "path", f"{video.path} could not be kept: {outcome}")
    return {mark.sha256 for mark, outcome in outcomes.items() if outcome is None}


def original_name(sha256: str) -> str:
    """Where an original lies in storage; 256 first-level folders keep listings short."""
    return f"originals/{sha256[:2]}/{sha256}"


def keep(path: Path, mark: Fingerprint) -> None:
    """Puts one file into storage, unless it is there already. Raises FileTrouble, and OSError for trouble of storage.

    What lies under the name is used only if its bytes are right, and is replaced if they are not. It is not deleted
    here: another import may have committed a row that names it.
    """
    name = original_name(mark.sha256)
    if default_storage.exists(name):
        with default_storage.open(name) as there:
            if there.size == mark.size and sha256_of(there) == mark.sha256:
                return
    try:
        file = open_file(path)
    except OSError as error:
        raise FileTrouble(_words(error)) from error
    with file:
        default_storage.save(name, Checked(file, mark))


class Checked(File):
    """A file that fails at its end, and so is not stored, if its bytes are others than when it was fingerprinted."""

    def __init__(self, file: Any, mark: Fingerprint) -> None:
        super().__init__(file)
        self.mark = mark

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The file in blocks. Raises FileTrouble after the last, and for one that cannot be read."""
        digest, blocks = hashlib.sha256(), super().chunks(chunk_size)
        while True:
            try:
                block = next(blocks, None)
            except OSError as error:
                raise FileTrouble(_words(error)) from error
            if block is None:
                break
            digest.update(block)
            yield block
        if digest.hexdigest() != self.mark.sha256:
            raise FileTrouble("it changed while it was being imported")


@contextmanager
def keeping() -> Iterator[None]:
    """Around keeping files and committing the rows that name them: meanwhile nobody removes files without a row.

    The connection holds the lock, not a transaction: keeping may take hours. It ends with its process.
    """
    with locks.shared(locks.Key.UNNAMED_FILES):
        yield


def remove_unnamed(digests: list[str]) -> bool:
    """Deletes those of these originals that no asset names. False, and nothing done, while an import is `keeping`.

    Age would be no proof: an import that finds a file of last week in storage uses it, and commits in an hour.
    """
    with locks.try_exclusive(locks.Key.UNNAMED_FILES) as held:
        if not held:
            return False
        named = set(Asset.objects.filter(sha256__in=digests).values_list("sha256", flat=True))
        for digest in set(digests) - named:
            default_storage.delete(original_name(digest))
    return True


def in_threads(work: Callable[[Any], Any], subjects: Iterable[Any], progress: Progress) -> Iterator[tuple[Any, Any]]:
    """Each subject with `work(subject)`, or with the OSError or FileTrouble that it raised."""

    def attempt(subject: Any) -> Any:
        try:
            return work(subject)
        except (OSError, FileTrouble) as error:
            return error

    remaining = iter(subjects)
    pool = ThreadPoolExecutor(THREADS)
    try:
        while chunk := list(islice(remaining, AT_ONCE)):
            for subject, outcome in zip(chunk, pool.map(attempt, chunk), strict=True):
                yield subject, outcome
                progress.advance()
    finally:
        pool.shutdown(cancel_futures=True)  # a cancelled import does not read what is still to come
