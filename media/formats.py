"""The containers that are accepted, and what a refusal says of the others."""

import re

#: ffmpeg's names of the demuxers that may read a stranger's file. `webp_anim` is none of ffprobe's.
CONTAINERS = "mov,matroska,webm,avi,gif,apng,webp_anim,ogg,mpegts,mpeg,flv,asf,ivf"

ACCEPTED = "MP4, MOV, MKV, WebM, AVI, GIF, APNG, animated WebP or AVIF"

#: ffmpeg writes "[mxf @ 0x7f…] Format not on whitelist 'mov,…'" before it reads anything of the format.
_NOT_ON_LIST = re.compile(r"\[(?:in#\d+/)?(\w+)[^\]]*\] Format not on whitelist")

_REPACK = "Put it into another container, for example with: ffmpeg -i video.{0} -c copy video.{1}"
_WITH_RATE = (
    "It does not state its frame rate. Put it into MP4 with the rate that it has, for example with: "
    "ffmpeg -framerate 24 -i video.{0} -c copy video.mp4"
)

#: Name for people and advice, by ffmpeg's name of the demuxer.
_KNOWN: dict[str, tuple[str, str]] = {
    "mxf": ("MXF", _REPACK.format("mxf", "mov")),
    "gxf": ("GXF", _REPACK.format("gxf", "mov")),
    "rm": ("RealMedia", f"Send it as {ACCEPTED}"),
    "nut": ("NUT", _REPACK.format("nut", "mkv")),
    "wtv": ("WTV", _REPACK.format("wtv", "mkv")),
    "dv": ("raw DV", _REPACK.format("dv", "mov")),
    "swf": ("Flash (SWF)", f"Send it as {ACCEPTED}"),
    "h264": ("a raw H.264 stream without a container", _WITH_RATE.format("h264")),
    "hevc": ("a raw H.265 stream without a container", _WITH_RATE.format("h265")),
    "vvc": ("a raw H.266 stream without a container", _WITH_RATE.format("h266")),
    "obu": ("a raw AV1 stream without a container", _WITH_RATE.format("obu")),
    "m4v": ("a raw MPEG-4 stream without a container", _WITH_RATE.format("m4v")),
    "mpegvideo": ("a raw MPEG video stream without a container", _REPACK.format("m2v", "mkv")),
    "vc1": ("a raw VC-1 stream without a container", _REPACK.format("vc1", "mkv")),
    "mjpeg": ("a raw Motion JPEG stream without a container", _WITH_RATE.format("mjpeg")),
}
_SOUND = {"wav", "mp3", "flac", "aac", "ac3", "eac3", "aiff", "caf", "amr", "dts", "w64", "au", "ape", "wv", "tta"}


def refused_format(stderr: str) -> str | None:
    """Return a sentence on a file whose format ffmpeg did not open, since it is none of `CONTAINERS`; else None."""
    found = _NOT_ON_LIST.search(stderr)
    if found is None:
        return None
    name = found[1]
    if name in _SOUND:
        return f"The file has sound only ({name}). Send the video itself."
    if name == "image2" or name.endswith("_pipe"):
        kind = "" if name == "image2" else f" ({name.removesuffix('_pipe').upper()})"
        return f"The file is a still picture{kind} and not a video. Send it as {ACCEPTED}."
    known, advice = _KNOWN.get(name, (f"of the format that ffmpeg calls {name}", f"Send it as {ACCEPTED}"))
    return f"The file is {known}, which is not accepted. {advice}."
