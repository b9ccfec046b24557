"""Run ffmpeg and ffprobe on untrusted files, and report in plain words what went wrong."""

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

# Without these options ffmpeg would follow playlists and references to other local files or the network.
# `protocol_whitelist` forbids the network. `format_whitelist` forbids playlists (HLS, DASH, concat), subtitles and
# image patterns. An MP4 whose picture is in another file is not followed unless `enable_drefs` is set.
READ_SAFELY = {
    "protocol_whitelist": "file",
    "format_whitelist": CONTAINERS,
    "max_pixels": str(limits.PIXELS),  # of each picture, whatever the header states
}

#: ffmpeg's exit code after SIGTERM or SIGINT. It then stops without a message.
ASKED_TO_STOP = 255

# "[h264 @ 0x7f3c26979040] " or "[in#0/avi @ 0x7f00] "; several may follow each other.
_SPEAKER = re.compile(r"^(?:\[[^\]]*\]\s*)+")

# Messages of ffmpeg about its own shutdown. The line before them has the cause.
_WINDING_DOWN = re.compile(
    r"Terminating thread|Task finished with error|Conversion failed|Error processing packet in|"
    r"Error sending frames to consumers|Could not open encoder before EOF|Nothing was written into output|"
    r"Error submitting packet to decoder: Invalid data found|Error while decoding frame #|"
    r"received no packets|Decoding error: Invalid data found|^Invalid data found when processing input$|"
    r"^Invalid argument$"
)

# Not the file's fault: the same file may succeed on the next attempt.
_OUR_TROUBLE = re.compile(r"No space left on device|Read-only file system|Permission denied")

# The fault of the file or of this machine, which lacks memory or processes.
_NO_THREAD = re.compile(r"pthread_create\(\) failed")

# The file's fault, since the limit is always the same.
_TOO_MANY_STREAMS = re.compile(r"Number of streams exceeds max_streams")
_TOO_MUCH_MEMORY = re.compile(
    r"Cannot allocate memory|malloc of size \d+ failed|Failed to allocate|"
    r"Error while opening encoder"  # our settings are always the same and good
)


class UnplayableMedia(Refused):
    """A file cannot be played. The sentence is for the researcher who imported it.

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
    """ffmpeg or ffprobe ended with an error. `complaint` is the last line that explains it, `stderr` all messages."""

    def __init__(self, complaint: str, stderr: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.stderr = stderr


def file_address(path: Path) -> str:
    """Return the path as an address for ffmpeg, so that no name is read as an option or another protocol."""
    return f"file:{path.resolve()}"


def run(command: Sequence[str], *, time_limit_s: float, stated_limit_s: float | None = None) -> tuple[str, str]:
    """Run `command` without a shell, confined, and return the end of its output and of its error stream.

    `time_limit_s` is the limit in seconds. If it is the rest of a longer limit, `stated_limit_s` is that longer limit,
    for the sentence. Raises `CommandFailed` for an exit code other than 0, and `UnplayableMedia` when a limit is
    exceeded. Raises `OSError` if this machine is to blame (disk full), or `ProgramKilled`: both may pass by the next
    attempt.
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
    """Return the kernel's limits for the command, as arguments of setrlimit(2)."""
    return [
        (resource.RLIMIT_AS, limits.MEMORY),
        (resource.RLIMIT_CPU, int(time_limit_s * limits.CPU_S_A_SECOND) + 1),
        (resource.RLIMIT_FSIZE, limits.WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ]


def _refuse_failure(program: str, status: int, stderr: str) -> None:
    """Raise the error of `run` for a program that has ended, if it failed."""
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
    """Return the last part of a file that may be large."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - limits.SAID))
    return file.read().decode(errors="replace")


def last_complaint(stderr: str) -> str:
    """Return the last line of `stderr` that states a cause, without ffmpeg's component prefixes and local paths."""
    lines = [_without_paths(_SPEAKER.sub("", line.strip())) for line in stderr.splitlines()]
    spoken = [line for line in lines if line]
    causes = [line for line in spoken if not _WINDING_DOWN.search(line)]
    return (causes or spoken or [""])[-1].rstrip(". ")


def _without_paths(line: str) -> str:
    """Return the line without local paths, such as `file:/srv/media/in/ab/original: Invalid data…`."""
    return re.sub(r"^(?:Error opening input file )?file:\S+[:.]\s*", "", line)
