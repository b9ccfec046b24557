"""Make video files with the real ffmpeg, and look into the ones that Diptych makes."""

import json
import subprocess
from pathlib import Path
from typing import Any

from diptych.embedded import binaries


def make(path: Path, *arguments: str | int) -> Path:
    """Run ffmpeg with `arguments` and write `path`."""
    command = [binaries.ffmpeg(), "-v", "error", "-y", *map(str, arguments), f"file:{path}"]
    subprocess.run(command, check=True, timeout=30)
    return path


def pattern(size: str = "320x180", rate: str = "25", seconds: float = 2) -> tuple[str, ...]:
    """Input arguments for ffmpeg's moving test picture."""
    return ("-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}")


def tone(seconds: float = 2) -> tuple[str, ...]:
    """Input arguments for a tone."""
    return ("-f", "lavfi", "-i", f"sine=d={seconds}")


def shown(path: Path, *arguments: str) -> Any:
    """What ffprobe says of `path`, as its JSON."""
    command = [binaries.ffprobe(), "-v", "error", *arguments, "-of", "json", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)


def stream(path: Path, kind: str) -> dict[str, Any]:
    """The stream of `kind` ("v" or "a"), which must be the only one."""
    [only] = shown(path, "-show_streams", "-select_streams", kind)["streams"]
    return dict(only)


def frame_times(path: Path) -> list[tuple[float, bool]]:
    """Time in seconds of each decoded frame, and whether it is a key frame."""
    frames = shown(path, "-select_streams", "v", "-show_entries", "frame=pts_time,key_frame")["frames"]
    return [(float(frame["pts_time"]), bool(frame["key_frame"])) for frame in frames]


def top_level_boxes(path: Path) -> list[str]:
    """Names of an MP4's boxes in their order (ISO/IEC 14496-12, 4.2)."""
    content, names, place = path.read_bytes(), [], 0
    while place < len(content):
        names.append(content[place + 4 : place + 8].decode())
        place += int.from_bytes(content[place : place + 4])
    return names
