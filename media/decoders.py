"""Find out which codecs this machine's ffmpeg decodes, and refuse files that need another one."""

import os
import re
from functools import lru_cache

from diptych.embedded import binaries
from media import limits
from media.commands import UnplayableMedia, run

#: Codecs that text-to-video programs and cameras use, with their names. Without their decoders good files would fail.
WANTED = {
    "h264": "H.264",
    "hevc": "H.265",
    "av1": "AV1",
    "vp8": "VP8",
    "vp9": "VP9",
    "mpeg4": "MPEG-4",
    "mpeg2video": "MPEG-2",
    "mpeg1video": "MPEG-1",
    "mjpeg": "Motion JPEG",
    "prores": "ProRes",
    "ffv1": "FFV1",
    "gif": "GIF",
    "png": "PNG",
    "apng": "APNG",
    "webp_anim": "animated WebP",
}
_ENCODERS = ("libx264", "aac", "mjpeg")

#: Decoders that need a graphics card or a chip. The decoder `av1` is one of them: it cannot decode without hardware.
_HARDWARE = re.compile(r"^av1$|_(?:amf|cuvid|mediacodec|mmal|oh|qsv|rkmpp|v4l2m2m|vaapi|videotoolbox|vulkan)$")
_LINE = re.compile(r"^ [VAS][F.][S.][X.][B.][D.] (\S+)(?:.*\(codec (\w+)\))?", re.M)


def refuse_undecodable(codec: str) -> None:
    """Raise UnplayableMedia if this machine's ffmpeg has no decoder for the codec. The file itself may be fine."""
    if not can_decode(codec):
        raise undecodable(codec)


def undecodable(codec: str) -> UnplayableMedia:
    """Return the refusal of a codec that this machine's ffmpeg cannot decode."""
    return UnplayableMedia("codec_not_decodable", codec=WANTED.get(codec, codec))


def can_decode(codec: str) -> bool:
    """Return whether ffmpeg decodes the codec without special hardware."""
    return codec in _decoders().values()


def has_decoder(name: str) -> bool:
    """Return whether ffmpeg has the decoder of that name; a codec may have several."""
    return name in _decoders()


def missing() -> list[str]:
    """Return the names of the usual formats that ffmpeg cannot decode, and of the encoders that it lacks.

    Raises OSError, ProgramKilled and CommandFailed if ffmpeg does not run.
    """
    encoders = {match[1] for match in _LINE.finditer(_listed("-encoders", *_which()))}
    undecoded = [name for codec, name in WANTED.items() if not can_decode(codec)]
    return undecoded + [f"the encoder {name}" for name in _ENCODERS if name not in encoders]


def _decoders() -> dict[str, str]:
    """Return the codec of each decoder, without those that need hardware."""
    found = {match[1]: match[2] or match[1] for match in _LINE.finditer(_listed("-decoders", *_which()))}
    return {name: codec for name, codec in found.items() if not _HARDWARE.search(name)}


def _which() -> tuple[str, int]:
    """Return ffmpeg's path, and its modification time in nanoseconds."""
    program = str(binaries.ffmpeg())
    try:
        return program, os.stat(program).st_mtime_ns
    except OSError:
        return program, 0  # running it will report what is wrong


@lru_cache(maxsize=4)
def _listed(option: str, program: str, _changed_ns: int) -> str:
    """Return a list that ffmpeg prints. It is cached until the program changes."""
    output, _ = run([program, "-v", "error", option], time_limit_s=limits.PROBE_S)
    return output
