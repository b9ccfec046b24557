"""Recognise a file that is no video by its first bytes, so that the refusal can say what it is and what to do."""

import re
from collections.abc import Callable

#: So many bytes are enough to recognise everything below.
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


#: What lies where a video should be: nothing of it is a picture, so an import refuses it before it copies the file.
_PLACEHOLDERS: list[tuple[_Test, str]] = [
    (
        lambda head: not any(head),
        "begins with zeros only and is no video. Its download or copy did not finish. Copy it again",
    ),
    (
        _begins(b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"),
        "is a Git LFS pointer and not the video itself. Run “git lfs pull” where it comes from, and import it again",
    ),
    (
        lambda head: len(head) < HEAD_BYTES and b"annex/objects/" in head and _is_text(head),
        "is a git-annex pointer and not the video itself. Run “git annex get” where it comes from, and import it again",
    ),
    (
        _WEB_PAGE.match,
        "is a web page (HTML) and not a video. The server sent a page instead, such as a sign-in or an error. "
        "Download the video itself",
    ),
]

#: What ffmpeg would say something misleading about. What it knows by name is in `formats`.
_OTHERS: list[tuple[_Test, str]] = [
    (
        _begins(b"Salted__", b"age-encryption.org/", b"-----BEGIN PGP MESSAGE", b"-----BEGIN AGE ENCRYPTED"),
        "is encrypted. Decrypt it, and import it again",
    ),
    (_is_scrambled, "is encrypted (a scrambled MPEG transport stream). Decrypt it, and import it again"),
    (
        _begins(b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh"),
        "is an archive and not a video. Unpack it, and import what is in it",
    ),
    (lambda head: head[257:262] == b"ustar", "is a tar archive and not a video. Unpack it, and import what is in it"),
    (_begins(b"%PDF-"), "is a PDF document and not a video. Send the video itself"),
    (_begins(b"\x93NUMPY"), "is a NumPy array and not a video. Write its pictures as a video, such as MP4"),
    (
        _begins(b"YUV4MPEG2 "),
        "is YUV4MPEG2 (.y4m), which is not accepted. Encode it, for example with: "
        "ffmpeg -i video.y4m -c:v libx264 -crf 10 video.mp4",
    ),
    (
        _begins(b"#EXTM3U"),
        "is an HLS playlist and not a video. Download the video that it names, and send that as one file",
    ),
    (_begins(b"ffconcat"), "is a list of files for ffmpeg and not a video. Send the video itself"),
    (
        lambda head: head.lstrip().startswith((b"<?xml", b"<")) and _is_text(head),
        "is an XML document and not a video: a playlist, a drawing or a server's error. Send the video itself",
    ),
    (
        lambda head: head.lstrip()[:1] in (b"{", b"[") and _is_text(head),
        "is JSON text and not a video, such as a server's error. Download the video itself",
    ),
    (_is_text, "is text and not a video. Send the video itself"),
]


def placeholder(head: bytes) -> str | None:
    """Return what the file with these first bytes is, if it only stands for a video; else None.

    The words go on after the file's name: "is a Git LFS pointer …", without a full stop.
    """
    return _first(_PLACEHOLDERS, head)


def no_video(head: bytes) -> str | None:
    """Return what the file with these first bytes is, if it is certainly no video that is accepted; else None."""
    return _first([*_PLACEHOLDERS, *_OTHERS], head)


def _first(kinds: list[tuple[_Test, str]], head: bytes) -> str | None:
    if not head:
        return None
    head = head.removeprefix(_BYTE_ORDER_MARK)
    return next((words for test, words in kinds if test(head)), None)
