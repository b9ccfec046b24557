"""Open files and folders inside the imported folder, and nothing outside it, whatever links it contains.

A link can lead to another place inside. The same message is used for what leads out and for what does not exist, so
nobody learns what else is on the server. A path is resolved first and then opened part by part without following
links. If someone replaces a part by a link in between, opening fails.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

from django.utils.translation import gettext_noop as _

from diptych.refusals import BadInput
from sources import hub_cache
from sources.sentences import Sentence

#: The most bytes between two slashes. No common file system allows more (NAME_MAX).
MOST_NAME_BYTES = 255

#: Open a folder only to open something in it. That does not need the right to list it.
_PASS = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Without O_NONBLOCK, opening a pipe would wait until someone writes into it.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class FileTrouble(BadInput):
    """A file cannot be imported. The caller catches this for each file and makes it a bad row."""


#: Said both of a path that does not exist and of one that leads out of the folder.
NOT_INSIDE = _("%(path)s does not exist, or leads out of the imported folder")
NOT_INSIDE_BACKSLASHES = _(
    "%(path)s does not exist, or leads out of the imported folder. Write paths with forward slashes"
)


class Entry(NamedTuple):
    """One name in a folder, and whether it is a folder. None stands for a link that does not lead to a place inside."""

    name: str
    is_folder: bool | None


def resolved(root: Path, given: str) -> Path:
    """Return the path that `given` names inside the resolved `root`, with its links followed.

    If exactly one file has the same name with accents stored in another way, it is found too. Raises FileTrouble with
    the same message for what does not exist, what leads out, and what cannot be followed.
    """
    if any(len(part.encode(errors="surrogatepass")) > MOST_NAME_BYTES for part in given.split("/")):
        template = _("%(path)s has a name that is longer than %(most)s bytes. Shorten the name")
        raise FileTrouble(Sentence(template, path=given, most=MOST_NAME_BYTES))
    path = _followed_inside(root, root / given)
    if path is None and not given.isascii():
        path = _spelt_otherwise(root, given)
    if path is None:
        raise FileTrouble(Sentence(NOT_INSIDE_BACKSLASHES if "\\" in given else NOT_INSIDE, path=given))
    return path


def _followed_inside(root: Path, path: Path) -> Path | None:
    """Return where a path leads, or None if that is neither inside the root nor a blob of its hub's cache."""
    try:
        path = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle. ValueError: NUL in the name.
        return None
    if path.is_relative_to(root):
        return path
    blobs = hub_cache.blobs(root)
    return path if blobs is not None and path.is_relative_to(blobs) else None


def _spelt_otherwise(root: Path, given: str) -> Path | None:
    """Return the path whose name is the same text with accents stored in another way, as macOS stores them.

    Raises FileTrouble if two files have such names.
    """
    place: Path | None = root
    for part in Path(given).parts:
        if place is None or part in ("/", ".."):
            return None
        if not os.path.lexists(place / part):
            try:
                same = _spellings(place, place.stat().st_mtime_ns).get(unicodedata.normalize("NFC", part), ())
            except OSError:
                return None
            if len(same) > 1:
                template = _("%(path)s exists twice, with accents stored in different ways. Rename one of the two")
                raise FileTrouble(Sentence(template, path=given))
            if not same:
                return None
            [part] = same
        place = _followed_inside(root, place / part)
    return place


@lru_cache(maxsize=64)
def _spellings(folder: Path, modified_ns: int) -> dict[str, tuple[str, ...]]:
    """Return the names in a folder that are not plain ASCII, by their composed form. Raises OSError."""
    found: dict[str, tuple[str, ...]] = {}
    with _opened(folder, _LIST) as descriptor:
        for name in os.listdir(descriptor):
            if not name.isascii():
                composed = unicodedata.normalize("NFC", name)
                found[composed] = (*found.get(composed, ()), name)
    return found


def entries(root: Path, folder: Path) -> list[Entry]:
    """Return the entries of a resolved folder, by name. Raises OSError."""
    with _opened(folder, _LIST) as descriptor, os.scandir(descriptor) as found:
        facts = sorted((entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)) for entry in found)
    return [_followed(root, folder, name) if is_link else Entry(name, is_folder) for name, is_link, is_folder in facts]


def _followed(root: Path, folder: Path, name: str) -> Entry:
    """Return the entry for a link, which stands for what it leads to."""
    try:
        return Entry(name, resolved(root, str(folder / name)).is_dir())
    except (FileTrouble, OSError):
        return Entry(name, None)


def open_file(path: Path) -> BinaryIO:
    """Open a resolved path for reading. Raises OSError, also if it is no longer a regular file."""
    with _opened(path.parent, _PASS) as folder:
        descriptor = os.open(path.name, _READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return open(descriptor, "rb")


def link(path: Path, target: Path) -> None:
    """Give the file at a resolved path another name. Raises OSError if that is impossible."""
    with _opened(path.parent, _PASS) as folder:
        os.link(path.name, target, src_dir_fd=folder, follow_symlinks=False)


@contextmanager
def _opened(folder: Path, flags: int) -> Iterator[int]:
    """Open a resolved folder part by part. Raises OSError if a part has become a link."""
    *above, last = folder.parts
    with ExitStack() as opened:
        descriptor = None
        for part, how in [*((part, _PASS) for part in above), (last, flags)]:
            descriptor = os.open(part, how, dir_fd=descriptor)
            opened.callback(os.close, descriptor)
        assert descriptor is not None  # noqa: S101 - a folder has a part
        yield descriptor
