"""Recognise files that are not UTF-8 text where text was wanted, and say what they are and what to do."""

import codecs
import re
from typing import NamedTuple

#: Number of bytes at the beginning of a file that are enough to recognise it.
HEAD_BYTES = 1 << 16
#: Text without a mark counts as UTF-16 if this share of its even or of its odd bytes is NUL.
UTF16_SHARE = 0.4


class Kind(NamedTuple):
    """A kind of file: its name with an article, and advice on what to do with it."""

    what: str
    advice: str


UNPACK = "Unpack it, and use the files in it."
REPACK = "Unpack it, and pack it again as .zip, .tar or .tar.gz."
SAVE_AS_TEXT = "Save it as text in UTF-8."
SAVE_AS_UTF8 = "Save it as UTF-8, which many editors offer under “Save as”."
GZIP = Kind("a gzip file", UNPACK)
ZIP = Kind("a zip archive", "Rename it so that its name ends in .zip, or unpack it.")
TAR = Kind("a tar archive", "Rename it so that its name ends in .tar, or unpack it.")
UTF16 = Kind("text in UTF-16, as some Windows programs write it", SAVE_AS_UTF8)
UTF32 = Kind("text in UTF-32", SAVE_AS_UTF8)
BINARY = Kind("a binary file", SAVE_AS_TEXT)
EXCEL = Kind("an Excel file", SAVE_AS_TEXT)

#: The first bytes of a file, and its kind. Longer marks come before shorter ones that they begin with.
MARKS: tuple[tuple[bytes, Kind], ...] = (
    (codecs.BOM_UTF32_LE, UTF32),
    (codecs.BOM_UTF32_BE, UTF32),
    (codecs.BOM_UTF16_LE, UTF16),
    (codecs.BOM_UTF16_BE, UTF16),
    (b"\x1f\x8b", GZIP),
    (b"BZh", Kind("a bzip2 file", REPACK)),
    (b"\xfd7zXZ\0", Kind("an xz file", REPACK)),
    (b"\x28\xb5\x2f\xfd", Kind("a Zstandard file", REPACK)),
    (b"7z\xbc\xaf\x27\x1c", Kind("a 7-Zip archive", REPACK)),
    (b"Rar!\x1a\x07", Kind("a RAR archive", REPACK)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("an old Excel or Word file", SAVE_AS_TEXT)),
    (b"PAR1", Kind("a Parquet file", SAVE_AS_TEXT)),
    (b"ARROW1", Kind("an Arrow file", SAVE_AS_TEXT)),
    (b"SQLite format 3\0", Kind("an SQLite database", SAVE_AS_TEXT)),
    (b"%PDF-", Kind("a PDF file", SAVE_AS_TEXT)),
    (b"version https://git-lfs", Kind("a pointer of Git LFS, not the file itself", "Fetch it with “git lfs pull”.")),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)


def recognised(head: bytes) -> Kind | None:
    """Return the kind of the file with these first bytes. Return None if it may be UTF-8 text."""
    if head[257:262] == b"ustar":
        return TAR
    for mark, kind in MARKS:
        if head.startswith(mark):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(head)
    if _MARKUP.match(head):
        return Kind("an HTML or XML page", "Download the file itself.")
    if b"\0" in head:
        return UTF16 if _looks_like_utf16(head) else BINARY
    return None


def _of_zip(head: bytes) -> Kind:
    """Return the kind of a zip archive. Office programs write zip archives too."""
    if b"xl/" in head:
        return EXCEL
    if b"mimetypeapplication/vnd.oasis.opendocument" in head:
        return Kind("a file of LibreOffice", SAVE_AS_TEXT)
    if b"[Content_Types].xml" in head[:1000]:
        return Kind("an Excel or Word file", SAVE_AS_TEXT)
    return ZIP


def _looks_like_utf16(head: bytes) -> bool:
    halves = head[0::2], head[1::2]
    return any(half.count(0) > UTF16_SHARE * len(half) for half in halves if half)
