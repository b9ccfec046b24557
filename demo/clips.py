"""Make the demonstration's clips and their manifest, in the form that the import reads."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import ffmpeg

from demo.prompts import PROMPTS
from demo.scenes import draw
from demo.takes import Take, takes
from diptych.embedded import binaries

GENERATOR, GENERATOR_VERSION = "lavfi-shapes", "1"
LICENCE = "CC0-1.0"
AT_ONCE = 2  # ffmpeg processes
TIME_LIMIT_S = 60.0
MANIFEST = "manifest.jsonl"

Progress = Callable[[int, int], None]


def make_clips(folder: Path, progress: Progress | None = None) -> Path:
    """Write the clips and `manifest.jsonl` into `folder`. Return the manifest's path. Raises `RuntimeError`."""
    wanted = takes()
    draw_all(wanted, folder, progress)
    return write_manifest(folder / MANIFEST, manifest_lines())


def draw_all(wanted: Sequence[Take], folder: Path, progress: Progress | None = None) -> None:
    """Write clips into `folder`.

    Files that exist are kept. Each file is renamed into place when it is complete, so an interrupted run resumes.
    `progress` is called in this thread with the number of clips that are done and of all clips. Raises `RuntimeError`
    with ffmpeg's message if a clip cannot be made.
    """
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(make_clip, take, folder) for take in wanted]
        try:
            for done, finished in enumerate(as_completed(running), start=1):
                finished.result()
                if progress:
                    progress(done, len(wanted))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def make_clip(take: Take, folder: Path) -> Path:
    """Write one clip, unless it exists."""
    final = folder / take.path
    if final.exists():
        return final
    partial = final.with_name(f".{final.name}.part")
    ended = subprocess.run(
        _command(take, partial),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=TIME_LIMIT_S,
        check=False,
    )
    if ended.returncode != 0:
        words = ended.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"ffmpeg could not draw the demonstration clip {take.key}: {words}")
    if take.broken:
        os.truncate(partial, partial.stat().st_size * 55 // 100)
    os.replace(partial, final)
    return final


def manifest_lines() -> Iterable[dict[str, Any]]:
    """Return the manifest's objects: all prompts, then all videos."""
    for prompt in PROMPTS:
        yield {
            "type": "prompt",
            "id": prompt.key,
            "text": prompt.text,
            "language": prompt.language,
            "prompt_type": prompt.prompt_type,
            "source": "researcher",
            "licence": LICENCE,
        }
    for take in takes():
        yield {
            "type": "video",
            "id": take.key,
            "prompt": take.prompt,
            "path": take.path,
            "generator": GENERATOR,
            "generator_version": GENERATOR_VERSION,
            "seed": str(ord(take.key[-1]) - ord("a") + 1),
        }


def write_manifest(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """Write a manifest of these objects, and return its path."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines), encoding="utf-8")
    os.replace(partial, path)
    return path


def _command(take: Take, path: Path) -> list[str]:
    """Return the command of one ffmpeg process with one thread.

    Two such processes keep two cores busy, and one thread always gives the same output.
    """
    width, height = take.size
    picture = draw(take.scene, width, height, take.encoding.rate, take.seconds)
    options: dict[str, Any] = dict(take.encoding.video)
    options |= {"r": take.encoding.rate, "t": take.seconds, "threads": 1, "f": _muxer(take)}
    options |= {"map_metadata": -1, "flags": "+bitexact", "fflags": "+bitexact"}
    streams = [_palette(picture) if take.encoding.extension == "gif" else picture]
    if take.encoding.audio:
        streams.append(_tone(take))
        options |= {"c:a": take.encoding.audio, "b:a": "64k", "ac": 1}
    graph = ffmpeg.output(*streams, str(path), **options)
    quiet = ["-v", "error", "-nostdin", "-y", "-filter_complex_threads", "1"]
    return [binaries.ffmpeg(), *quiet, *graph.get_args()]


def _palette(picture: Any) -> Any:
    """Convert the picture to its own 128 colours, as a careful person makes a GIF."""
    split = picture.split()
    palette = split[0].filter("palettegen", max_colors=128, stats_mode="full")
    return ffmpeg.filter([split[1], palette], "paletteuse", dither="bayer", bayer_scale=4)


def _tone(take: Take) -> Any:
    """Return a quiet hum whose pitch depends on the prompt."""
    pitch = 180 + 12 * int(take.prompt[1:])
    tone = ffmpeg.input(f"sine=frequency={pitch}:sample_rate=48000:duration={take.seconds}", f="lavfi")
    return tone.filter("volume", 0.4).filter("afade", type="in", duration=0.2)


def _muxer(take: Take) -> str:
    """Return the output format. The partial file's name does not end in its extension, so ffmpeg must be given it."""
    return {"mkv": "matroska"}.get(take.encoding.extension, take.encoding.extension)
