"""Read the facts of a video file: container, codecs, size, rate, length."""

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from diptych.embedded import binaries
from media import animations, decoders, formats, limits, recognise, streams
from media.commands import READ_SAFELY, CommandFailed, UnplayableMedia, file_address, run
from media.reasons import reason
from media.streams import fraction, seconds, stated

_SHOWN = (
    "stream=index,codec_type,codec_name,codec_tag_string,width,height,sample_aspect_ratio,r_frame_rate,avg_frame_rate,"
    "nb_frames,duration,start_time,pix_fmt,color_space,color_transfer,field_order:"
    "stream_tags=DURATION,rotate,alpha_mode:stream_side_data=rotation,side_data_type:"
    "stream_disposition=default,attached_pic,timed_thumbnails:format=format_name,duration,start_time"
)
#: The first packets state whether their data is encrypted. The stream itself does not.
_FIRST_PACKETS = ("-show_entries", f"{_SHOWN}:packet=stream_index:packet_side_data=side_data_type")

# ffprobe's message about a picture with more than `limits.PIXELS`, whatever the header states.
_TOO_LARGE = re.compile(r"Picture size (\d+)x(\d+) (?:is invalid|exceeds)")

#: Codecs that this ffprobe cannot decode, so that it does not know their pixels.
_SHOWN_BY_FFMPEG = {"av1", "png", "apng"}
_FIRST_PICTURE = re.compile(
    r"\bfmt:(\w+).*\n.*color_range:\w+ color_space:(\w+) color_primaries:\w+ color_trc:([\w-]+)"
)


@dataclass(frozen=True)
class Facts:
    """Facts that ffprobe reports about a file, in the units of Diptych."""

    container: str  # ffprobe's name, such as "mov,mp4,m4a,3gp,3g2,mj2"
    video_codec: str
    width: int  # pixels on the screen: after rotation, with square pixels
    height: int
    fps: float  # nominal frames a second, at most 60
    fps_ratio: str  # the same exactly, such as "30000/1001"
    duration_s: float  # of the picture if the file states it, else of the whole file
    whole_duration_s: float  # of all streams; 0 if the file does not state it
    frames: int | None  # None if the container does not count them
    audio_codec: str | None  # "unknown" if ffprobe cannot name the codec of the sound
    byte_size: int
    # Further facts for the transcoder.
    video_index: int
    audio_index: int | None
    sound_begins_first: bool  # then no silence is needed before it
    pixel_format: str
    colour_matrix: str | None
    colour_transfer: str | None  # such as "smpte2084", which is PQ
    interlaced: bool
    square_pixels: bool
    picture_duration_stated: bool
    average_fps: float  # as stated, without a bound; 0 if the file does not state it
    streams: int

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(self.fps_ratio)


def probe(path: Path, *, time_limit_s: float = limits.PROBE_S) -> Facts:
    """Read the facts of the video at `path` from its headers. Only a first picture is decoded, if that is necessary.

    Raises `UnplayableMedia` if there is no video that ffmpeg can read.
    """
    _refuse_other_content(path)
    if animations.format_of_file(path) == "webp":
        shown = _shown_of_webp(path, time_limit_s)
    else:
        shown = _shown(path, time_limit_s)
    return _facts(shown, path, time_limit_s)


def _refuse_other_content(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(recognise.HEAD_BYTES)
    if not head:
        raise UnplayableMedia("empty")
    if what := recognise.no_video(head):
        raise UnplayableMedia("other_content", what=reason(what))
    if animations.is_cut_off(path):
        raise UnplayableMedia("cut_off")


def _shown(path: Path, time_limit_s: float) -> dict[str, Any]:
    """Return ffprobe's JSON about the file. Raises UnplayableMedia."""
    shown = _probed(path, time_limit_s, *_FIRST_PACKETS, "-read_intervals", "%+#32")
    candidates = streams.pictures(shown.get("streams", []))
    if len(candidates) > 1 and any(streams.frames_of(one) is None for one in candidates):
        wanted = ("-count_packets", "-select_streams", "v", "-show_entries", "stream=index,nb_read_packets")
        counted = {one["index"]: one for one in _probed(path, time_limit_s, *wanted).get("streams", [])}
        for one in candidates:
            one["counted"] = counted.get(one["index"], {}).get("nb_read_packets", "")
    return shown


def _probed(path: Path, time_limit_s: float, *wanted: str) -> dict[str, Any]:
    command = [str(binaries.ffprobe()), "-v", "error", *_options(path), *wanted, "-of", "json"]
    try:
        output, complaints = run([*command, "-i", file_address(path)], time_limit_s=time_limit_s)
    except CommandFailed as failure:
        raise _unreadable(failure) from None
    refuse_too_large(complaints)
    return dict(json.loads(output))


def _options(path: Path) -> list[str]:
    options = {**READ_SAFELY, **animations.demuxer_options(path)}
    return [part for name, value in options.items() for part in (f"-{name}", value)]


def _unreadable(failure: CommandFailed) -> UnplayableMedia:
    if refused := formats.refused_format(failure.stderr):
        return UnplayableMedia(refused["code"], **refused["values"])
    return UnplayableMedia("unreadable", complaint=failure.complaint)


def refuse_too_large(complaints: str) -> None:
    """Raise UnplayableMedia if ffmpeg or ffprobe complained about the size of a picture."""
    if size := _TOO_LARGE.search(complaints):
        raise too_large(int(size[1]), int(size[2]))


def too_large(width: int, height: int) -> UnplayableMedia:
    """Return the refusal of a picture with more than `limits.PIXELS`."""
    return UnplayableMedia("picture_too_large", width=str(width), height=str(height), most=limits.PIXELS)


def _shown_of_webp(path: Path, time_limit_s: float) -> dict[str, Any]:
    """Return the facts of an animated WebP in the form of ffprobe's JSON. ffprobe does not know this format."""
    with path.open("rb") as file:
        moves = animations.moves(file.read(animations.HEAD_BYTES))
    if not moves:
        raise UnplayableMedia("still_picture_of_format", format="WebP", accepted=formats.ACCEPTED)
    command = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", *_options(path), "-f", "webp_anim"]
    command += ["-i", file_address(path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"]
    try:
        output, _ = run(command, time_limit_s=time_limit_s)
    except CommandFailed as failure:
        if "Unknown input format" in failure.stderr:
            raise decoders.undecodable("webp_anim") from None
        raise UnplayableMedia("webp_unreadable", complaint=failure.complaint) from None
    size = re.search(r"^#dimensions 0: (\d+)x(\d+)", output, re.M)
    delays_ms = [int(line.split(",")[3]) for line in output.splitlines() if line.startswith("0,")]
    if size is None or not delays_ms or not sum(delays_ms):
        raise UnplayableMedia("webp_without_motion")
    stream = {
        "index": 0,
        "codec_type": "video",
        "codec_name": "webp_anim",
        "width": int(size[1]),
        "height": int(size[2]),
        "pix_fmt": "argb",
        "r_frame_rate": f"1000/{math.gcd(*delays_ms)}",
        "avg_frame_rate": f"{len(delays_ms) * 1000}/{sum(delays_ms)}",
        "nb_frames": str(len(delays_ms)),
        "duration": str(sum(delays_ms) / 1000),
    }
    return {"streams": [stream], "format": {"format_name": "webp_anim"}}


def _facts(shown: dict[str, Any], path: Path, time_limit_s: float) -> Facts:
    """Return the facts from ffprobe's JSON. Raises `UnplayableMedia` if no stream is a moving picture."""
    every = shown.get("streams", [])
    candidates = streams.pictures(every)
    if not candidates:
        raise UnplayableMedia("no_video_stream")
    video, audio = streams.chosen_picture(candidates), streams.chosen_sound(every, decoders.can_decode)
    if streams.is_encrypted(video, shown.get("packets", [])):
        raise UnplayableMedia("encrypted")
    if not video.get("codec_name") or not video.get("width") or not video.get("height"):
        raise UnplayableMedia("no_picture")
    if video["width"] * video["height"] > limits.PIXELS:
        raise too_large(video["width"], video["height"])
    decoders.refuse_undecodable(video["codec_name"])
    if video["codec_name"] in _SHOWN_BY_FFMPEG:
        video |= _first_picture(path, video["index"], time_limit_s)
    width, height = streams.shown_size(video)
    rate = streams.nominal_rate(video)
    whole_s = seconds(shown["format"].get("duration"))
    container = shown["format"]["format_name"]
    picture_s = streams.picture_duration_s(video, container, whole_s, is_mute=audio is None)
    return Facts(
        container=container,
        video_codec=video["codec_name"],
        width=width,
        height=height,
        fps=float(rate),
        fps_ratio=f"{rate.numerator}/{rate.denominator}",
        duration_s=picture_s or whole_s or 0.0,
        whole_duration_s=whole_s or 0.0,
        frames=streams.frames_of(video),
        audio_codec=audio.get("codec_name", "unknown") if audio else None,
        byte_size=path.stat().st_size,
        video_index=video["index"],
        audio_index=audio["index"] if audio else None,
        sound_begins_first=streams.begins_first(audio, shown["format"]),
        pixel_format=_pixel_format(video),
        colour_matrix=stated(video.get("color_space")),
        colour_transfer=stated(video.get("color_transfer")),
        interlaced=streams.is_interlaced(video),
        square_pixels=streams.pixel_aspect(video) == 1,
        picture_duration_stated=picture_s is not None,
        average_fps=float(fraction(video.get("avg_frame_rate"))),
        streams=len(every),
    )


def _first_picture(path: Path, index: int, time_limit_s: float) -> dict[str, str]:
    """Return ffmpeg's facts about the pixels of the stream's first picture; an empty dict if it cannot be decoded.

    Decoding the whole file later shows whether the file is damaged.
    """
    command = [str(binaries.ffmpeg()), "-nostdin", "-hide_banner", "-nostats", *_options(path)]
    command += ["-i", file_address(path), "-map", f"0:{index}", "-frames:v", "1", "-vf", "showinfo", "-f", "null", "-"]
    try:
        _, said = run(command, time_limit_s=time_limit_s)
    except CommandFailed as failure:
        refuse_too_large(failure.stderr)
        return {}
    refuse_too_large(said)
    found = _FIRST_PICTURE.search(said)
    return {"pix_fmt": found[1], "color_space": found[2], "color_transfer": found[3]} if found else {}


def _pixel_format(video: dict[str, Any]) -> str:
    """Return ffmpeg's name of the pixel format. VP8 and VP9 have transparency in a separate layer."""
    if video.get("tags", {}).get("alpha_mode") == "1":
        return "yuva420p"
    return str(video.get("pix_fmt", ""))
