"""Unpack tar and zip archives into a folder: only plain files, under checked names, within limits.

Python's own extraction is not used. It checks names but has no limits, and its treatment of links and devices depends
on the version.
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

from django.utils.translation import gettext_noop as _

from diptych import file_kinds
from diptych.refusals import Refused
from sources.inside import open_file, resolved
from sources.layout import Layout, in_blocks
from sources.left_out import left_out
from sources.name_encodings import names_of
from sources.progress import Progress
from sources.rows import SourceNotes
from sources.sentences import Sentence
from sources.tars import Packed, Stream, odd, refuse_bomb, untar

ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip")
#: Bits of a zip member: encrypted, strongly encrypted, hidden headers.
ENCRYPTED = 0x2041
#: The bit of a folder in the attributes of DOS.
DOS_FOLDER = 0x10
DEFLATE64 = 9
ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
#: Names of the compression methods of zip that cannot be read here (APPNOTE 4.4.5).
METHODS = {1: "Shrink", 6: "Implode", 12: "BZIP2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 96: "JPEG", 98: "PPMd"}


def is_archive(name: str) -> bool:
    """Return whether a file's name ends like that of an archive that can be imported."""
    return name.lower().endswith(ENDINGS)


def unpack(archive: Path, folder: Path, progress: Progress, name_encoding: str = "") -> SourceNotes:
    """Write the files of the archive, which is in a resolved folder, below `folder`. Return notes for the report.

    The content decides the kind of archive: a browser may have unpacked a `.tar.gz` and kept its name. Raises Refused,
    and OSError for trouble of this machine.

    Args:
        name_encoding: the encoding that the person chose for names without a stated one. Empty to find it out.
    """
    layout, notes = Layout(folder), SourceNotes()
    progress.begin("Unpacking", archive.stat().st_size)
    with open_file(resolved(archive.parent, archive.name)) as file, _damage_in_words():
        head = file.read(file_kinds.HEAD_BYTES)
        file.seek(0)
        kind = file_kinds.recognised(head)
        # An old tar has no mark, and contains many NUL bytes.
        may_be_any = kind in (None, file_kinds.BINARY, file_kinds.UTF16)
        is_zip = archive.name.lower().endswith(".zip") if may_be_any else head.startswith(ZIP_MARKS)
        if is_zip:
            _unzip(file, layout, progress, name_encoding, notes)
        elif may_be_any or kind in (file_kinds.GZIP, file_kinds.TAR):
            packed = Packed(file, progress)
            plain: Any = gzip.GzipFile(fileobj=cast(BinaryIO, packed)) if kind == file_kinds.GZIP else packed
            untar(Stream(plain, packed), layout, name_encoding, notes.left_out)
        else:
            assert kind is not None  # noqa: S101 - None may be any
            template = _("%(name)s is %(kind)s, not a zip or tar archive. %(advice)s")
            values = {"kind": Sentence(kind.what), "advice": Sentence(kind.advice)}
            raise Refused(Sentence(template, name=archive.name, **values))
    return notes


@contextmanager
def _damage_in_words() -> Iterator[None]:
    """Turn the errors of a damaged archive into Refused."""
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, struct.error, EOFError) as error:
        template = _("The archive is damaged or incomplete (%(error)s). Create or copy it again.")
        text = str(error).rstrip(".") or type(error).__name__
        raise Refused(Sentence(template, error=text)) from error
    except (ValueError, NotImplementedError, RuntimeError, OverflowError) as error:  # of a zip's or a tar's own fields
        template = _("The archive cannot be read (%(error)s). Create it again with another program.")
        raise Refused(Sentence(template, error=error)) from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        template = _("The archive is damaged (it points before its own beginning). Create it again.")
        raise Refused(Sentence(template)) from error


def _unzip(archive: BinaryIO, layout: Layout, progress: Progress, name_encoding: str, notes: SourceNotes) -> None:
    size = os.fstat(archive.fileno()).st_size
    _refuse_many(archive, size, layout.most_files)
    with zipfile.ZipFile(archive) as whole:
        names, notes.name_encoding, note = names_of(whole, name_encoding)
        notes.warnings += [note] if note else []
        for member, name in zip(whole.infolist(), names, strict=True):
            if not (name.endswith("/") or (member.external_attr & DOS_FOLDER and not member.file_size)):
                if kind := left_out(name):
                    notes.left_out[kind] += 1
                    layout.count_one()
                else:
                    _refuse_odd(member, name)
                    layout.check_size(member.file_size)
                    with whole.open(member) as content:
                        layout.add(name, _watched(in_blocks(content), layout, size), _changed_at(member))
            progress.advance(member.compress_size)


def _watched(blocks: Iterable[bytes], layout: Layout, size: int) -> Iterator[bytes]:
    for block in blocks:
        refuse_bomb(layout.written + len(block), size)
        yield block


def _refuse_odd(member: zipfile.ZipInfo, name: str) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & ENCRYPTED:
        template = _("“%(name)s” in the archive is encrypted. Pack it without a password.")
        raise Refused(Sentence(template, name=name[:200]))
    if kind not in (0, stat.S_IFREG):
        raise odd(name, is_link=kind == stat.S_IFLNK)
    if member.compress_type == DEFLATE64:
        template = _(
            "“%(name)s” is packed with Deflate64, which Windows Explorer uses for large archives and few programs can "
            "read. Pack the folder with 7-Zip (format zip, method Deflate), or with “tar -cf”, which Windows has too."
        )
        raise Refused(Sentence(template, name=name[:200]))
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        method = METHODS.get(member.compress_type, f"method {member.compress_type}")
        template = _(
            "“%(name)s” is packed with a method that cannot be read here (%(method)s). Pack it with the method Deflate "
            "or Store, or as .tar."
        )
        raise Refused(Sentence(template, name=name[:200], method=method))


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
    """Raise Refused for a directory of more than `most` entries, before Python reads all of it into memory.

    The directory is searched exactly as `zipfile` does. Raise Refused also for two archives one after the other, of
    which `zipfile` reads only the second.
    """
    start, length, stated = _directory(file, size)
    file.seek(0)
    if start > stated and file.read(4) == b"PK\x03\x04":
        raise Refused(
            Sentence(
                _("This file has two zip archives one after the other. Pack them as one, or import each by itself.")
            )
        )
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
        template = _("The archive has more than %(most)s files. Import it in parts, or as a tar.")
        raise Refused(Sentence(template, most=most))


def _directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Return where the directory begins, its length in bytes, and where the archive says that it begins."""
    start = max(0, size - (1 << 16) - END.size)
    file.seek(start)
    tail = file.read()
    found = len(tail) - END.size
    if tail[found : found + 4] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < END.size:
        raise zipfile.BadZipFile("its directory is missing")
    end = start + found
    length, stated = END.unpack_from(tail, found)[5:7]
    if end >= END_64_LOCATOR.size + END_64.size:
        file.seek(end - END_64_LOCATOR.size)
        if file.read(4) == b"PK\x06\x07":
            end -= END_64_LOCATOR.size + END_64.size
            file.seek(end)
            length, stated = END_64.unpack(file.read(END_64.size))[8:10]
    if length > end:
        raise zipfile.BadZipFile("its directory is longer than the file")
    return end - length, length, stated
