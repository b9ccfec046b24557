"""Good pictures in odd files: codecs, delays, tracks, clocks, and sound that is wrong."""

import struct
from collections.abc import Iterator
from pathlib import Path

from tests.media.making import make, pattern, tone
from tests.media.strange import H264, SHORT, kind

#: Half a second of red, of which the left half is not there; it grows, so that no encoder makes one picture of it.
HALF_RED = (
    "-f",
    "lavfi",
    "-i",
    "color=red:s=160x90:r=10:d=0.5,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*gte(X,80-N)'",
)
AV1 = ("-c:v", "libaom-av1", "-cpu-used", 8)


@kind("AV1")
def av1(folder: Path) -> Path:
    return make(folder / "in.mp4", *SHORT, *AV1)


@kind("AVIF that moves")
def avif(folder: Path) -> Path:
    """Its first stream is a still picture."""
    return make(folder / "in.avif", *SHORT, *AV1)


@kind("APNG")
def apng(folder: Path) -> Path:
    return make(folder / "in.png", *SHORT, "-f", "apng", "-plays", 0)


@kind("APNG, see-through")
def apng_see_through(folder: Path) -> Path:
    return make(folder / "in.png", *HALF_RED, "-f", "apng", "-plays", 0)


@kind("PNG in MOV")
def png_in_mov(folder: Path) -> Path:
    return make(folder / "in.mov", *SHORT, "-c:v", "png")


@kind("animated WebP")
def webp(folder: Path) -> Path:
    return make(folder / "in.webp", *SHORT, "-c:v", "libwebp_anim", "-loop", 0)


@kind("animated WebP, see-through")
def webp_see_through(folder: Path) -> Path:
    return make(folder / "in.webp", *HALF_RED, "-c:v", "libwebp_anim", "-lossless", 1, "-loop", 0)


@kind("VP9, see-through")
def vp9_see_through(folder: Path) -> Path:
    return make(folder / "in.webm", *HALF_RED, "-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-cpu-used", 8)


@kind("H.265 of 10 bits")
def hevc_ten_bits(folder: Path) -> Path:
    quiet = ("-x265-params", "log-level=none", "-preset", "ultrafast")
    return make(folder / "in.mp4", *SHORT, "-c:v", "libx265", *quiet, "-pix_fmt", "yuv420p10le")


@kind("GIF with delays of 0")
def gif_delay_0(folder: Path) -> Path:
    return with_delay(make(folder / "in.gif", *SHORT), 0)


@kind("GIF with delays of 10 ms")
def gif_delay_1(folder: Path) -> Path:
    return with_delay(make(folder / "in.gif", *SHORT), 1)


def with_delay(gif: Path, hundredths: int) -> Path:
    """The GIF with another delay of each frame, in hundredths of a second."""
    content = bytearray(gif.read_bytes())
    place = content.find(b"\x21\xf9\x04")
    while place >= 0:
        content[place + 4 : place + 6] = hundredths.to_bytes(2, "little")
        place = content.find(b"\x21\xf9\x04", place + 8)
    gif.write_bytes(content)
    return gif


@kind("APNG with delays of 10 ms")
def apng_delay_10_ms(folder: Path) -> Path:
    return make(folder / "in.png", *pattern("160x90", "100", 0.05), "-f", "apng", "-plays", 0)


@kind("WebP with delays of 10 ms")
def webp_delay_10_ms(folder: Path) -> Path:
    return make(folder / "in.webp", *pattern("160x90", "100", 0.05), "-c:v", "libwebp_anim", "-loop", 0)


@kind("damaged sound")
def damaged_sound(folder: Path) -> Path:
    good = make(folder / "good.mp4", *SHORT, *tone(0.5), *H264, "-c:a", "aac")
    return make(folder / "in.mp4", "-i", good, "-c", "copy", "-bsf:a", "noise=amount=20")


@kind("sound of an unknown kind")
def unknown_sound(folder: Path) -> Path:
    source = make(folder / "in.mkv", *SHORT, *tone(0.5), *H264, "-c:a", "mp2")
    source.write_bytes(source.read_bytes().replace(b"A_MPEG/L2", b"A_MPEG/XX"))
    return source


@kind("sound longer than the picture")
def long_sound(folder: Path) -> Path:
    return make(folder / "in.mp4", *SHORT, *tone(5), *H264, "-c:a", "aac")


@kind("sound longer than the picture, in Matroska")
def long_sound_in_matroska(folder: Path) -> Path:
    return make(folder / "in.mkv", *SHORT, *tone(5), *H264, "-c:a", "aac")


@kind("mono that says “left”")
def mono_left(folder: Path) -> Path:
    return make(folder / "in.mov", *SHORT, *tone(0.5), "-af", "pan=FL|FL=c0", *H264, "-c:a", "pcm_s16le")


@kind("sound that changes its rate and channels")
def changing_sound(folder: Path) -> Path:
    parts = [
        make(folder / f"{rate}.ts", *SHORT, *tone(0.5), *H264, "-c:a", "aac", "-ar", rate, "-ac", channels)
        for rate, channels in ((44100, 1), (48000, 2))
    ]
    (folder / "parts.txt").write_text("".join(f"file '{part}'\n" for part in parts))
    return make(folder / "in.ts", "-f", "concat", "-safe", 0, "-i", folder / "parts.txt", "-c", "copy")


@kind("picture that begins after the sound")
def late_picture(folder: Path) -> Path:
    return make(folder / "in.mp4", "-itsoffset", 1, *SHORT, *tone(1.5), *H264, "-c:a", "aac")


@kind("trimmed by an edit list")
def trimmed(folder: Path) -> Path:
    good = make(folder / "good.mp4", *pattern("160x90", "10", 2), *H264, "-g", 20)
    return make(folder / "in.mp4", "-ss", 1.3, "-i", good, "-c", "copy")


@kind("two pictures, none the default")
def two_pictures(folder: Path) -> Path:
    return two(folder, "0")


@kind("two pictures, the smaller the default")
def two_pictures_with_a_default(folder: Path) -> Path:
    return two(folder, "default")


def two(folder: Path, first: str) -> Path:
    small, large = pattern("64x36", "10", 0.5), pattern("160x90", "10", 0.5)
    said = ("-disposition:v:0", first, "-disposition:v:1", 0)
    return make(folder / "in.mkv", *small, *large, "-map", 0, "-map", 1, *H264, *said)


@kind("MPEG-1")
def mpeg_1(folder: Path) -> Path:
    return make(folder / "in.mpg", *pattern("160x90", "25", 0.6), "-c:v", "mpeg1video")


@kind("Xvid with B-frames")
def xvid(folder: Path) -> Path:
    return make(folder / "in.avi", *pattern("160x90", "5", 2), "-c:v", "mpeg4", "-bf", 2, "-vtag", "XVID")


@kind("Matroska with a wrong length tag")
def stale_tag(folder: Path) -> Path:
    source = make(folder / "in.mkv", *SHORT, *H264)
    content = source.read_bytes()
    assert b"00:00:00.5" in content
    source.write_bytes(content.replace(b"00:00:00.5", b"00:30:09.5"))
    return source


@kind("VP8 that changes size")
def changing_size(folder: Path) -> Path:
    small = make(folder / "small.ivf", *pattern("160x90", "10", 0.5), "-c:v", "libvpx")
    large = make(folder / "large.ivf", *pattern("160x90", "10", 0.5), "-vf", "scale=320:180", "-c:v", "libvpx")
    pictures = [*ivf_pictures(small.read_bytes()), *ivf_pictures(large.read_bytes())]
    header = small.read_bytes()[:24] + struct.pack("<II", len(pictures), 0)
    body = b"".join(struct.pack("<IQ", len(one), number) + one for number, one in enumerate(pictures))
    (folder / "in.ivf").write_bytes(header + body)
    return folder / "in.ivf"


def ivf_pictures(content: bytes) -> Iterator[bytes]:
    place = 32
    while place < len(content):
        size = int.from_bytes(content[place : place + 4], "little")
        yield content[place + 12 : place + 12 + size]
        place += 12 + size
