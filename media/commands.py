"""Run ffmpeg and ffprobe on files of strangers, and say in plain words what went wrong."""

import os
import re
import resource
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from diptych.refusals import Refused
from media import confined, limits, reasons
from media.formats import CONTAINERS
from media.launching import launch

# ffmpeg would otherwise follow playlists and references into other local files or the network.
# `protocol_whitelist` closes the network; `format_whitelist` closes playlists (HLS, DASH, concat), subtitles and image
# patterns. An MP4 that says that its picture lies in another file is not followed unless `enable_drefs` asks for it.
READ_SAFELY = {
    "protocol_whitelist": "file",
    "format_whitelist": CONTAINERS,
    "max_pixels": str(limits.PIXELS),  # of any one picture, whatever the header says
}

#: ffmpeg's exit code after SIGTERM or SIGINT, which it takes as a request and says nothing about.
ASKED_TO_STOP = 255

# "[h264 @ 0x7f3c26979040] " or "[in#0/avi @ 0x7f00] "; several may follow each other.
_SPEAKER = re.compile(r"^(?:\[[^\]]*\]\s*)+")

# What ffmpeg says about its own winding down; the line before says why.
_WINDING_DOWN = re.compile(
    r"Terminating thread|Task finished with error|Conversion failed|Error processing packet in|"
    r"Error sending frames to consumers|Could not open encoder before EOF|Nothing was written into output|"
    r"Error submitting packet to decoder: Invalid data found|Error while decoding frame #|"
    r"received no packets|Decoding error: Invalid data found|^Invalid data found when processing input$|"
    r"^Invalid argument$"
)

# Not the file's fault: the same file may pass on the next attempt.
_OUR_TROUBLE = re.compile(r"No space left on device|Read-only file system|Permission denied")

# The file's fault or this machine's: memory or processes are short.
_NO_THREAD = re.compile(r"pthread_create\(\) failed")

# The file's fault, as the limit is ours and the same each time.
_TOO_MANY_STREAMS = re.compile(r"Number of streams exceeds max_streams")
_TOO_MUCH_MEMORY = re.compile(
    r"Cannot allocate memory|malloc of size \d+ failed|Failed to allocate|"
    r"Error while opening encoder"  # our settings are always the same and good
)


class UnplayableMedia(Refused):
    """A file cannot be shown. The sentence is for the researcher who imported it.

    Attributes:
        stored: the reason as the asset's row holds it; see `reasons`.
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(reasons.in_english(reasons.reason(code, **values)), code)
        self.stored = reasons.stored(code, **values)


class ProgramKilled(Exception):
    """ffmpeg or ffprobe crashed, could not start a thread, or was ended from outside.

    The file may be to blame, or this machine. `stored` is the reason as the asset's row holds it.
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(reasons.in_english(reasons.reason(code, **values)))
        self.stored = reasons.stored(code, **values)


class CommandFailed(Exception):
    """ffmpeg or ffprobe ended with an error; `complaint` is the last line that explains it, `stderr` all it said."""

    def __init__(self, complaint: str, stderr: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.stderr = stderr


def file_address(path: Path) -> str:
    """The path as ffmpeg takes it, so that no name can be read as an option or another protocol."""
    return f"file:{path.resolve()}"


def run(command: Sequence[str], *, time_limit_s: float, stated_limit_s: float | None = None) -> tuple[str, str]:
    """Run `command` without a shell, confined, and return the end of what it wrote to its output and its error stream.

    Where the command has what is left of a longer time, `stated_limit_s` is that time, for the sentence.
    Raises `CommandFailed` for an exit code other than 0 and `UnplayableMedia` when a limit is passed. What may
    pass at the next attempt raises `OSError`, when this machine is to blame (disk full), or `ProgramKilled`.
    """
    with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as complaints:
        status = launch(command, [output.name, complaints.name], _bounds(time_limit_s), time_limit_s)
        stdout, stderr = _end_of(output), _end_of(complaints)
    if status == confined.TOOK_TOO_LONG:
        raise UnplayableMedia("took_too_long", limit=f"{stated_limit_s or time_limit_s:g}")
    _refuse_failure(_program_name(command[0]), status, stderr)
    return stdout, stderr


def _program_name(path: str) -> str:
    """Return "ffmpeg" for `/…/ffmpeg-linux-x86_64-v9.0.2` too."""
    name = Path(path).name
    return next((known for known in ("ffmpeg", "ffprobe") if name.startswith(f"{known}-")), name)


def _bounds(time_limit_s: float) -> list[tuple[int, int]]:
    """What the kernel allows the command, as setrlimit(2) takes it."""
    return [
        (resource.RLIMIT_AS, limits.MEMORY),
        (resource.RLIMIT_CPU, int(time_limit_s * limits.CPU_S_A_SECOND) + 1),
        (resource.RLIMIT_FSIZE, limits.WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ]


def _refuse_failure(program: str, status: int, stderr: str) -> None:
    """Raises what `run` raises for a program that came to its end."""
    complaint = last_complaint(stderr)
    if _OUR_TROUBLE.search(stderr) or status == confined.COULD_NOT_START:
        raise OSError(f"{program} could not work here: {complaint}")
    if status == -signal.SIGXFSZ:
        raise UnplayableMedia("result_too_large", most=limits.WRITTEN // 2**30)
    if status < 0:
        raise ProgramKilled("ended_by_signal", program=program, signal=-status)
    if status == ASKED_TO_STOP and not complaint:
        raise ProgramKilled("asked_to_stop", program=program)
    if status != 0 and _NO_THREAD.search(stderr):
        raise ProgramKilled("no_thread", program=program)
    if status != 0 and _TOO_MANY_STREAMS.search(stderr):
        raise UnplayableMedia("over_a_thousand_streams")
    if status != 0 and _TOO_MUCH_MEMORY.search(stderr):
        raise UnplayableMedia("too_much_memory", most=limits.MEMORY // 2**30)
    if status != 0:
        raise CommandFailed(complaint or f"exit code {status}", stderr)


def _end_of(file: IO[bytes]) -> str:
    """The last part of what was written to `file`, which may be much."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - limits.SAID))
    return file.read().decode(errors="replace")


def last_complaint(stderr: str) -> str:
    """The last line of `stderr` that tells a cause, without ffmpeg's component prefixes and local paths."""
    lines = [_without_paths(_SPEAKER.sub("", line.strip())) for line in stderr.splitlines()]
    spoken = [line for line in lines if line]
    causes = [line for line in spoken if not _WINDING_DOWN.search(line)]
    return (causes or spoken or [""])[-1].rstrip(". ")


def _without_paths(line: str) -> str:
    """`file:/srv/media/in/ab/original: Invalid data…` says where our files lie; keep what is wrong."""
    return re.sub(r"^(?:Error opening input file )?file:\S+[:.]\s*", "", line)
