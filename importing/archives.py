"""Unpacks tar and zip archives into a folder: plain files only, under checked names, within bounds.

Python's own extraction is not used: it asks whether names are safe, but knows no bounds, and what it makes of links and
devices depends on its version.
"""

import errno
import gzip
import os
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from diptych.refusals import Refused
from importing.inside import open_file
from importing.layout import Layout, in_blocks
from importing.progress import Progress

ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip")
#: What comes out may be this many times as long as what went in, once it is longer than a small archive may be.
#: Videos do not shrink at all, and manifests to a twentieth; bombs, to a thousandth.
MOST_RATIO, FREE_BYTES = 100, 64 << 20
#: All that a tar may say of one file before its first byte: names, owners and other attributes.
MOST_HEADER_BYTES = 1 << 20
#: A folder that macOS adds to a zip.
PASSED_OVER = "__MACOSX"
#: Bits of a zip member: encrypted, strongly encrypted, hidden headers.
ENCRYPTED = 0x2041


def is_archive(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Write the files of the archive, which has a resolved path, below `folder`.

    Raises Refused, and OSError for trouble of this machine.
    """
    name, layout = archive.name.lower(), Layout(folder)
    progress.begin("Unpacking", archive.stat().st_size)
    with open_file(archive) as file, _damage_in_words():
        if name.endswith(".zip"):
            _unzip(file, layout, progress)
        else:
            packed = Packed(file, progress)
            plain: Any = packed if name.endswith(".tar") else gzip.GzipFile(fileobj=cast(BinaryIO, packed))
            _untar(Stream(plain, packed), layout)


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, struct.error, EOFError) as error:
        said = str(error).rstrip(".") or type(error).__name__
        raise Refused(f"The archive is damaged or not whole ({said}). Make or copy it again.") from error
    except (ValueError, NotImplementedError, RuntimeError, OverflowError) as error:  # of a zip's or a tar's own fields
        raise Refused(f"The archive cannot be read ({error}). Make it again, with another program.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise Refused("The archive is damaged (it points before its own beginning). Make it again.") from error


def refuse_bomb(written: int, read: int) -> None:
    """Raises Refused when so much was written of so little that was read."""
    if written > FREE_BYTES + MOST_RATIO * read:
        advice = "If it is none, compress it less, or not at all."
        raise Refused(f"It unpacks to more than {MOST_RATIO} times its size, like a bomb. {advice}")


class Packed:
    """The archive's file, which counts what was read of it."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self.file = file
        self.progress = progress
        self.passed = 0

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.passed += len(block)
        self.progress.advance(len(block))
        return block


class Stream:
    """What a tar reads from, block by block, with an allowance: no header may ask for more than it."""

    def __init__(self, file: Any, packed: Packed) -> None:
        self.file = file
        self.packed = packed
        self.allowed = MOST_HEADER_BYTES
        self.passed = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        block: bytes = self.file.read(size)
        self.passed += len(block)
        self.allowed -= len(block)
        if self.allowed < 0:
            raise Refused("The archive says more of a file than it may before the file begins. Make it again.")
        refuse_bomb(self.passed, self.packed.passed)
        self.last = (self.last + block)[-4 * tarfile.RECORDSIZE :]
        return block


def _untar(stream: Stream, layout: Layout) -> None:
    with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]
        while member := tar.next():
            tar.members.clear()  # else it keeps every header of a million
            if member.isdir():
                layout.count_one()
            elif not member.isreg() or member.issparse():
                raise _odd(member.name, is_link=member.issym() or member.islnk())
            else:
                layout.room_for(member.size)
                stream.allowed = member.size + 4 * tarfile.RECORDSIZE
                _keep_member(member.name, in_blocks(tar.extractfile(member)), member.mtime, layout)
            stream.allowed = MOST_HEADER_BYTES
        _check_end(tar, stream)


def _check_end(tar: Any, stream: Stream) -> None:
    """A tar ends with blocks of zeros. Python's reader takes the first block that is no header for the end."""
    beyond = stream.passed - tar.offset
    tail = stream.last[-beyond:][: tarfile.BLOCKSIZE] if beyond > 0 else b""
    if len(tail) < tarfile.BLOCKSIZE or any(tail):
        raise Refused("The archive is not whole: its end is missing. Make or copy it again.")


def _unzip(archive: BinaryIO, layout: Layout, progress: Progress) -> None:
    size = os.fstat(archive.fileno()).st_size
    _refuse_many(archive, size, layout.most_files)
    with zipfile.ZipFile(archive) as whole:
        for member in whole.infolist():
            if not member.is_dir():
                _refuse_odd(member)
                layout.room_for(member.file_size)
                with whole.open(member) as content:
                    blocks = _watched(in_blocks(content), layout, size)
                    _keep_member(member.orig_filename, blocks, _changed_at(member), layout)
            progress.advance(member.compress_size)


def _watched(blocks: Iterable[bytes], layout: Layout, size: int) -> Iterator[bytes]:
    for block in blocks:
        refuse_bomb(layout.written + len(block), size)
        yield block


def _keep_member(name: str, blocks: Iterable[bytes], modified: float, layout: Layout) -> None:
    if name.split("/", 1)[0] != PASSED_OVER:
        layout.add(name, blocks, modified)
        return
    layout.count_one()
    for _block in blocks:  # a stream is read on
        pass


def _refuse_odd(member: zipfile.ZipInfo) -> None:
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & ENCRYPTED:
        raise Refused(f"“{name[:200]}” in the archive is encrypted. Pack it without a password.")
    if kind not in (0, stat.S_IFREG):
        raise _odd(name, is_link=kind == stat.S_IFLNK)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"“{name[:200]}” is packed in a way that is not read here. Use “store” or “deflate”.")


def _odd(name: str, *, is_link: bool) -> Refused:
    what = "a link" if is_link else "neither a plain file nor a folder"
    return Refused(f"“{name[:200]}” in the archive is {what}. Pack plain files only.")


def _changed_at(member: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
    except (OverflowError, ValueError):
        return 0


#: End of central directory: signature, …, number of entries, size and offset of the directory (APPNOTE 4.3.16).
END = struct.Struct("<4s4H2LH")
END_64_LOCATOR = struct.Struct("<4sLQL")
END_64 = struct.Struct("<4sQ2H2L4Q")
ENTRY_HEADER = struct.Struct("<4s24x3H12x")
MOST_DIRECTORY_BYTES = 512 << 20


def _refuse_many(file: BinaryIO, size: int, most: int) -> None:
    """Raises Refused for a directory of more than `most` entries, before Python reads it into memory whole.

    It looks for the directory exactly where `zipfile` will.
    """
    start, length = _directory(file, size)
    file.seek(start)
    entries, left = 0, length
    while left > 0 and entries <= most:
        header = file.read(ENTRY_HEADER.size)
        signature, *lengths = ENTRY_HEADER.unpack(header)
        if signature != b"PK\x01\x02":
            raise zipfile.BadZipFile("its directory is broken")
        file.seek(sum(lengths), 1)
        left -= len(header) + sum(lengths)
        entries += 1
    if entries > most or length > MOST_DIRECTORY_BYTES:
        raise Refused(f"There are more than {most} files in it. Import it in parts, or as a tar.")


def _directory(file: BinaryIO, size: int) -> tuple[int, int]:
    """Where the directory begins, and its length in bytes."""
    start = max(0, size - (1 << 16) - END.size)
    file.seek(start)
    tail = file.read()
    found = len(tail) - END.size
    if tail[found : found + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < END.size:
        raise zipfile.BadZipFile("its directory is missing")
    end, length = start + found, END.unpack_from(tail, found)[5]
    if end >= END_64_LOCATOR.size + END_64.size:
        file.seek(end - END_64_LOCATOR.size)
        if file.read(4) == b"PK\x06\x07":
            end -= END_64_LOCATOR.size + END_64.size
            file.seek(end)
            length = END_64.unpack(file.read(END_64.size))[8]
    if length > end:
        raise zipfile.BadZipFile("its directory is longer than the file")
    return end - length, length
