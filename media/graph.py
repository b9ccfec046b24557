"""Build ffmpeg's filter graph for one file: filters, outputs and encoder settings."""

import math
from pathlib import Path
from typing import Any

import ffmpeg

from media import animations, decoders, limits
from media.commands import READ_SAFELY, UnplayableMedia, file_address
from media.probe import Facts
from media.stills import small_size

LONG_SIDE = 1920  # pixels; larger pictures are scaled down to fit, smaller ones are not scaled up
SHORT_SIDE = 1080
FRAME_SHORT_SIDE = 160  # pixels of a training frame: 160 × 284 for 16:9, about as many pixels as 224 × 224
FRAME_LONG_SIDE = 640  # at most, or a training frame of 2 × 1920 pixels would grow to 25 million
SLIMMEST = 4  # greatest ratio of the sides from which small pictures are made

# PQ and HLG are made for brighter screens with more colours. Without conversion, browsers and models see grey.
HIGH_DYNAMIC_RANGE = {"smpte2084", "arib-std-b67"}
BT709 = {"out_color_matrix": "bt709", "out_primaries": "bt709", "out_transfer": "bt709"}
RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "pal8")
WITH_ALPHA = ("yuva", "gbrap", "rgba", "bgra", "argb", "abgr", "ya8", "ya16", "pal8")

#: Decoders that read the alpha layer of VP8 and VP9.
WITH_ALPHA_LAYER = {"vp8": "libvpx", "vp9": "libvpx-vp9"}

_MP4 = {"map_chapters": -1, "fflags": "+bitexact", "movflags": "+faststart", "f": "mp4"}

# A JPEG has one colour matrix and range, whatever the video has.
JFIF_COLOUR = {"out_color_matrix": "smpte170m", "out_range": "pc"}


def filter_graph(source: Path, facts: Facts, aside: Path, threads: int, frames: list[int]) -> Any:
    """Return the graph of all outputs of one file.

    The file is decoded once. The picture is split after its rate, size and colours are fixed, so that all outputs have
    the same frames. `frames` are the indices, in the playback file, of the training frames; each is written to
    `cut/INDEX.jpg`.
    """
    opened = _opened(source, facts, threads)
    picture = _normalized_picture(opened[str(facts.video_index)], facts).split()
    streams = [picture[0].filter("format", "yuv420p")]
    if facts.audio_index is not None:
        streams.append(opened[str(facts.audio_index)])
    # Without `trim` every frame would be converted to the poster's colours, and all but the first discarded.
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
    """Return the graph of only the training frames, from the same pictures as in `filter_graph`."""
    picture = _normalized_picture(_opened(source, facts, threads)[str(facts.video_index)], facts)
    return _cut_frames(picture, facts, aside, frames)


def _opened(source: Path, facts: Facts, threads: int) -> Any:
    options: dict[str, Any] = {"threads": threads, **READ_SAFELY, **animations.demuxer_options(source)}
    # Otherwise a change of the picture's size would restart the filters, and with them the count of frames.
    options["reinit_filter:v"] = 0
    decoder = WITH_ALPHA_LAYER.get(facts.video_codec)
    if decoder and facts.pixel_format.startswith(WITH_ALPHA) and decoders.has_decoder(decoder):
        options[f"c:{facts.video_index}"] = decoder
    return ffmpeg.input(file_address(source), **options)


def cut_graph(playback: Path, cut: Path, end_s: float) -> Any:
    """Return the graph that cuts the playback file at `end_s` seconds, where its picture ends, without encoding."""
    options = {"c": "copy", "t": end_s, "map_metadata": -1, **_MP4}
    return ffmpeg.output(ffmpeg.input(file_address(playback), **READ_SAFELY), file_address(cut), map="0", **options)


def _at_most() -> dict[str, Any]:
    """Return options that bound the length of an output, whatever the file states, and leave out its metadata."""
    return {"t": limits.longest_s() + 1, "fps_mode": "passthrough", "map_metadata": -1}


def _still() -> dict[str, Any]:
    return {**_at_most(), "c:v": "mjpeg", "threads": 1, "f": "image2"}


def _cut_frames(picture: Any, facts: Facts, aside: Path, frames: list[int]) -> Any:
    """Write whole pictures of `frames` as JPEGs, before H.264 encoding, so that models see no artefacts of it.

    The name of each is its index.
    """
    size = frame_size_of(playback_size(facts))
    wanted = picture.filter("select", "+".join(f"eq(n,{index})" for index in frames))
    fitted = wanted.filter("scale", *size, flags="bicubic", **JFIF_COLOUR).filter("format", "yuvj420p")
    fitted = fitted.filter("setsar", "1")  # rounding to whole pixels changes the shape by less than one pixel
    name = f"{file_address(aside / 'cut').replace('%', '%%')}/%d.jpg"
    return ffmpeg.output(fitted, name, **_still(), frame_pts=1, **{"q:v": 2, "huffman": "default"})


def _normalized_picture(stream: Any, facts: Facts) -> Any:
    """Return the picture with its playback rate, size and colours, starting at time 0."""
    if facts.interlaced:
        stream = stream.filter("bwdif", mode="send_frame")  # one frame of both fields, without combing
    if facts.pixel_format.startswith(WITH_ALPHA):
        stream = stream.filter("premultiply", inplace=1)  # over black: transparent pixels may have any colour
    stream = stream.filter("setpts", f"if(lt(STARTT,{_late_start_s(facts):.6g}),PTS-STARTPTS,PTS)")
    stream = stream.filter("fps", fps=facts.fps_ratio, start_time=0)
    if facts.square_pixels:
        stream = stream.filter("scale", facts.width, facts.height)  # for pictures that change size within the stream
        # An odd size loses one row or column, so that not every pixel is resampled.
        stream = stream.filter("crop", w="trunc(iw/2)*2", h="trunc(ih/2)*2", x=0, y=0)
    return _with_named_colours(stream, facts).filter("setsar", "1")


def _late_start_s(facts: Facts) -> float:
    """Return the start time, in seconds, from which on a late first frame is taken as a real gap and filled.

    A real gap is filled with the first frame, to keep sound and picture in sync. Shorter delays are artefacts: Matroska
    starts the picture some 20 ms late when its sound is primed, and filling that would show the first frame twice. AVI
    has no timestamps, and ffmpeg counts the frames for which B-frames wait.
    """
    return max(0.1, float(2.5 / facts.rate)) if facts.container == "avi" else 0.1


def _with_named_colours(stream: Any, facts: Facts) -> Any:
    """Return the picture in its playback size, with colours that browsers, posters and models interpret alike."""
    width, height = playback_size(facts)
    fit: dict[str, Any] = {"w": width, "h": height, "flags": "bicubic", "out_range": "tv"}
    if facts.colour_transfer in HIGH_DYNAMIC_RANGE:
        # White paper stays white. Brighter light, such as a lamp, is clipped to white.
        return stream.filter("scale", **fit, **BT709, intent="relative_colorimetric")
    if facts.pixel_format.startswith(RGB):
        fit["out_color_matrix"] = "bt709"
    elif facts.colour_matrix is None:
        # Browsers guess the matrix from the height if the file does not state it.
        guess = "bt709" if facts.height >= 720 else "smpte170m"
        stream = stream.filter("setparams", colorspace=guess)
    return stream.filter("scale", **fit)


def frame_size_of(playback: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of the training frames of a playback file with this width and height.

    Each shows the whole picture. Its short side has 160 pixels, or fewer if the long side would have more than 640.
    Both are even, because 4:2:0 colour has half the width and height.
    """
    scale = min(FRAME_SHORT_SIDE / min(playback), FRAME_LONG_SIDE / max(playback))
    width, height = (max(2, round(side * scale / 2) * 2) for side in playback)
    return width, height


def _at_most_slim(stream: Any) -> Any:
    """Crop the picture to a ratio of at most 4:1. Of 2 × 1920 pixels, the small picture would keep 2 pixels of 90."""
    return stream.filter("crop", w=f"min(iw,{SLIMMEST}*ih)", h=f"min(ih,{SLIMMEST}*iw)")


def small_size_of(playback: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the small pictures of a playback file with this width and height."""
    width, height = playback
    return small_size(min(width, SLIMMEST * height), min(height, SLIMMEST * width))


def _playback_options(facts: Facts, threads: int) -> dict[str, Any]:
    """Return encoder and container settings. They favour stepping and seeking over file size."""
    group = max(1, math.floor(facts.rate / 2))  # frames between key frames: at most half a second
    return {
        "c:v": "libx264", "preset": "veryfast", "crf": 18, "threads": threads,
        "g": group, "keyint_min": group, "sc_threshold": 0, "flags": "+cgop",
        "bf": 0,  # no reordering: the first frame is at 0 without an edit list, and stepping back decodes less
        "c:a": "aac", "b:a": "128k", "ac": 2, "ar": 48000,
        **_sound_filters(facts),
        **_MP4,
    }  # fmt: skip


def _sound_filters(facts: Facts) -> dict[str, str]:
    """Return filters that fill gaps in the sound with silence, so that sound and picture stay in sync.

    ffmpeg restarts these filters when the sound changes its rate or channels, and would fill the start again. So the
    start is filled only if there is a gap. The filters of the picture are separate and are not restarted.
    """
    if facts.audio_index is None:
        return {}
    return {"af": "aresample=async=1" if facts.sound_begins_first else "aresample=async=1:first_pts=0"}


def playback_size(facts: Facts) -> tuple[int, int]:
    """Return width and height in pixels of the playback file: even, as 4:2:0 needs, and within 1920 × 1080."""
    long_side, short_side = max(facts.width, facts.height), min(facts.width, facts.height)
    shrink = min(1.0, LONG_SIDE / long_side, SHORT_SIDE / short_side)
    width, height = (int(side * shrink + 1e-6) // 2 * 2 for side in (facts.width, facts.height))
    if not width or not height:
        raise UnplayableMedia("picture_too_small", width=str(facts.width), height=str(facts.height))
    return width, height
