"""Recognise files that are not videos by their first bytes, so that the refusal can say what they are."""

import re
from collections.abc import Callable

from media.reasons import SENTENCES

#: This many bytes are enough to recognise all kinds below.
HEAD_BYTES = 4096
_PACKET = 188  # bytes of a packet of an MPEG transport stream
_SCRAMBLED = 0xC0  # bits of a packet's fourth byte: transport_scrambling_control (ISO/IEC 13818-1, 2.4.3.3)

_WEB_PAGE = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_Test = Callable[[bytes], object]


def _begins(*starts: bytes) -> _Test:
    return lambda head: head.startswith(starts)


def _is_text(head: bytes) -> bool:
    """Return whether the head is UTF-8 text. The last character may be cut off."""
    decoded = head.decode(errors="ignore").encode()
    return len(head) - len(decoded) < 4 and not _NOT_TEXT.search(head)


def _is_scrambled(head: bytes) -> bool:
    packets = [head[at : at + 4] for at in range(0, len(head) - 3, _PACKET)]
    is_transport_stream = len(packets) > 3 and all(packet[0] == 0x47 for packet in packets)
    return is_transport_stream and any(packet[3] & _SCRAMBLED for packet in packets)


#: Files that lie where a video should be, with the code of the reason. Nothing of them is a picture, so an import
#: refuses them before it copies the file.
_PLACEHOLDERS: list[tuple[_Test, str]] = [
    (lambda head: not any(head), "is_zeros"),
    (_begins(b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"), "is_git_lfs"),
    (lambda head: len(head) < HEAD_BYTES and b"annex/objects/" in head and _is_text(head), "is_git_annex"),
    (_WEB_PAGE.match, "is_web_page"),
]

#: Files of which ffmpeg would say something misleading. What it knows by name is in `formats`.
_OTHERS: list[tuple[_Test, str]] = [
    (
        _begins(b"Salted__", b"age-encryption.org/", b"-----BEGIN PGP MESSAGE", b"-----BEGIN AGE ENCRYPTED"),
        "is_encrypted",
    ),
    (_is_scrambled, "is_scrambled"),
    (
        _begins(b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh"),
        "is_archive",
    ),
    (lambda head: head[257:262] == b"ustar", "is_tar"),
    (_begins(b"%PDF-"), "is_pdf"),
    (_begins(b"\x93NUMPY"), "is_numpy"),
    (_begins(b"YUV4MPEG2 "), "is_y4m"),
    (_begins(b"#EXTM3U"), "is_hls"),
    (_begins(b"ffconcat"), "is_ffconcat"),
    (lambda head: head.lstrip().startswith((b"<?xml", b"<")) and _is_text(head), "is_xml"),
    (lambda head: head.lstrip()[:1] in (b"{", b"[") and _is_text(head), "is_json"),
    (_is_text, "is_text"),
]


def placeholder(head: bytes) -> str | None:
    """Return what the file with these first bytes is, if it only stands for a video; else None.

    The English words go on after the file's name: "is a Git LFS pointer …", without a full stop. They are a message
    that `gettext` translates.
    """
    code = _first(_PLACEHOLDERS, head)
    return None if code is None else SENTENCES[code]


def no_video(head: bytes) -> str | None:
    """Return the code of what the file with these first bytes is; None if it may be a video that is accepted."""
    return _first([*_PLACEHOLDERS, *_OTHERS], head)


def _first(kinds: list[tuple[_Test, str]], head: bytes) -> str | None:
    if not head:
        return None
    head = head.removeprefix(_BYTE_ORDER_MARK)
    return next((code for test, code in kinds if test(head)), None)
