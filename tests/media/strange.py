"""Files that strangers send: one of each kind that docs/operators/media.md lists, made on the spot."""

import struct
from collections.abc import Callable
from pathlib import Path

from tests.media.making import make, pattern, tone

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SHORT = pattern("160x90", "10", 0.5)

Maker = Callable[[Path], Path]
#: What the table calls each kind, and what makes one in a folder.
KINDS: dict[str, Maker] = {}


def kind(name: str) -> Callable[[Maker], Maker]:
    def known(maker: Maker) -> Maker:
        KINDS[name] = maker
        return maker

    return known


@kind("wrong extension")
def wrong_extension(folder: Path) -> Path:
    return make(folder / "in.mp4", *SHORT, "-c:v", "libvpx", "-f", "webm")


@kind("empty")
def empty(folder: Path) -> Path:
    (folder / "in.mp4").touch()
    return folder / "in.mp4"


@kind("text with the name of a video")
def text(folder: Path) -> Path:
    (folder / "in.mp4").write_text("This is no video.\n" * 100)
    return folder / "in.mp4"


@kind("cut off within the picture")
def cut_off(folder: Path) -> Path:
    whole = make(folder / "in.mp4", *pattern(seconds=1), *H264, "-movflags", "+faststart")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    return whole


@kind("cut off before the index")
def cut_off_before_the_index(folder: Path) -> Path:
    whole = make(folder / "in.mp4", *SHORT, *H264)
    whole.write_bytes(whole.read_bytes()[:-500])
    return whole


@kind("sound alone")
def sound_alone(folder: Path) -> Path:
    return make(folder / "in.mp4", *tone(1), "-c:a", "aac")


@kind("sound with a cover picture")
def sound_with_a_cover(folder: Path) -> Path:
    cover = make(folder / "cover.jpg", *SHORT, "-frames:v", 1, "-update", 1)
    both = ("-i", cover, "-map", 0, "-map", 1, "-c:a", "aac", "-c:v", "copy", "-disposition:v:0", "attached_pic")
    return make(folder / "in.m4a", *tone(1), *both, "-f", "mp4")


@kind("video with a cover picture")
def video_with_a_cover(folder: Path) -> Path:
    cover = make(folder / "cover.jpg", *pattern("64x64", "10", 0.1), "-frames:v", 1, "-update", 1)
    both = ("-i", cover, "-map", 1, "-map", 0, "-c:v:0", "copy", "-disposition:v:0", "attached_pic")
    return make(folder / "in.mp4", *SHORT, *both, "-c:v:1", "libx264", "-pix_fmt:v:1", "yuv420p")


@kind("subtitles, an attachment and data")
def subtitles_and_data(folder: Path) -> Path:
    (folder / "said.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nWords\n")
    (folder / "font.ttf").write_bytes(bytes(2000))
    beside = ("-i", folder / "said.srt", "-attach", folder / "font.ttf", "-metadata:s:t", "mimetype=font/ttf")
    return make(folder / "in.mkv", *SHORT, *beside, *H264, "-c:s", "srt")


@kind("one frame")
def one_frame(folder: Path) -> Path:
    return make(folder / "in.mp4", *SHORT, "-frames:v", 1, *H264)


@kind("varying frame rate")
def varying_rate(folder: Path) -> Path:
    slow_down = "setpts='if(lt(N,10),N/25,0.4+(N-10)*0.0731)/TB'"
    varying = ("-vf", slow_down, "-fps_mode", "vfr", "-video_track_timescale", 90000)
    return make(folder / "in.mp4", *pattern("160x90", "25", 1), *varying, *H264)


@kind("odd size")
def odd_size(folder: Path) -> Path:
    return make(folder / "in.mkv", *pattern("161x91", "10", 0.5), "-c:v", "ffv1", "-pix_fmt", "yuv444p")


@kind("rotated")
def rotated(folder: Path) -> Path:
    flat = make(folder / "flat.mp4", *SHORT, *H264)
    return make(folder / "in.mp4", "-display_rotation", 90, "-i", flat, "-c", "copy")


@kind("10 bits a colour")
def ten_bits(folder: Path) -> Path:
    return make(folder / "in.mkv", *SHORT, "-c:v", "ffv1", "-pix_fmt", "yuv420p10le")


@kind("HDR, PQ")
def hdr_pq(folder: Path) -> Path:
    return greys(folder, "smpte2084")


@kind("HDR, HLG")
def hdr_hlg(folder: Path) -> Path:
    return greys(folder, "arib-std-b67")


GREYS = (0.0, 0.25, 0.38, 0.50, 0.58, 0.75)


def greys(folder: Path, transfer: str) -> Path:
    """Six grey bars, 40 pixels wide, of these signals (0 to 1), as HDR has them."""
    luma = "+".join(f"{round(64 + 876 * signal)}*eq(floor(X/40),{bar})" for bar, signal in enumerate(GREYS))
    named = f"setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}:range=tv"
    bars = f"color=s=240x96:r=10:d=0.2,format=yuv420p10le,geq=lum='{luma}':cb=512:cr=512,{named}"
    return make(folder / "in.mkv", "-f", "lavfi", "-i", bars, "-c:v", "ffv1")


@kind("see-through")
def see_through(folder: Path) -> Path:
    """Red, of which the left half is not there."""
    as_is = "lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)'"
    half = f"color=red:s=160x90:r=10:d=0.5,format=yuva444p10le,geq={as_is}:a='1023*gte(X,80)'"
    return make(folder / "in.mov", "-f", "lavfi", "-i", half, "-c:v", "prores_ks", "-profile:v", "4444")


@kind("interlaced")
def interlaced(folder: Path) -> Path:
    """A white bar runs over black, so that every other line lies elsewhere."""
    running = "color=black:s=320x240:r=50:d=0.6,format=yuv420p,geq=lum='255*between(X,8*N,8*N+40)':cb=128:cr=128"
    fields = ("-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ilme+ildct", "-pix_fmt", "yuv420p")
    return make(folder / "in.mpg", "-f", "lavfi", "-i", running, *fields, "-c:v", "mpeg2video", "-q:v", 1)


@kind("4K")
def four_k(folder: Path) -> Path:
    return make(folder / "in.mp4", *pattern("3840x2160", "10", 0.5), *H264)


@kind("an hour long")
def an_hour(folder: Path) -> Path:
    hour = ("-f", "lavfi", "-i", "color=gray:s=16x16:r=1:d=3600")
    return make(folder / "in.mp4", *hour, *H264, "-g", 600, "-tune", "zerolatency")


@kind("no length in the header")
def no_length(folder: Path) -> Path:
    return make(folder / "in.mkv", *SHORT, *H264, "-f", "matroska", "-live", 1)


@kind("an hour long, without saying so")
def an_hour_unsaid(folder: Path) -> Path:
    hour = ("-f", "lavfi", "-i", "color=gray:s=16x16:r=1:d=3600")
    return make(folder / "in.mkv", *hour, *H264, "-g", 600, "-tune", "zerolatency", "-live", 1)


@kind("two pictures, a day apart")
def long_gap(folder: Path) -> Path:
    apart = ("-vf", "setpts=N*86400/TB", "-fps_mode", "passthrough", "-frames:v", 2)
    return make(folder / "in.mkv", *pattern("16x16", "1", 3), *apart, "-c:v", "mjpeg", "-live", 1)


@kind("many streams")
def many_streams(folder: Path) -> Path:
    maps = [part for _ in range(70) for part in ("-map", "1:a")]
    return make(folder / "in.mkv", *SHORT, *tone(0.1), "-map", "0:v", *maps, *H264, "-c:a", "pcm_u8", "-ar", 8000)


@kind("huge picture declared")
def huge_picture(folder: Path) -> Path:
    """A GIF of a few kB whose header says 20,000 × 20,000."""
    source = make(folder / "in.gif", *SHORT)
    content = bytearray(source.read_bytes())
    content[6:10] = struct.pack("<HH", 20_000, 20_000)
    source.write_bytes(content)
    return source


@kind("huge picture within")
def huge_picture_within(folder: Path) -> Path:
    """An AVI whose header says 160 × 90; its pictures are JPEGs of 9,000 × 9,000 pixels."""
    still = ("-f", "lavfi", "-i", "color=gray:s=9000x9000:r=5:d=0.2")
    source = make(folder / "in.avi", *still, "-c:v", "mjpeg", "-q:v", 31, "-pix_fmt", "yuvj420p")
    real, said = struct.pack("<II", 9000, 9000), struct.pack("<II", 160, 90)
    source.write_bytes(source.read_bytes().replace(real, said))
    return source


@kind("absurd frame rate")
def absurd_rate(folder: Path) -> Path:
    return make(folder / "in.mkv", *pattern("64x64", "100000", 0.001), "-c:v", "mjpeg")


@kind("a picture of 1,920 × 2 pixels")
def sliver(folder: Path) -> Path:
    thin = ("-f", "lavfi", "-i", "color=red:s=1920x2:r=10:d=0.5")
    return make(folder / "in.mkv", *thin, "-c:v", "ffv1", "-pix_fmt", "yuv444p")
