"""Reads a JSONL manifest into rows. Every line that cannot be a row is reported, with the reason."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from catalog.harms import HARM_KEYS
from catalog.importing.identity import prompt_public_id
from catalog.importing.rows import Line, Manifest, PairRow, Place, PromptRow, VideoRow
from catalog.importing.schema import faults

MOST_LINE_BYTES = 1 << 20
#: Fields that tie lines together; all others are columns.
LINKS = frozenset({"type", "id", "prompt", "path", "derived_from"})


def read_lines(path: Path, manifest: Manifest) -> Iterator[Line]:
    """The manifest's objects with their places; what is no object is reported. Raises OSError."""
    with path.open("rb") as file:
        number = 0
        while written := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            place = Place(path.name, number)
            if len(written) > MOST_LINE_BYTES:
                manifest.complain(place, "", f"The line is longer than {MOST_LINE_BYTES} bytes")
                _to_line_end(file, written)
                continue
            content = _parse(written.removeprefix(b"\xef\xbb\xbf") if number == 1 else written, place, manifest)
            if content is not None:
                yield Line(place, content)


def _to_line_end(file: Any, written: bytes) -> None:
    while written and not written.endswith(b"\n"):
        written = file.readline(MOST_LINE_BYTES)


def _parse(written: bytes, place: Place, manifest: Manifest) -> dict[str, Any] | None:
    written = written.strip()
    if not written:
        return None
    try:
        written.decode()
        content = orjson.loads(written)
    except UnicodeDecodeError as error:
        manifest.complain(place, "", f"The line is not UTF-8: byte {error.start + 1} is wrong")
    except orjson.JSONDecodeError as error:
        manifest.complain(place, "", f"The line is not JSON: {error.msg} (column {error.colno})")
    else:
        if isinstance(content, dict):
            return content
        manifest.complain(place, "", "The line is not a JSON object; it must begin with { and end with }")
    return None


def collect(lines: Iterable[Line], manifest: Manifest) -> None:
    """Checks each line by itself and files it under its local id."""
    firsts: dict[tuple[str, str], Place] = {}
    for place, content in lines:
        wrong = faults(content)
        for fault in wrong:
            manifest.complain(place, fault.field, fault.reason)
        kind, local = content.get("type"), content.get("id")
        key = (kind, local) if isinstance(kind, str) and isinstance(local, str) and kind != "pair" else None
        if key and key in firsts:
            _refuse_both(key, firsts[key], place, manifest)
        elif key:
            firsts[key] = place
        if wrong and key:
            manifest.refused.setdefault(key, place)
        elif not wrong and (key is None or key not in manifest.refused):
            _file(place, content, manifest)


def _refuse_both(key: tuple[str, str], first: Place, second: Place, manifest: Manifest) -> None:
    """Two lines with one id: which of them other lines mean cannot be known."""
    kind, local = key
    manifest.complain(second, "id", f"The {kind} {local} is also in {first}")
    manifest.refused.setdefault(key, first)
    table: dict[str, Any] = manifest.prompts if kind == "prompt" else manifest.videos
    if table.pop(local, None):
        manifest.complain(first, "id", f"The {kind} {local} is also in {second}")


def _file(place: Place, content: dict[str, Any], manifest: Manifest) -> None:
    """Makes a checked line a row."""
    stated = {name: value for name, value in content.items() if name not in LINKS}
    if content["type"] == "prompt":
        text = stated.pop("text")
        if "labels" in stated:
            stated["labels"] = sorted(stated["labels"], key=HARM_KEYS.index)
        manifest.prompts[content["id"]] = PromptRow(place, content["id"], prompt_public_id(text), text, stated)
    elif content["type"] == "video":
        if "seed" in stated:
            stated["seed"] = str(stated["seed"])
        manifest.videos[content["id"]] = VideoRow(
            place, content["id"], content["prompt"], content["path"], content.get("derived_from"), stated
        )
    else:
        priority, wanted = int(content.get("priority", 0)), content.get("wanted")
        manifest.pairs.append(
            PairRow(
                place,
                content.get("prompt"),
                content["video_0"],
                content["video_1"],
                priority,
                None if wanted is None else int(wanted),
            )
        )
