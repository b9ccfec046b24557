"""Write files from an archive, a browser or a bucket into a scratch folder, under checked names.

Nothing in an archive is trusted: neither names nor stated sizes nor that the data ends. Every written byte is counted,
and the import is refused before the disk is full.
"""

import os
import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop as _

from diptych.disk_space import NO_ROOM
from diptych.refusals import Refused
from sources.left_out import is_system_folder, left_out
from sources.sentences import Sentence

MOST_NAME_BYTES, MOST_PART_BYTES, MOST_DEPTH = 1000, 255, 32
#: Free bytes on the disk that are never used.
SPARED_BYTES = 1 << 30
BLOCK_BYTES = 1 << 20
#: Bytes written between two checks of the free space.
LOOK_EVERY_BYTES = 64 << 20
TOO_MANY = _(
    "There are more than %(most)s files. Import them in parts, or ask the operator of this installation to raise "
    "IMPORT_MOST_FILES."
)
TOO_LARGE = _(
    "The material is larger than %(most)s bytes. Import it in parts, or ask the operator of this installation to raise "
    "IMPORT_MOST_BYTES."
)
DISK_FULL = _("The server's disk has not enough free space for this import. Tell the operator of this installation.")


def parts_of(name: str) -> list[str]:
    """Return the folders and the file of a name from an archive, browser or bucket. Raises Refused.

    `./a//b` is `a/b`. Names that lead elsewhere, or that another system reads differently, are refused.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    shown = "".join(sign if sign.isprintable() else "�" for sign in name[:200])
    wrong = ""
    if not parts:
        wrong = _("The name “%(name)s” is empty. Nothing was imported.")
    elif name.startswith("/") or re.match("[A-Za-z]:", parts[0]):
        wrong = _("The name “%(name)s” is an absolute path; it must be inside the archive. Nothing was imported.")
    elif ".." in parts:
        wrong = _("The name “%(name)s” contains “..”, which leads to a parent folder. Nothing was imported.")
    elif "\\" in name:
        wrong = _("The name “%(name)s” has a backslash. Write paths with forward slashes. Nothing was imported.")
    elif any(unicodedata.category(sign) in ("Cc", "Cs") for sign in name):
        wrong = _("The name “%(name)s” has a control character, or is not UTF-8. Nothing was imported.")
    elif len(name.encode()) > MOST_NAME_BYTES or any(len(part.encode()) > MOST_PART_BYTES for part in parts):
        wrong = _(
            "The name “%(name)s” is longer than %(most)s bytes, or %(most_part)s between two slashes. Nothing "
            "was imported."
        )
    elif len(parts) > MOST_DEPTH:
        wrong = _("The name “%(name)s” is more than %(most_deep)s folders deep. Nothing was imported.")
    if wrong:
        most = {"most": MOST_NAME_BYTES, "most_part": MOST_PART_BYTES, "most_deep": MOST_DEPTH}
        raise Refused(Sentence(wrong, name=shown, **most))
    return parts


class Layout:
    """A folder that is filled, with limits on its files and bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = 0
        self.written = 0
        self.most_files = settings.IMPORT_MOST_FILES
        self.most_bytes = settings.IMPORT_MOST_BYTES
        self._look_at = 0
        root.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, blocks: Iterable[bytes], modified: float) -> Path:
        """Write one file. Raises Refused for a name that is wrong or taken, and for too many files or bytes."""
        target = self.place(name)
        try:
            with target.open("xb") as file:
                for block in blocks:
                    self._count(len(block))
                    file.write(block)
        except FileExistsError:
            raise name_taken(name) from None
        stamp(target, modified)
        return target

    def link(self, name: str, to: str, size: int) -> Path:
        """Write an earlier file under one more name. Raises Refused if it does not exist, or the name is taken."""
        original = self.root.joinpath(*parts_of(to))
        if not original.is_file():
            template = _("“%(name)s” is a link to “%(to)s”, which does not come before it. Pack both files again.")
            raise Refused(Sentence(template, name=name[:200], to=to[:200]))
        self.reserve(size or original.stat().st_size)
        target = self.place(name)
        try:
            os.link(original, target)
        except FileExistsError:
            raise name_taken(name) from None
        return target

    def place(self, name: str) -> Path:
        """Return where the file of that name goes, and make the folders above. It counts as one more file."""
        self.count_one()
        target = self.root.joinpath(*parts_of(name))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise name_taken(name) from None
        return target

    def count_one(self) -> None:
        """Count one more file or folder. Raises Refused if there are too many."""
        self.files += 1
        if self.files > self.most_files:
            raise Refused(Sentence(TOO_MANY, most=self.most_files))

    def check_size(self, size: int) -> None:
        """Raise Refused unless that many more bytes can be written."""
        if self.written + size > self.most_bytes:
            raise Refused(Sentence(TOO_LARGE, most=self.most_bytes))
        if shutil.disk_usage(self.root).free - size < SPARED_BYTES:
            raise Refused(Sentence(DISK_FULL), NO_ROOM)

    def reserve(self, size: int) -> None:
        """Count bytes that the caller will write. Raises Refused if they are too many."""
        self.check_size(size)
        self.written += size

    def _count(self, size: int) -> None:
        self.written += size
        if self.written >= self._look_at or self.written > self.most_bytes:
            self.check_size(0)
            self._look_at = self.written + LOOK_EVERY_BYTES


def name_taken(name: str) -> Refused:
    """Return the refusal of a second file with one name. Some disks do not distinguish `A` and `a`."""
    template = _("The name “%(name)s” occurs twice, or is both a file and a folder. Nothing was imported.")
    return Refused(Sentence(template, name=name))


def stamp(path: Path, modified: float) -> None:
    """Set when the file was last changed. A later attempt recognises the file by this time."""
    try:
        os.utime(path, (modified, modified))
    except (OverflowError, ValueError, OSError):
        os.utime(path, (0, 0))


def in_blocks(file: Any) -> Iterable[bytes]:
    """Yield the rest of an opened file in blocks."""
    while block := file.read(BLOCK_BYTES):
        yield block


def innermost(folder: Path) -> Path:
    """Return the innermost folder that contains everything. Archives often have one folder with their own name.

    A folder with a `prompt.txt` is a prompt and is not entered.
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
