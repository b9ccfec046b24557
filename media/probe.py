"""What a video file is: container, codecs, size, rate, length."""

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from diptych.embedded import binaries
from media import limits
from media.commands import READ_SAFELY, CommandFailed, UnplayableMedia, file_address, run

HIGHEST_RATE = Fraction(60)
LOWEST_RATE = Fraction(1)

# Rates that cameras, editors and generators mean when a file says something within half a percent of them.
USUAL_RATES = tuple(
    Fraction(*rate)
    for rate in [
        (24000, 1001),
        (24, 1),
        (25, 1),
        (30000, 1001),
        (30, 1),
        (48, 1),
        (50, 1),
        (60000, 1001),
        (60, 1),
    ]
)

_SHOWN = (
    "stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,r_frame_rate,avg_frame_rate,nb_frames,"
    "duration,pix_fmt,color_space,color_transfer,field_order:stream_tags=DURATION,rotate:stream_side_data=rotation:"
    "stream_disposition=attached_pic:format=format_name,duration,size"
)


# What ffprobe says of a picture with more than `limits.PIXELS`, whatever the header said.
_TOO_LARGE = re.compile(r"Picture size (\d+)x(\d+) (?:is invalid|exceeds)")


@dataclass(frozen=True)
class Facts:
    """What ffprobe says of a file, in the units that the rest of Diptych uses."""

    container: str  # ffprobe's name, such as "mov,mp4,m4a,3gp,3g2,mj2"
    video_codec: str
    width: int  # pixels as shown: after rotation, with square pixels
    height: int
    fps: float  # nominal frames a second, at most 60
    fps_ratio: str  # the same exactly, such as "30000/1001"
    duration_s: float  # of the picture where the file states it, else of the whole file
    frames: int | None  # where the container counts them
    audio_codec: str | None
    byte_size: int
    # What the transcoder needs beside.
    video_index: int
    audio_index: int | None
    pixel_format: str
    colour_matrix: str | None
    colour_transfer: str | None  # such as "smpte2084", which is PQ
    interlaced: bool
    square_pixels: bool
    picture_duration_stated: bool
    average_fps: float  # as stated, without a bound; 0 where the file says nothing
    streams: int

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(self.fps_ratio)


def probe(path: Path, *, time_limit_s: float = limits.PROBE_S) -> Facts:
    """Read the facts of the video at `path` from its headers, without decoding it.

    Raises `UnplayableMedia` with a reason in words when there is no video that ffmpeg can read.
    """
    if path.stat().st_size == 0:
        raise UnplayableMedia("The file is empty.")
    options = [part for name, value in READ_SAFELY.items() for part in (f"-{name}", value)]
    shown = ["-show_entries", _SHOWN, "-of", "json"]
    command = [str(binaries.ffprobe()), "-v", "error", *options, *shown, "-i", file_address(path)]
    try:
        output, complaints = run(command, time_limit_s=time_limit_s)
    except CommandFailed as failure:
        if "not on whitelist" in failure.complaint:
            raise UnplayableMedia(
                "The file is no video but a playlist, a picture, a subtitle or the like. "
                "Send the video itself, such as MP4, MOV, MKV, WebM, AVI or GIF."
            ) from None
        raise UnplayableMedia(
            f"The file is not a video that ffmpeg can read ({failure.complaint}). It may be incomplete or damaged."
        ) from None
    if size := _TOO_LARGE.search(complaints):
        raise UnplayableMedia(
            f"The picture is {size[1]} × {size[2]} pixels; at most {limits.PIXELS:,} pixels are prepared, such as "
            "8192 × 4320. Make it smaller."
        )
    return _facts(json.loads(output), path.stat().st_size)


def _facts(shown: dict[str, Any], byte_size: int) -> Facts:
    """Facts from ffprobe's JSON; raises `UnplayableMedia` when no stream is a moving picture."""
    streams = shown.get("streams", [])
    video = next((s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)), None)
    audio = next((s for s in streams if s.get("codec_type") == "audio" and s.get("codec_name")), None)
    if video is None:
        raise UnplayableMedia("The file has no video stream.")
    if not video.get("codec_name") or not video.get("width") or not video.get("height"):
        raise UnplayableMedia("The file's video stream has no picture that ffmpeg can decode. It may be damaged.")
    width, height = _shown_size(video)
    rate = nominal_rate(video)
    return Facts(
        container=shown["format"]["format_name"],
        video_codec=video["codec_name"],
        width=width,
        height=height,
        fps=float(rate),
        fps_ratio=f"{rate.numerator}/{rate.denominator}",
        duration_s=_picture_duration_s(video) or _seconds(shown["format"].get("duration")) or 0.0,
        frames=int(video["nb_frames"]) if video.get("nb_frames", "").isdigit() else None,
        audio_codec=audio["codec_name"] if audio else None,
        byte_size=byte_size,
        video_index=video["index"],
        audio_index=audio["index"] if audio else None,
        pixel_format=video.get("pix_fmt", ""),
        colour_matrix=_stated(video.get("color_space")),
        colour_transfer=_stated(video.get("color_transfer")),
        interlaced=_interlaced(video),
        square_pixels=_pixel_aspect(video) == 1,
        picture_duration_stated=_picture_duration_s(video) is not None,
        average_fps=float(_fraction(video.get("avg_frame_rate"))),
        streams=len(streams),
    )


def nominal_rate(video: dict[str, Any]) -> Fraction:
    """Frames a second that the stream means, between 1 and 60.

    `r_frame_rate` is the rate on whose grid every timestamp lies. It is right for constant rates and for GIFs
    whose last frame is held; for a rate that varies it is a huge tick, and the average speaks instead. An
    interlaced stream's grid counts fields, of which two make a frame.
    """
    grid, average = _fraction(video.get("r_frame_rate")), _fraction(video.get("avg_frame_rate"))
    rate = grid if LOWEST_RATE <= grid <= HIGHEST_RATE and not _interlaced(video) else average or grid
    usual = min(USUAL_RATES, key=lambda candidate: abs(candidate - rate))
    if rate not in USUAL_RATES and abs(usual - rate) <= usual / 200:
        rate = usual
    return min(max(rate, LOWEST_RATE), HIGHEST_RATE).limit_denominator(1001)


def _shown_size(video: dict[str, Any]) -> tuple[int, int]:
    width, height = round(video["width"] * _pixel_aspect(video)), video["height"]
    return (height, width) if _quarter_turned(video) else (width, height)


def _quarter_turned(video: dict[str, Any]) -> bool:
    turns = [side.get("rotation") for side in video.get("side_data_list", [])]
    degrees = next((turn for turn in turns if turn is not None), video.get("tags", {}).get("rotate", 0))
    return round(float(degrees) / 90) % 2 == 1


def _pixel_aspect(video: dict[str, Any]) -> Fraction:
    """Width of one pixel over its height; 1 where the file says nothing or nonsense."""
    aspect = _fraction(str(video.get("sample_aspect_ratio", "1:1")).replace(":", "/"))
    return aspect if Fraction(1, 8) <= aspect <= 8 else Fraction(1)


def _picture_duration_s(video: dict[str, Any]) -> float | None:
    """Length of the picture: MP4 and AVI state it in the stream, Matroska in a tag such as 00:00:03.02."""
    tag = str(video.get("tags", {}).get("DURATION", ""))
    if stated := _seconds(video.get("duration")):
        return stated
    parts = [_seconds(part) for part in tag.split(":")]
    if len(parts) != 3:
        return None
    hours, minutes, seconds = (part or 0.0 for part in parts)
    return (hours * 60 + minutes) * 60 + seconds or None


def _interlaced(video: dict[str, Any]) -> bool:
    return video.get("field_order") in {"tt", "bb", "tb", "bt"}


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _stated(value: str | None) -> str | None:
    return None if value in (None, "", "unknown", "unspecified", "reserved") else value


def _seconds(value: str | None) -> float | None:
    """ffprobe writes "N/A" for what it does not know."""
    try:
        return float(value or "")
    except ValueError:
        return None


def _fraction(ratio: str | None) -> Fraction:
    """0 where ffprobe says "0/0" or nothing."""
    try:
        return Fraction(ratio or "0")
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
