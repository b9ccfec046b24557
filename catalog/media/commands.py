"""Run ffmpeg and ffprobe on files of strangers, and say in plain words what went wrong."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

# ffmpeg would otherwise follow playlists and references into other local files or the network.
# `protocol_whitelist` closes the network; `format_whitelist` closes playlists (HLS, concat) and image
# patterns.
CONTAINERS = "mov,matroska,webm,avi,gif,apng,ogg,mpegts,mpeg,flv,asf,ivf"

READ_SAFELY = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}

#: ffmpeg's exit code after SIGTERM or SIGINT, which it takes as a request and says nothing about.
ASKED_TO_STOP = 255

# "[h264 @ 0x7f3c26979040] " or "[in#0/avi @ 0x7f00] "; several may follow each other.
_SPEAKER = re.compile(r"^(?:\[[^\]]*\]\s*)+")

# What ffmpeg says about its own winding down; the line before says why.
_WINDING_DOWN = re.compile(
    r"Terminating thread|Task finished with error|Conversion failed|Error processing packet in|"
    r"Error sending frames to consumers|Could not open encoder before EOF|Nothing was written into output|"
    r"Error submitting packet to decoder: Invalid data found|Error while decoding frame #|"
    r"received no packets|Decoding error: Invalid data found|^Invalid data found when processing input$"
)

# Not the file's fault: the same file may pass on the next attempt.
_OUR_TROUBLE = re.compile(r"No space left on device|Cannot allocate memory|Read-only file system|Permission denied")


class UnplayableMedia(Exception):
    """A file that cannot be shown; `reason` is a sentence for the researcher who imported it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProgramKilled(Exception):
    """ffmpeg or ffprobe crashed or was ended from outside. The file may be to blame, or this machine."""


class CommandFailed(Exception):
    """ffmpeg or ffprobe ended with an error; `complaint` is the last line that explains it."""

    def __init__(self, complaint: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint


def file_address(path: Path) -> str:
    """The path as ffmpeg takes it, so that no name can be read as an option or another protocol."""
    return f"file:{path.resolve()}"


def run(command: Sequence[str], *, time_limit_s: float) -> tuple[str, str]:
    """Run `command` without a shell and return what it wrote to its output and its error stream.

    Raises `CommandFailed` for an exit code other than 0 and `UnplayableMedia` when the time limit passes. What may
    pass at the next attempt raises `OSError`, when this machine is to blame (disk full, out of memory), or
    `ProgramKilled`.
    """
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_limit_s,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise UnplayableMedia(f"Reading the file took longer than {time_limit_s:g} seconds.") from None
    program, complaint = Path(command[0]).name, last_complaint(ended.stderr)
    if _OUR_TROUBLE.search(ended.stderr):
        raise OSError(f"{program} could not work here: {complaint}")
    if ended.returncode < 0:
        raise ProgramKilled(f"{program} was ended by signal {-ended.returncode}")
    if ended.returncode == ASKED_TO_STOP and not complaint:
        raise ProgramKilled(f"{program} was asked to stop")
    if ended.returncode != 0:
        raise CommandFailed(complaint or f"exit code {ended.returncode}")
    return ended.stdout, ended.stderr


def last_complaint(stderr: str) -> str:
    """The last line of `stderr` that tells a cause, without ffmpeg's component prefixes and local paths."""
    lines = [_without_paths(_SPEAKER.sub("", line.strip())) for line in stderr.splitlines()]
    spoken = [line for line in lines if line]
    causes = [line for line in spoken if not _WINDING_DOWN.search(line)]
    return (causes or spoken or [""])[-1].rstrip(". ")


def _without_paths(line: str) -> str:
    """`file:/srv/media/in/ab/original: Invalid data…` says where our files lie; keep what is wrong."""
    return re.sub(r"^(?:Error opening input file )?file:\S+[:.]\s*", "", line)
