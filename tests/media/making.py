"""Make video files with the real ffmpeg, and look into the ones that Diptych makes."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from diptych.embedded import binaries
from media.transcode import Renditions


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


def assert_fit_for_annotators(made: Renditions) -> None:
    """The promises of a playback file that hold for any source."""
    video = stream(made.playback, "v")
    assert (video["codec_name"], video["pix_fmt"]) == ("h264", "yuv420p")
    assert video["width"] % 2 == 0
    assert video["height"] % 2 == 0
    assert video["r_frame_rate"] == video["avg_frame_rate"]
    assert Fraction(video["avg_frame_rate"]) == made.facts.rate
    times = frame_times(made.playback)
    assert times[0] == (0.0, True)
    keys = [moment for moment, is_key in times if is_key]
    end = times[-1][0] + 1 / made.facts.fps
    assert all(later - key <= 0.5 + 1e-6 for key, later in zip(keys, [*keys[1:], end], strict=True))
    assert len(times) == made.facts.frames
    assert made.facts.duration_s == pytest.approx(len(times) / made.facts.fps, abs=0.002)
    boxes = top_level_boxes(made.playback)
    assert boxes.index("moov") < boxes.index("mdat")
    [(width, height)] = {Image.open(frame).size for frame in made.frames}
    assert (min(width, height) == 160) != (max(width, height) == 640 and min(width, height) < 160)
    tolerance = 2 * max(made.facts.width, made.facts.height)  # one or two pixels of a frame's side
    assert width * made.facts.height == pytest.approx(height * made.facts.width, abs=tolerance)
    strip = Image.open(made.strip)
    assert strip.width % 8 == 0
    assert strip.width // 8 <= 160
    assert strip.height <= 90
    assert Image.open(made.poster).size == (made.facts.width, made.facts.height)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3
