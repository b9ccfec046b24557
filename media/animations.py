"""Check animated pictures (GIF, APNG, WebP): whether they are complete, and the delays between their frames.

Browsers show a frame with a delay of 10 ms or less for 100 ms. ffmpeg does so only for some formats. This module reads
only the structure of the files, in Python: lengths and numbers, no compressed data.
"""

import mmap
import shutil
from collections.abc import Iterator
from pathlib import Path

#: Options of ffmpeg's and ffprobe's demuxer: more than 99 frames a second is a delay of 10 ms or less.
_APNG = {"max_fps": "99", "default_fps": "10"}


#: A PNG states before its first picture that it is animated. Colour profiles may come before that.
HEAD_BYTES = 1 << 16


def format_of(head: bytes) -> str:
    """Return "gif", "png" or "webp" for a file that begins with these bytes, or "" if it is something else."""
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def format_of_file(path: Path) -> str:
    """Return the result of `format_of` for the file."""
    with path.open("rb") as file:
        return format_of(file.read(12))


def demuxer_options(path: Path) -> dict[str, str]:
    """Return the options that make ffmpeg and ffprobe use the same frame delays as browsers.

    There are no such options for GIF and WebP; see `with_browser_delays`.
    """
    return _APNG if format_of_file(path) == "png" else {}


def moves(head: bytes) -> bool:
    """Return whether a file that begins with these `HEAD_BYTES` is a GIF, or a PNG or WebP that is animated."""
    kind = format_of(head)
    if kind == "webp":  # a flag of the chunk VP8X, which is the first
        return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)
    return kind == "gif" or (kind == "png" and b"acTL" in head)


def is_cut_off(path: Path) -> bool:
    """Return whether the file is an animated picture and its end is missing. ffmpeg does not report that."""
    kind = format_of_file(path)
    if not kind:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if kind == "gif":
            return all(kind != _TRAILER for kind, _place in _gif_blocks(content))
        if kind == "png":
            return not any(name == b"IEND" for name in _png_chunks(content))
        return int.from_bytes(content[4:8], "little") + 8 > len(content)


def with_browser_delays(source: Path, copy: Path) -> Path:
    """Return the source, or a copy of a GIF or WebP in which delays of 10 ms or less are replaced by 100 ms.

    The copy is written to the path `copy`, only if there are such delays.
    """
    kind = format_of_file(source)
    if kind not in ("gif", "webp"):
        return source
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if kind == "gif":  # two bytes, in hundredths of a second
            places, written = (
                [place for name, place in _gif_blocks(content) if name == _DELAY],
                (10).to_bytes(2, "little"),
            )
        else:  # three bytes, in milliseconds
            places, written = list(_webp_delays(content)), (100).to_bytes(3, "little")
        width, shortest = len(written), int.from_bytes(written, "little") // 10
        short = [at for at in places if int.from_bytes(content[at : at + width], "little") <= shortest]
    if not short:
        return source
    shutil.copyfile(source, copy)
    with copy.open("r+b") as patched:
        for place in short:
            patched.seek(place)
            patched.write(written)
    return copy


_TRAILER, _DELAY = "trailer", "delay"


def _gif_blocks(content: mmap.mmap) -> Iterator[tuple[str, int]]:
    """Yield the byte offset of each delay, and the trailer if the file has one (GIF89a, sections 17 to 27)."""
    place = 13 + _colours(content[10:11])
    while place < len(content):
        kind = content[place]
        if kind == 0x3B:
            yield _TRAILER, 0
            return
        if kind == 0x21:  # an extension; 0xF9 is the graphic control of the next picture
            if content[place + 1 : place + 2] == b"\xf9" and place + 6 <= len(content):
                yield _DELAY, place + 4
            place = _after_sub_blocks(content, place + 2)
        elif kind == 0x2C:  # a picture
            place = _after_sub_blocks(content, place + 11 + _colours(content[place + 9 : place + 10]))
        elif kind == 0:  # some programs write an extra block end
            place += 1
        else:
            return


def _colours(packed: bytes) -> int:
    """Return the size in bytes of a colour table, from the byte that states whether it exists and its size."""
    return 3 << (packed[0] & 7) + 1 if packed and packed[0] & 0x80 else 0


def _after_sub_blocks(content: mmap.mmap, place: int) -> int:
    while place < len(content) and content[place]:
        place += content[place] + 1
    return place + 1


def _png_chunks(content: mmap.mmap) -> Iterator[bytes]:
    """Yield the name of each complete chunk."""
    place = 8
    while place + 12 <= len(content):
        following = place + 12 + int.from_bytes(content[place : place + 4])
        if following > len(content):
            return
        yield content[place + 4 : place + 8]
        place = following


def _webp_delays(content: mmap.mmap) -> Iterator[int]:
    """Yield the byte offset of the delay of each frame: 12 bytes into a chunk ANMF."""
    place = 12
    while place + 8 <= len(content):
        size = int.from_bytes(content[place + 4 : place + 8], "little")
        if content[place : place + 4] == b"ANMF" and place + 23 <= len(content):
            yield place + 20
        place += 8 + size + size % 2
