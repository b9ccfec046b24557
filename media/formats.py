"""The containers that are accepted, and the reasons that refuse all others."""

import re
from typing import Any

from media.reasons import reason

#: ffmpeg's names of the demuxers that may read untrusted files. ffprobe does not have `webp_anim`.
CONTAINERS = "mov,matroska,webm,avi,gif,apng,webp_anim,ogg,mpegts,mpeg,flv,asf,ivf"

#: The accepted formats, as a part of the reason why a file is refused.
ACCEPTED = reason("accepted_formats")

#: ffmpeg writes "[mxf @ 0x7f…] Format not on whitelist 'mov,…'" before it reads anything of the format.
_NOT_ON_LIST = re.compile(r"\[(?:in#\d+/)?(\w+)[^\]]*\] Format not on whitelist")

_SEND_AS = reason("send_as", accepted=ACCEPTED)


def _repack(old: str, new: str) -> dict[str, Any]:
    return reason("repack", old=old, new=new)


def _with_rate(old: str) -> dict[str, Any]:
    return reason("repack_with_rate", old=old)


def _raw(codec: str) -> dict[str, Any]:
    return reason("raw_stream", codec=codec)


#: Name and advice for people, by ffmpeg's name of the demuxer.
_KNOWN: dict[str, tuple[str | dict[str, Any], dict[str, Any]]] = {
    "mxf": ("MXF", _repack("mxf", "mov")),
    "gxf": ("GXF", _repack("gxf", "mov")),
    "rm": ("RealMedia", _SEND_AS),
    "nut": ("NUT", _repack("nut", "mkv")),
    "wtv": ("WTV", _repack("wtv", "mkv")),
    "dv": ("raw DV", _repack("dv", "mov")),
    "swf": ("Flash (SWF)", _SEND_AS),
    "h264": (_raw("H.264"), _with_rate("h264")),
    "hevc": (_raw("H.265"), _with_rate("h265")),
    "vvc": (_raw("H.266"), _with_rate("h266")),
    "obu": (_raw("AV1"), _with_rate("obu")),
    "m4v": (_raw("MPEG-4"), _with_rate("m4v")),
    "mpegvideo": (_raw("MPEG video"), _repack("m2v", "mkv")),
    "vc1": (_raw("VC-1"), _repack("vc1", "mkv")),
    "mjpeg": (_raw("Motion JPEG"), _with_rate("mjpeg")),
}
_SOUND = {"wav", "mp3", "flac", "aac", "ac3", "eac3", "aiff", "caf", "amr", "dts", "w64", "au", "ape", "wv", "tta"}


def refused_format(stderr: str) -> dict[str, Any] | None:
    """Return why ffmpeg did not open a file whose format is none of `CONTAINERS`, as a reason; else None."""
    found = _NOT_ON_LIST.search(stderr)
    if found is None:
        return None
    name = found[1]
    if name in _SOUND:
        return reason("sound_only", format=name)
    if name == "image2":
        return reason("still_picture", accepted=ACCEPTED)
    if name.endswith("_pipe"):
        return reason("still_picture_of_format", format=name.removesuffix("_pipe").upper(), accepted=ACCEPTED)
    known, advice = _KNOWN.get(name, (reason("format_of_ffmpeg", name=name), _SEND_AS))
    return reason("format_not_accepted", format=known, advice=advice)
