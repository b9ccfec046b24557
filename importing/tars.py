"""Read the members of tar archives from a stream: plain files, sparse files, and files that are links to earlier ones.

Several archives one after the other, as `cat` joins them, are read as one.
"""

import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from diptych.refusals import Refused
from importing.layout import BLOCK_BYTES, Layout, in_blocks
from importing.left_out import left_out
from importing.name_encodings import decoded_name
from importing.progress import Progress

#: What comes out may be this many times as long as what went in, once it is longer than a small archive may be.
#: Videos do not shrink at all, and manifests to a twentieth; bombs, to a thousandth.
MOST_RATIO, FREE_BYTES = 100, 64 << 20
#: All that a tar may say of one file before its first byte: names, owners and other attributes.
MOST_HEADER_BYTES = 1 << 20


def refuse_bomb(written: int, read: int) -> None:
    """Raises Refused when so much was written of so little that was read."""
    if written > FREE_BYTES + MOST_RATIO * read:
        advice = "If it is none, compress it less, or not at all."
        raise Refused(f"It unpacks to more than {MOST_RATIO} times its size, like a bomb. {advice}")


def odd(name: str, *, is_link: bool) -> Refused:
    """Return the refusal of a member that is neither a file nor a folder."""
    what = "a symbolic link" if is_link else "neither a plain file nor a folder"
    advice = ", for example with “tar --dereference”, which puts files in place of links" if is_link else ""
    return Refused(f"“{name[:200]}” in the archive is {what}. Pack plain files only{advice}.")


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
    """What a tar reads from. It goes forward only, with an allowance: no header may ask for more than it."""

    def __init__(self, file: Any, packed: Packed) -> None:
        self.file = file
        self.packed = packed
        self.allowed = MOST_HEADER_BYTES
        self.at = 0
        #: What was read last. Python's reader takes the first block that is no header for the end.
        self.last = b""
        self._ahead = b""

    def tell(self) -> int:
        return self.at

    def seek(self, to: int) -> int:
        """Read on to a place. Raises ReadError for one that was passed."""
        if to < self.at:
            raise tarfile.ReadError("it points before its own beginning")
        while self.at < to and self.read(min(BLOCK_BYTES, to - self.at)):
            pass
        return self.at

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.allowed:
            raise Refused("The archive says more of a file than it may before the file begins. Make it again.")
        block, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(block) < size:
            block += self.file.read(size - len(block))
        self.at += len(block)
        self.allowed -= len(block)
        refuse_bomb(self.at, self.packed.passed)
        self.last = block
        return block

    def skip_zeros(self) -> bool:
        """Pass by blocks of zeros. Return whether anything follows them."""
        while block := self.read(tarfile.BLOCKSIZE):
            self.allowed = MOST_HEADER_BYTES
            if any(block):
                self._ahead, self.at = block + self._ahead, self.at - len(block)
                return True
        return False


def untar(stream: Stream, layout: Layout, name_encoding: str, counted: Counter[str]) -> None:
    """Unpack all members, and count in `counted` what is left out. Raises Refused, TarError and OSError."""
    archives = 0
    while stream.skip_zeros():
        with tarfile.TarFile(fileobj=stream, mode="r", encoding="utf-8") as tar:  # type: ignore[arg-type]  # goes forward
            if archives and tar.firstmember is None:  # type: ignore[attr-defined]  # what it read first
                raise Refused(
                    "Behind the end of the archive there is something that is no archive, so a part of it may be lost. "
                    "Make or copy it again."
                )
            _unpack(tar, stream, layout, name_encoding, counted)
        if len(stream.last) < tarfile.BLOCKSIZE or any(stream.last):
            raise Refused("The archive is not whole: its end is missing. Make or copy it again.")
        archives += 1
    if not stream.at:
        raise tarfile.ReadError("empty file")


def _unpack(tar: tarfile.TarFile, stream: Stream, layout: Layout, name_encoding: str, counted: Counter[str]) -> None:
    while member := tar.next():
        tar.members.clear()  # type: ignore[attr-defined]  # else it keeps every header of a million
        name = decoded_name(member.name, name_encoding)
        if kind := left_out(name) if not member.isdir() else "":
            counted[kind] += 1
        if member.isdir() or kind:
            layout.count_one()
        elif member.islnk():
            layout.link(name, decoded_name(member.linkname, name_encoding), member.size)
        elif not member.isreg():
            raise odd(name, is_link=member.issym())
        else:
            layout.room_for(member.size)
            stream.allowed = member.size + 4 * tarfile.RECORDSIZE
            layout.add(name, _unpacked(tar, member, stream), member.mtime)
        stream.allowed = MOST_HEADER_BYTES + (member.size if kind and member.isreg() else 0)


def _unpacked(tar: tarfile.TarFile, member: tarfile.TarInfo, stream: Stream) -> Iterator[bytes]:
    """Yield a file in blocks. The holes of a sparse file are not in the archive, so they are counted here."""
    written = 0
    blocks: Iterable[bytes] = in_blocks(tar.extractfile(member))
    for block in blocks:
        written += len(block)
        if member.issparse():
            refuse_bomb(stream.at + written, stream.packed.passed)
        yield block
