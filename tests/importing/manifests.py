"""Writes small manifests, with files beside them whose bytes only look like videos: importing does not care."""

import json
from pathlib import Path
from typing import Any

from importing.report import ImportReport
from importing.study import ImportOptions, import_study


def prompt(key: str, **values: Any) -> dict[str, Any]:
    return {"type": "prompt", "id": key, "text": f"A red ball rolls past mark {key}"} | values


def video(key: str, **values: Any) -> dict[str, Any]:
    """A video of the prompt whose id is before the hyphen; its file has bytes of its own."""
    return {"type": "video", "id": key, "prompt": key.split("-")[0], "path": f"clips/{key}.mp4"} | values


def pair(one: str, other: str, **values: Any) -> dict[str, Any]:
    return {"type": "pair", "video_0": one, "video_1": other} | values


def prompts_with_videos(prompts: int, videos: int) -> list[dict[str, Any]]:
    lines = []
    for number in range(prompts):
        lines.append(prompt(f"p{number}"))
        lines += [video(f"p{number}-{letter}") for letter in "abcdefghij"[:videos]]
    return lines


def write(folder: Path, lines: list[Any], *, files: bool = True) -> Path:
    """A manifest with these lines (objects, or bytes as they are), and a file for each video line that wants one."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    (folder / "manifest.jsonl").write_bytes(b"".join(line + b"\n" for line in written))
    for line in lines:
        if files and isinstance(line, dict) and line.get("type") == "video" and "\0" not in line["path"]:
            write_file(folder, line["path"])
    return folder


def write_file(folder: Path, path: str, content: bytes | None = None) -> Path:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if content is not None or not target.exists():
        target.write_bytes(f"not really a video: {path}".encode() if content is None else content)
    return target


def imported(path: Path, slug: str = "colours", **options: Any) -> ImportReport:
    return import_study(path, slug, options=ImportOptions(**options))
