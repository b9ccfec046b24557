"""Files that cannot be videos, or that may not be read: each is refused with what it is and what to do."""

from pathlib import Path

from tests.media.making import make, pattern, tone
from tests.media.strange import H264, SHORT, kind
from tests.media.strange_tracks import apng, webp


def written(folder: Path, content: bytes) -> Path:
    (folder / "in.mp4").write_bytes(content)
    return folder / "in.mp4"


@kind("zeros")
def zeros(folder: Path) -> Path:
    return written(folder, bytes(5000))


@kind("Git LFS pointer")
def lfs_pointer(folder: Path) -> Path:
    return written(folder, b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n")


@kind("git-annex pointer")
def annex_pointer(folder: Path) -> Path:
    return written(folder, b"/annex/objects/SHA256E-s12345--" + b"0" * 64 + b".mp4\n")


@kind("web page")
def web_page(folder: Path) -> Path:
    return written(folder, b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body></body></html>")


@kind("JSON with the name of a video")
def json_text(folder: Path) -> Path:
    return written(folder, b'{"error": "Access denied"}')


@kind("XML with the name of a video")
def xml_text(folder: Path) -> Path:
    return written(folder, b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')


@kind("encrypted MP4 (DRM)")
def encrypted(folder: Path) -> Path:
    key = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb")
    return make(folder / "in.mp4", *SHORT, *H264, *key, "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")


@kind("encrypted with a password")
def encrypted_file(folder: Path) -> Path:
    return written(folder, b"Salted__" + bytes(range(256)) * 8)


@kind("scrambled transport stream")
def scrambled(folder: Path) -> Path:
    source = make(folder / "in.ts", *SHORT, *H264)
    content = bytearray(source.read_bytes())
    for place in range(3 * 188, len(content), 188):  # behind the tables
        content[place + 3] |= 0x80
    source.write_bytes(content)
    return source


@kind("MXF")
def mxf(folder: Path) -> Path:
    return make(folder / "in.mxf", *pattern("160x90", "25", 0.4), "-c:v", "mpeg2video")


@kind("raw H.264")
def raw_h264(folder: Path) -> Path:
    return make(folder / "in.mp4", *SHORT, *H264, "-f", "h264")


@kind("YUV4MPEG2")
def y4m(folder: Path) -> Path:
    return make(folder / "in.y4m", *SHORT, "-pix_fmt", "yuv420p")


@kind("WAV")
def wav(folder: Path) -> Path:
    return make(folder / "in.wav", *tone(0.5))


@kind("still PNG")
def still_png(folder: Path) -> Path:
    return make(folder / "in.png", *SHORT, "-frames:v", 1, "-update", 1)


@kind("still JPEG")
def still_jpeg(folder: Path) -> Path:
    return make(folder / "in.jpg", *SHORT, "-frames:v", 1, "-update", 1)


@kind("still WebP")
def still_webp(folder: Path) -> Path:
    return make(folder / "in.webp", *SHORT, "-frames:v", 1, "-c:v", "libwebp")


@kind("zip archive")
def zip_archive(folder: Path) -> Path:
    return written(folder, b"PK\x03\x04" + bytes(100))


@kind("NumPy array")
def numpy_array(folder: Path) -> Path:
    return written(folder, b"\x93NUMPY\x01\x00" + bytes(100))


@kind("GIF without its end")
def gif_without_end(folder: Path) -> Path:
    return without_end(make(folder / "in.gif", *SHORT), 1)


@kind("APNG without its end")
def apng_without_end(folder: Path) -> Path:
    return without_end(apng(folder), 12)


@kind("WebP without its end")
def webp_without_end(folder: Path) -> Path:
    return without_end(webp(folder), 500)


def without_end(path: Path, missing: int) -> Path:
    path.write_bytes(path.read_bytes()[:-missing])
    return path
