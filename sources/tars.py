"""Read the members of tar archives from a stream: plain files, sparse files, and hard links to earlier files.

Several archives that were joined with `cat` are read as one.
"""

import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.utils.translation import gettext_noop as _

from diptych.refusals import Refused
from sources.layout import BLOCK_BYTES, Layout, in_blocks
from sources.left_out import left_out
from sources.name_encodings import decoded_name
from sources.progress import Progress
from sources.sentences import Sentence

#: Unpacked data can be this many times as long as packed data, after the first FREE_BYTES. Videos do not shrink at all,
#: manifests shrink to a twentieth, and decompression bombs to a thousandth.
MOST_RATIO, FREE_BYTES = 100, 64 << 20
#: The most bytes of headers before a file's first byte: names, owners and other attributes.
MOST_HEADER_BYTES = 1 << 20


def refuse_bomb(written: int, read: int) -> None:
    """Raise Refused if an archive unpacks to far more bytes than were read."""
    if written > FREE_BYTES + MOST_RATIO * read:
        template = _(
            "The archive unpacks to more than %(most)s times its size, like a decompression bomb. Pack it again with "
            "less compression, or none."
        )
        raise Refused(Sentence(template, most=MOST_RATIO))


def odd(name: str, *, is_link: bool) -> Refused:
    """Return the refusal of a member that is neither a file nor a folder."""
    template = _("“%(name)s” in the archive is neither a plain file nor a folder. Pack plain files only.")
    if is_link:
        template = _(
            "“%(name)s” in the archive is a symbolic link. Pack plain files only, for example with “tar "
            "--dereference”, which replaces links by files."
        )
    return Refused(Sentence(template, name=name[:200]))


class Packed:
    """The file of an archive, which counts the bytes that were read."""

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
    """The stream that a tar is read from. It only goes forward, and `allowed` limits the bytes of one header."""

    def __init__(self, file: Any, packed: Packed) -> None:
        self.file = file
        self.packed = packed
        self.allowed = MOST_HEADER_BYTES
        self.at = 0
        #: The last block that was read. Python's reader stops at the first block that is not a header.
        self.last = b""
        self._ahead = b""

    def tell(self) -> int:
        return self.at

    def seek(self, to: int) -> int:
        """Read forward to a position. Raises ReadError for a position that was passed."""
        if to < self.at:
            raise tarfile.ReadError("it points before its own beginning")
        while self.at < to and self.read(min(BLOCK_BYTES, to - self.at)):
            pass
        return self.at

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.allowed:
            raise Refused(Sentence(_("A header in the archive is too long. Create the archive again.")))
        block, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(block) < size:
            block += self.file.read(size - len(block))
        self.at += len(block)
        self.allowed -= len(block)
        refuse_bomb(self.at, self.packed.passed)
        self.last = block
        return block

    def skip_zeros(self) -> bool:
        """Skip blocks of zeros. Return whether anything follows them."""
        while block := self.read(tarfile.BLOCKSIZE):
            self.allowed = MOST_HEADER_BYTES
            if any(block):
                self._ahead, self.at = block + self._ahead, self.at - len(block)
                return True
        return False


def untar(stream: Stream, layout: Layout, name_encoding: str, counted: Counter[str]) -> None:
    """Unpack all members, and count in `counted` the ignored files. Raises Refused, TarError and OSError."""
    archives = 0
    while stream.skip_zeros():
        with tarfile.TarFile(fileobj=stream, mode="r", encoding="utf-8") as tar:  # type: ignore[arg-type]  # only goes forward
            if archives and tar.firstmember is None:  # type: ignore[attr-defined]  # the first member that it read
                raise Refused(
                    Sentence(
                        _(
                            "There is other data after the end of the archive, so a part may be missing. Create or "
                            "copy the archive again."
                        )
                    )
                )
            _unpack(tar, stream, layout, name_encoding, counted)
        if len(stream.last) < tarfile.BLOCKSIZE or any(stream.last):
            raise Refused(
                Sentence(_("The archive is incomplete: its end is missing. Create or copy the archive again."))
            )
        archives += 1
    if not stream.at:
        raise tarfile.ReadError("empty file")


def _unpack(tar: tarfile.TarFile, stream: Stream, layout: Layout, name_encoding: str, counted: Counter[str]) -> None:
    while member := tar.next():
        tar.members.clear()  # type: ignore[attr-defined]  # otherwise every header stays in memory
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
            layout.check_size(member.size)
            stream.allowed = member.size + 4 * tarfile.RECORDSIZE
            layout.add(name, _unpacked(tar, member, stream), member.mtime)
        stream.allowed = MOST_HEADER_BYTES + (member.size if kind and member.isreg() else 0)


def _unpacked(tar: tarfile.TarFile, member: tarfile.TarInfo, stream: Stream) -> Iterator[bytes]:
    """Yield a file in blocks. Count the holes of a sparse file, which are not in the archive."""
    written = 0
    blocks: Iterable[bytes] = in_blocks(tar.extractfile(member))
    for block in blocks:
        written += len(block)
        if member.issparse():
            refuse_bomb(stream.at + written, stream.packed.passed)
        yield block
