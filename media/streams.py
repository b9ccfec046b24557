"""Interpret ffprobe's JSON about streams: choose picture and sound, and read rate, size and length."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

HIGHEST_RATE = Fraction(60)
LOWEST_RATE = Fraction(1)

# Rates that cameras, editors and generators use. A stated rate within half a percent of one of them means that one.
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


#: How ffprobe's names of containers begin that state the length of each stream.
_LENGTH_A_STREAM = ("mov,", "avi", "gif", "apng", "webp_anim")


def pictures(streams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the streams that may be the picture, without covers."""
    return [one for one in streams if one.get("codec_type") == "video" and not _is_cover(one)]


def chosen_picture(candidates: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the picture that a player shows: it prefers moving pictures, then the default, then the largest.

    An AVIF has a still picture besides the moving one, and some files have a small preview.
    """
    return max(
        candidates,
        key=lambda one: (
            frames_of(one) != 1,
            bool(one.get("disposition", {}).get("default")),
            int(one.get("width") or 0) * int(one.get("height") or 0),
            frames_of(one) or 0,
            -int(one["index"]),
        ),
    )


def chosen_sound(streams: list[dict[str, Any]], decodable: Callable[[str], bool]) -> dict[str, Any] | None:
    """Return the sound that a player plays: the default or first decodable one, else any; None without sound."""
    sounds = [one for one in streams if one.get("codec_type") == "audio"]
    default = [one for one in sounds if one.get("disposition", {}).get("default")]
    good = [one for one in [*default, *sounds] if decodable(one.get("codec_name", ""))]
    return next(iter([*good, *sounds]), None)


def begins_first(sound: dict[str, Any] | None, container: dict[str, Any]) -> bool:
    """Return whether the sound begins when the file does."""
    begins, file_begins = (seconds((one or {}).get("start_time")) for one in (sound, container))
    return begins is not None and file_begins is not None and begins - file_begins < 0.001


def frames_of(stream: dict[str, Any]) -> int | None:
    """Return the number of frames, as counted or as the container states it; None if neither is known."""
    for name in ("counted", "nb_frames"):
        if str(stream.get(name, "")).isdigit():
            return int(stream[name])
    return None


def nominal_rate(video: dict[str, Any]) -> Fraction:
    """Return the nominal frames per second of a stream, between 1 and 60.

    All timestamps are multiples of 1/`r_frame_rate`. This rate is right for constant rates, and for GIFs with a long
    last frame. For variable rates it is far too high, and the average is used. For interlaced streams it counts fields,
    two per frame. For MPEG-1 it is doubled for no reason.
    """
    grid, average = fraction(video.get("r_frame_rate")), fraction(video.get("avg_frame_rate"))
    counts_twice = is_interlaced(video) or video.get("codec_name") == "mpeg1video"
    rate = grid if LOWEST_RATE <= grid <= HIGHEST_RATE and not counts_twice else average or grid
    usual = min(USUAL_RATES, key=lambda candidate: abs(candidate - rate))
    if rate not in USUAL_RATES and abs(usual - rate) <= usual / 200:
        rate = usual
    return min(max(rate, LOWEST_RATE), HIGHEST_RATE).limit_denominator(1001)


def shown_size(video: dict[str, Any]) -> tuple[int, int]:
    """Return width and height in pixels on the screen: after rotation, with square pixels."""
    width, height = round(video["width"] * pixel_aspect(video)), video["height"]
    return (height, width) if _quarter_turned(video) else (width, height)


def _quarter_turned(video: dict[str, Any]) -> bool:
    turns = [side.get("rotation") for side in video.get("side_data_list", [])]
    degrees = next((turn for turn in turns if turn is not None), video.get("tags", {}).get("rotate", 0))
    return round(float(degrees) / 90) % 2 == 1


def pixel_aspect(video: dict[str, Any]) -> Fraction:
    """Return the width of one pixel over its height; 1 if the file states nothing or nonsense."""
    aspect = fraction(str(video.get("sample_aspect_ratio", "1:1")).replace(":", "/"))
    return aspect if Fraction(1, 8) <= aspect <= 8 else Fraction(1)


def picture_duration_s(video: dict[str, Any], container: str, whole_s: float | None, *, is_mute: bool) -> float | None:
    """Return the length of the picture in seconds if the file states it. `whole_s` is the length of all streams.

    MP4 and AVI state it for each stream. For other containers ffprobe's number is a guess. Matroska has a tag such as
    00:00:03.02. Programs copy such tags from other files, so a tag that disagrees with the container is ignored.
    """
    if container.startswith(_LENGTH_A_STREAM):
        return seconds(video.get("duration"))
    parts = [seconds(part) for part in str(video.get("tags", {}).get("DURATION", "")).split(":")]
    if len(parts) == 3:
        hours, minutes, rest = (part or 0.0 for part in parts)
        tagged = (hours * 60 + minutes) * 60 + rest
        if tagged and (whole_s is None or abs(tagged - whole_s) <= max(0.5, whole_s / 10)):
            return tagged
    return whole_s if is_mute else None


def is_interlaced(video: dict[str, Any]) -> bool:
    """Return whether the stream is interlaced."""
    return video.get("field_order") in {"tt", "bb", "tb", "bt"}


def is_encrypted(stream: dict[str, Any], packets: list[dict[str, Any]]) -> bool:
    """Return whether the stream, or one of its packets in this list, is marked as encrypted."""
    own = [one for one in packets if one.get("stream_index") == stream.get("index")]
    said = [side.get("side_data_type", "") for one in (stream, *own) for side in one.get("side_data_list", [])]
    tag = stream.get("codec_tag_string", "")
    return tag in {"encv", "enca", "drmi", "drms"} or any("ncryption" in one for one in said)


def _is_cover(stream: dict[str, Any]) -> bool:
    disposition = stream.get("disposition", {})
    return bool(disposition.get("attached_pic") or disposition.get("timed_thumbnails"))


def stated(value: str | None) -> str | None:
    """Return the value, or None if ffprobe writes that it is unknown."""
    return None if value in (None, "", "unknown", "unspecified", "reserved") else value


def seconds(value: str | None) -> float | None:
    """Return the number of seconds, or None. ffprobe writes "N/A" for unknown values."""
    try:
        return float(value or "")
    except ValueError:
        return None


def fraction(ratio: str | None) -> Fraction:
    """Return the ratio as a fraction; 0 if ffprobe writes "0/0" or nothing."""
    try:
        return Fraction(ratio or "0")
    except (ValueError, ZeroDivisionError):
        return Fraction(0)
