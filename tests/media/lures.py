"""Files that name another file or an address, in the hope that whoever reads them goes there."""

import ctypes
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.media.making import make, pattern

IN_NONBLOCK, IN_OPEN = os.O_NONBLOCK, 0x20  # <sys/inotify.h>


@dataclass(frozen=True)
class Planted:
    """What nobody may touch: a film on this machine, and a server that listens on it."""

    secret: Path
    address: str
    _watch: int
    _server: socket.socket

    def touched(self) -> str:
        """ "opened" or "called" if somebody did so since this was last asked, else nothing."""
        try:
            os.read(self._watch, 4096)
            return "opened"
        except BlockingIOError:
            pass
        try:
            self._server.accept()[0].close()
            return "called"
        except BlockingIOError:
            return ""


@contextmanager
def plant(folder: Path) -> Iterator[Planted]:
    """A secret film in `folder`, with the kernel watching who opens it, and a server."""
    film = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    secret = make(folder / "secret.mov", *pattern("64x64", "10", 0.5), *film)
    system = ctypes.CDLL(None, use_errno=True)
    watch = system.inotify_init1(IN_NONBLOCK)
    system.inotify_add_watch(watch, os.fsencode(secret), IN_OPEN)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        try:
            yield Planted(secret, f"http://127.0.0.1:{server.getsockname()[1]}/secret.ts", watch, server)
        finally:
            os.close(watch)


Lure = Callable[[Path, Planted], Path]
#: What docs/operators/media.md calls each, and what makes one in a folder.
LURES: dict[str, Lure] = {}


def lure(name: str) -> Callable[[Lure], Lure]:
    def known(maker: Lure) -> Lure:
        LURES[name] = maker
        return maker

    return known


def written(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


@lure("HLS playlist that names a file")
def hls_of_a_file(folder: Path, planted: Planted) -> Path:
    entries = f"#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{planted.secret}\n"
    return written(folder / "in.m3u8", f"#EXTM3U\n{entries}#EXT-X-ENDLIST\n")


@lure("HLS playlist that names an address")
def hls_of_an_address(folder: Path, planted: Planted) -> Path:
    entries = f"#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{planted.address}\n"
    return written(folder / "in.m3u8", f"#EXTM3U\n{entries}#EXT-X-ENDLIST\n")


@lure("HLS playlist with the name of a video")
def hls_as_mp4(folder: Path, planted: Planted) -> Path:
    return hls_of_a_file(folder, planted).rename(folder / "in.mp4")


@lure("concat script")
def concat(folder: Path, planted: Planted) -> Path:
    return written(folder / "in.mp4", f"ffconcat version 1.0\nfile {planted.secret}\nfile {planted.address}\n")


@lure("DASH manifest")
def dash(folder: Path, planted: Planted) -> Path:
    base = f"<Period><BaseURL>{planted.address}</BaseURL></Period>"
    return written(folder / "in.mpd", f'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">{base}</MPD>')


@lure("SVG")
def svg(folder: Path, planted: Planted) -> Path:
    image = f'<image href="file://{planted.secret}"/><image href="{planted.address}"/>'
    return written(folder / "in.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{image}</svg>')


@lure("session description (SDP)")
def sdp(folder: Path, planted: Planted) -> Path:
    media = "t=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    return written(folder / "in.mp4", f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\n{media}")


@lure("subtitle that names its pictures (VobSub)")
def vobsub(folder: Path, planted: Planted) -> Path:
    (folder / "in.sub").symlink_to(planted.secret)
    entry = "size: 720x480\nid: en, index: 0\ntimestamp: 00:00:01:000, filepos: 000000000\n"
    return written(folder / "in.idx", f"# VobSub index file, v7 (do not modify this line!)\n{entry}")


@lure("name that is a pattern of pictures")
def image_pattern(folder: Path, planted: Planted) -> Path:
    (folder / "in1.jpg").symlink_to(planted.secret)
    return written(folder / "in%d.jpg", "nothing")


@lure("MP4 whose picture lies in another file")
def external_reference(folder: Path, planted: Planted) -> Path:
    """The secret's index, with an alias record in place of “in this file” (QuickTime File Format, data references)."""
    named = planted.secret.name.encode()
    alias = bytes(10) + bytes(28) + bytes(12) + bytes([len(named)]) + named.ljust(63, b"\0") + bytes(16)
    alias += struct.pack(">HH", 1, 2) + bytes(16)  # private/secret.mov, seen from beside it
    path = str(planted.secret).encode()
    alias += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + b"\xff\xff\0\0"
    reference = box(b"alis", bytes(4) + alias.ljust(160, b"\0"))
    content = planted.secret.read_bytes()
    planted.touched()
    (folder / "in.mov").write_bytes(
        b"".join(
            box(name, replaced(body, reference) if name == b"moov" else body)
            for name, body in boxes(content)
            if name != b"mdat"
        )
    )
    return folder / "in.mov"


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box (ISO/IEC 14496-12, 4.2)."""
    while content:
        size = int.from_bytes(content[:4])
        yield content[4:8], content[8:size]
        content = content[size:]


def box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4) + name + body


def replaced(content: bytes, reference: bytes) -> bytes:
    """The boxes of `content` with `reference` as the only data reference."""
    made = b""
    for name, body in boxes(content):
        if name == b"dref":
            made += box(name, bytes(4) + (1).to_bytes(4) + reference)
        else:
            made += box(name, replaced(body, reference) if name in {b"trak", b"mdia", b"minf", b"dinf"} else body)
    return made
