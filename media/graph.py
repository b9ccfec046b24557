"""What ffmpeg is asked to make of one file: which filters, which outputs, with which settings."""

import math
from pathlib import Path
from typing import Any

import ffmpeg

from media import animations, decoders, limits
from media.commands import READ_SAFELY, UnplayableMedia, file_address
from media.probe import Facts
from media.stills import small_size

LONG_SIDE = 1920  # pixels; larger pictures are scaled down to fit, smaller ones never up
SHORT_SIDE = 1080
FRAME_SHORT_SIDE = 160  # pixels of a training frame: 160 × 284 for 16:9, about as many pixels as 224 × 224
FRAME_LONG_SIDE = 640  # at most, or a training frame of 2 × 1920 pixels would grow to 25 million
SLIMMEST = 4  # one side over the other, of what small pictures are cut from

# PQ and HLG. Made for brighter screens with more colours; shown as they are, browsers and models see grey.
HIGH_DYNAMIC_RANGE = {"smpte2084", "arib-std-b67"}
BT709 = {"out_color_matrix": "bt709", "out_primaries": "bt709", "out_transfer": "bt709"}
RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "pal8")
WITH_ALPHA = ("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya8", "ya16", "pal8")

#: Decoders that see the layer of VP8 and VP9 which says how transparent a pixel is.
WITH_ALPHA_LAYER = {"vp8": "libvpx", "vp9": "libvpx-vp9"}

_MP4 = {"map_chapters": -1, "fflags": "+bitexact", "movflags": "+faststart", "f": "mp4"}

# A JPEG has one colour matrix and range, whatever the video has.
JFIF_COLOUR = {"out_color_matrix": "smpte170m", "out_range": "pc"}


def filter_graph(source: Path, facts: Facts, aside: Path, threads: int, frames: list[int]) -> Any:
    """One decode, split after rate, size and colour are settled, so that all outputs count the same frames.

    `frames` are the indices, in the playback file, of those that are cut for models; `cut/INDEX.jpg` is each.
    """
    opened = _opened(source, facts, threads)
    picture = _settled_picture(opened[str(facts.video_index)], facts).split()
    streams = [picture[0].filter("format", "yuv420p")]
    if facts.audio_index is not None:
        streams.append(opened[str(facts.audio_index)])
    # Without `trim` every frame would be brought into the poster's colours, and all but the first thrown away.
    poster = picture[1].filter("trim", end_frame=1).filter("scale", **JFIF_COLOUR).filter("format", "yuvj420p")
    small = small_size_of(playback_size(facts))
    return ffmpeg.merge_outputs(
        ffmpeg.output(
            *streams, file_address(aside / "playback.mp4"),
            **_at_most(), **_playback_options(facts, threads),
        ),
        ffmpeg.output(poster, file_address(aside / "poster.jpg"), **_still(), update=1, **{"q:v": 3}),
        _cut_frames(picture[2], facts, aside, frames),
        ffmpeg.output(
            _at_most_slim(picture[3]).filter("scale", *small, flags="area", **JFIF_COLOUR).filter("format", "yuvj420p"),
            file_address(aside / "small.yuv"),
            **_at_most(), **{"c:v": "rawvideo", "f": "rawvideo"},
        ),
    )  # fmt: skip


def frames_graph(source: Path, facts: Facts, aside: Path, threads: int, frames: list[int]) -> Any:
    """Only the training frames, of the same pictures as `filter_graph` settles on."""
    picture = _settled_picture(_opened(source, facts, threads)[str(facts.video_index)], facts)
    return _cut_frames(picture, facts, aside, frames)


def _opened(source: Path, facts: Facts, threads: int) -> Any:
    options: dict[str, Any] = {"threads": threads, **READ_SAFELY, **animations.demuxer_options(source)}
    # A stream whose pictures change size would begin the filters anew, and with them the count of frames.
    options["reinit_filter:v"] = 0
    decoder = WITH_ALPHA_LAYER.get(facts.video_codec)
    if decoder and facts.pixel_format.startswith(WITH_ALPHA) and decoders.has_decoder(decoder):
        options[f"c:{facts.video_index}"] = decoder
    return ffmpeg.input(file_address(source), **options)


def cut_graph(playback: Path, cut: Path, end_s: float) -> Any:
    """The playback file without what comes after `end_s`, which is the end of its picture. Nothing is encoded again."""
    options = {"c": "copy", "t": end_s, "map_metadata": -1, **_MP4}
    return ffmpeg.output(ffmpeg.input(file_address(playback), **READ_SAFELY), file_address(cut), map="0", **options)


def _at_most() -> dict[str, Any]:
    """No output is longer, whatever the file's clock says; none has the file's own words with it."""
    return {"t": limits.longest_s() + 1, "fps_mode": "passthrough", "map_metadata": -1}


def _still() -> dict[str, Any]:
    return {**_at_most(), "c:v": "mjpeg", "threads": 1, "f": "image2"}


def _cut_frames(picture: Any, facts: Facts, aside: Path, frames: list[int]) -> Any:
    """Write whole pictures of `frames` as JPEGs, before H.264, so models see no artefacts of ours.

    Each is called by its time, its index.
    """
    size = frame_size_of(playback_size(facts))
    wanted = picture.filter("select", "+".join(f"eq(n,{index})" for index in frames))
    fitted = wanted.filter("scale", *size, flags="bicubic", **JFIF_COLOUR).filter("format", "yuvj420p")
    fitted = fitted.filter("setsar", "1")  # whole numbers of pixels make the shape differ by less than one of them
    name = f"{file_address(aside / 'cut').replace('%', '%%')}/%d.jpg"
    return ffmpeg.output(fitted, name, **_still(), frame_pts=1, **{"q:v": 2, "huffman": "default"})


def _settled_picture(stream: Any, facts: Facts) -> Any:
    """The picture with its playback rate, size and colours, from time 0 on."""
    if facts.interlaced:
        stream = stream.filter("bwdif", mode="send_frame")  # a frame of both fields, without the comb
    if facts.pixel_format.startswith(WITH_ALPHA):
        stream = stream.filter("premultiply", inplace=1)  # over black: what lies below is anything
    stream = stream.filter("setpts", f"if(lt(STARTT,{_late_start_s(facts):.6g}),PTS-STARTPTS,PTS)")
    stream = stream.filter("fps", fps=facts.fps_ratio, start_time=0)
    if facts.square_pixels:
        stream = stream.filter("scale", facts.width, facts.height)  # of pictures that change size within the stream
        # An odd size loses one row or column rather than have every pixel resampled.
        stream = stream.filter("crop", w="trunc(iw/2)*2", h="trunc(ih/2)*2", x=0, y=0)
    return _with_named_colours(stream, facts).filter("setsar", "1")


def _late_start_s(facts: Facts) -> float:
    """Return from which time on a first frame is late on purpose, and what is before it is filled with that frame.

    Matroska starts the picture some 20 ms late when its sound is primed; filling that in would show the first frame
    twice. AVI has no times, and ffmpeg counts those frames in that B-frames wait for. A real gap is filled, to keep
    sound and picture together.
    """
    return max(0.1, float(2.5 / facts.rate)) if facts.container == "avi" else 0.1


def _with_named_colours(stream: Any, facts: Facts) -> Any:
    """The picture in its playback size, in colours that browser, poster and models read alike."""
    width, height = playback_size(facts)
    fit: dict[str, Any] = {"w": width, "h": height, "flags": "bicubic", "out_range": "tv"}
    if facts.colour_transfer in HIGH_DYNAMIC_RANGE:
        # White paper stays white; what shines brighter than that, such as a lamp, is cut to white.
        return stream.filter("scale", **fit, **BT709, intent="relative_colorimetric")
    if facts.pixel_format.startswith(RGB):
        fit["out_color_matrix"] = "bt709"
    elif facts.colour_matrix is None:
        # Browsers guess by height where the file is silent.
        guess = "bt709" if facts.height >= 720 else "smpte170m"
        stream = stream.filter("setparams", colorspace=guess)
    return stream.filter("scale", **fit)


def frame_size_of(playback: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of the training frames of a playback file with this width and height.

    Each shows the whole picture. Its short side has 160 pixels, less where the long side would have more than 640.
    Both are even, because colour has half the width and height (4:2:0).
    """
    scale = min(FRAME_SHORT_SIDE / min(playback), FRAME_LONG_SIDE / max(playback))
    width, height = (max(2, round(side * scale / 2) * 2) for side in playback)
    return width, height


def _at_most_slim(stream: Any) -> Any:
    """Cut off what lies beyond four squares: of a picture of 2 × 1920 pixels, 2 pixels would be left of 90."""
    return stream.filter("crop", w=f"min(iw,{SLIMMEST}*ih)", h=f"min(ih,{SLIMMEST}*iw)")


def small_size_of(playback: tuple[int, int]) -> tuple[int, int]:
    """Of the small pictures of a playback file with this width and height."""
    width, height = playback
    return small_size(min(width, SLIMMEST * height), min(height, SLIMMEST * width))


def _playback_options(facts: Facts, threads: int) -> dict[str, Any]:
    """Encoder and container settings, chosen for stepping and seeking rather than for the last byte."""
    group = max(1, math.floor(facts.rate / 2))  # frames between key frames: at most half a second
    return {
        "c:v": "libx264", "preset": "veryfast", "crf": 18, "threads": threads,
        "g": group, "keyint_min": group, "sc_threshold": 0, "flags": "+cgop",
        "bf": 0,  # no reordering: the first frame is at 0 without an edit list, and a step back decodes less
        "c:a": "aac", "b:a": "128k", "ac": 2, "ar": 48000,
        **_sound_filters(facts),
        **_MP4,
    }  # fmt: skip


def _sound_filters(facts: Facts) -> dict[str, str]:
    """A gap at the start or within becomes silence, so sound and picture stay together.

    These filters are begun anew where the sound changes its rate or channels, and would fill in a start once more. So
    a start is filled in only where there is a gap. The filters of the picture are apart, and are not begun anew.
    """
    if facts.audio_index is None:
        return {}
    return {"af": "aresample=async=1" if facts.sound_begins_first else "aresample=async=1:first_pts=0"}


def playback_size(facts: Facts) -> tuple[int, int]:
    """Width and height in pixels of the playback: even, as 4:2:0 colour needs, and within 1920 × 1080."""
    long_side, short_side = max(facts.width, facts.height), min(facts.width, facts.height)
    shrink = min(1.0, LONG_SIDE / long_side, SHORT_SIDE / short_side)
    width, height = (int(side * shrink + 1e-6) // 2 * 2 for side in (facts.width, facts.height))
    if not width or not height:
        raise UnplayableMedia("picture_too_small", width=str(facts.width), height=str(facts.height))
    return width, height
