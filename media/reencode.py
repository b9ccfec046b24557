"""Encode a prepared video once more, so that two files show the same and have different bytes."""

from pathlib import Path

from diptych.embedded import binaries
from media import limits
from media.commands import READ_SAFELY, file_address, run

#: Better than the playback files (18), so that nobody sees a difference after these are made from it again.
QUALITY = "14"


def reencode(source: Path, target: Path) -> None:
    """Write the picture of a playback file encoded again, and its sound as it is, to `target`, an MP4 file.

    Size, frame rate and length stay. Raise CommandFailed, UnplayableMedia or ProgramKilled as `media.commands.run`.
    """
    safely = [part for name, value in READ_SAFELY.items() for part in (f"-{name}", value)]
    command = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-xerror", "-y", *safely]
    command += ["-i", file_address(source), "-map", "0", "-c:a", "copy", "-fps_mode", "passthrough"]
    command += ["-c:v", "libx264", "-preset", "medium", "-crf", QUALITY, "-pix_fmt", "yuv420p", "-threads", "2"]
    command += ["-map_metadata", "-1", "-movflags", "+faststart", file_address(target)]
    run(command, time_limit_s=limits.PREPARE_S)
