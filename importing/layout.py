"""Files from elsewhere (an archive, a browser, a bucket) in a folder of ours, under names that were checked first.

Nothing that a stranger wrote is trusted: not names, not stated sizes, not that there is an end. Every byte that is
written is counted, and trouble is raised before the disk is full.
"""

import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from diptych.disk_space import NO_ROOM
from diptych.refusals import Refused
from importing.left_out import is_system_folder, left_out

MOST_NAME_BYTES, MOST_PART_BYTES, MOST_DEPTH = 1000, 255, 32
#: Room on the disk that is never taken.
SPARED_BYTES = 1 << 30
BLOCK_BYTES = 1 << 20
#: Between two looks at the room that is left.
LOOK_EVERY_BYTES = 64 << 20


def parts_of(name: str) -> list[str]:
    """The folders and the file that a name from elsewhere stands for. Raises Refused.

    `./a//b` is `a/b`; whatever could lead elsewhere, or that another system would read differently, is refused.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    shown = "".join(sign if sign.isprintable() else "�" for sign in name[:200])
    wrong = ""
    if not parts:
        wrong = "is empty"
    elif name.startswith("/") or re.match("[A-Za-z]:", parts[0]):
        wrong = "begins at a root, and must lie below the archive's own folder"
    elif ".." in parts:
        wrong = "leads upwards with “..”"
    elif "\\" in name:
        wrong = "has a backslash; write paths with forward slashes"
    elif any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
        wrong = "has a control character, or is not UTF-8"
    elif len(name.encode()) > MOST_NAME_BYTES or any(len(part.encode()) > MOST_PART_BYTES for part in parts):
        wrong = f"is longer than {MOST_NAME_BYTES} bytes, or {MOST_PART_BYTES} between two slashes"
    elif len(parts) > MOST_DEPTH:
        wrong = f"is more than {MOST_DEPTH} folders deep"
    if wrong:
        raise Refused(f"The name “{shown}” {wrong}. Nothing was imported.")
    return parts


class Layout:
    """A folder that fills, with bounds on how many files and bytes it takes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = 0
        self.written = 0
        self.most_files = settings.IMPORT_MOST_FILES
        self.most_bytes = settings.IMPORT_MOST_BYTES
        self._look_at = 0
        root.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, blocks: Iterable[bytes], modified: float) -> Path:
        """Writes one file. Raises Refused for a name that cannot be, or is taken, and for too much."""
        target = self.place(name)
        try:
            with target.open("xb") as file:
                for block in blocks:
                    self._count(len(block))
                    file.write(block)
        except FileExistsError:
            raise taken(name) from None
        stamp(target, modified)
        return target

    def link(self, name: str, to: str, size: int) -> Path:
        """Write a file once more that was written before. Raises Refused where it was not, or the name is taken."""
        original = self.root.joinpath(*parts_of(to))
        if not original.is_file():
            advice = "Pack it again with both of them."
            raise Refused(f"“{name[:200]}” is a link to “{to[:200]}”, which does not come before it. {advice}")
        self.take(size or original.stat().st_size)
        target = self.place(name)
        try:
            os.link(original, target)
        except FileExistsError:
            raise taken(name) from None
        return target

    def place(self, name: str) -> Path:
        """Where the file of that name goes; the folders above are there afterwards. It counts as one more file."""
        self.count_one()
        target = self.root.joinpath(*parts_of(name))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise taken(name) from None
        return target

    def count_one(self) -> None:
        """One more file or folder came. Raises Refused for one too many."""
        self.files += 1
        if self.files > self.most_files:
            advice = "Import it in parts, or ask who runs the server to raise IMPORT_MOST_FILES."
            raise Refused(f"There are more than {self.most_files} files in it. {advice}")

    def room_for(self, size: int) -> None:
        """Raises Refused unless that many bytes more may come."""
        if self.written + size > self.most_bytes:
            advice = "Import it in parts, or ask who runs the server to raise IMPORT_MOST_BYTES."
            raise Refused(f"It holds more than {self.most_bytes} bytes. {advice}")
        if shutil.disk_usage(self.root).free - size < SPARED_BYTES:
            raise Refused("There is not enough room for it on the server's disk. Tell who runs the server.", NO_ROOM)

    def take(self, size: int) -> None:
        """That many bytes more will be written by somebody else. Raises Refused if they may not."""
        self.room_for(size)
        self.written += size

    def _count(self, size: int) -> None:
        self.written += size
        if self.written >= self._look_at or self.written > self.most_bytes:
            self.room_for(0)
            self._look_at = self.written + LOOK_EVERY_BYTES


def taken(name: str) -> Refused:
    """Two files cannot have one name; on a disk that knows no capitals, `A` and `a` are one."""
    return Refused(f"The name “{name}” is there twice, or is a file and a folder. Nothing was imported.")


def stamp(path: Path, modified: float) -> None:
    """Sets when the file was last changed, so that it is known again when it is laid out anew."""
    try:
        os.utime(path, (modified, modified))
    except (OverflowError, ValueError, OSError):
        os.utime(path, (0, 0))


def in_blocks(file: Any) -> Iterable[bytes]:
    """The rest of an opened file."""
    while block := file.read(BLOCK_BYTES):
        yield block


def innermost(folder: Path) -> Path:
    """The folder itself, or the one folder below that holds everything: archives often bring their name along.

    A folder with a `prompt.txt` is a prompt, and is not gone into.
    """
    while True:
        inside = [
            entry
            for entry in folder.iterdir()
            if not (entry.name.startswith(".") or left_out(entry.name) or is_system_folder(entry.name))
        ]
        if len(inside) != 1 or not inside[0].is_dir() or (inside[0] / "prompt.txt").exists():
            return folder
        folder = inside[0]
