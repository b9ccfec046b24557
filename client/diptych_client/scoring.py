"""Score videos with a model: on the server, or on this machine with the training programs.

A file of videos has a line for each: JSON Lines, or CSV with a header. A line has `video` (the published id of a video
of the study), or `path` (a video file of this machine) and `prompt`.
"""

import csv
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from diptych_client.api_types import AskedVideoRequest
from diptych_client.client import OPEN, POLL_S, Client
from diptych_client.errors import ClientError

#: Videos in one request, as the server allows.
MOST_VIDEOS = 1000
PROGRAM = "training.learn.score"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of a file of videos. `path` is relative to the folder of the file."""

    line: int
    video: str = ""
    path: Path | None = None
    prompt: str = ""


def read(file: Path) -> list[Asked]:
    """Return the lines of a file of videos. Raise ClientError, with the line, and OSError."""
    rows = _csv(file) if file.suffix.lower() == ".csv" else _json_lines(file)
    found = [_asked(file, line, row) for line, row in rows]
    if not found:
        raise ClientError(f"{file} names no videos.", "damaged")
    return found


def _csv(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            reader = csv.DictReader(lines, strict=True)
            for row in reader:
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise ClientError(f"{file} cannot be read as CSV in UTF-8: {error}", "damaged") from error


def _json_lines(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ClientError(f"Line {number} of {file} is no JSON object.", "damaged")
        yield number, row


def _asked(file: Path, line: int, row: Mapping[str, Any]) -> Asked:
    video, path, prompt = (row.get(name) or "" for name in ("video", "path", "prompt"))
    if not all(isinstance(value, str) for value in (video, path, prompt)):
        raise ClientError(f"Line {line} of {file}: video, path and prompt must be text.", "damaged")
    if video:
        return Asked(line, video=video)
    if not (path and prompt.strip()):
        sentence = f"Line {line} of {file} names no video. Give video, or path and prompt."
        raise ClientError(sentence, "damaged")
    return Asked(line, path=file.parent / path, prompt=prompt)


def find_version(client: Client, study: str, name: str) -> Row:
    """Return the version of a study that `FAMILY@promoted` or `FAMILY@N` names. Raise ClientError.

    FAMILY is `reward` or `moderation`, or the key of the family, such as `helpfulness+harmlessness`.
    """
    family, _, number = name.partition("@")
    if not family or not (number == "promoted" or (number.isascii() and number.isdigit())):
        raise ClientError(f"{name} names no model. Write reward@promoted, or reward@2.", "usage")
    found = [
        one
        for one in client.models(study)
        if family in (one["family"], one["kind"])
        and (one["state"] == "promoted" if number == "promoted" else one["number"] == int(number))
    ]
    if not found:
        raise ClientError(f"The study {study} has no model {name}. `diptych models {study}` lists them.", "not_found")
    if len({(one["family"], one["backbone"]) for one in found}) > 1:
        known = ", ".join(sorted({str(one["family"]) for one in found}))
        raise ClientError(f"Several models of {study} are called {family}. Name one of: {known}.", "usage")
    return dict(found[0])


def on_server(
    client: Client, version: Row, asked: Sequence[Asked], *, advance: Callable[[int], object] = lambda _videos: None
) -> Iterator[Row]:
    """Yield the result for each video, in the order of the file. Videos without a score are scored first.

    Raise ClientError if the server refuses, or if a scoring run fails.
    """
    rows = iter(asked)
    while group := list(islice(rows, MOST_VIDEOS)):
        wanted = [_on_server(one) for one in group]
        found = client.scores(version["id"], wanted)
        if missing := [row["video"] for row in found if row["video"] and row["state"] == "ready"]:
            run = client.score(version["id"], missing)
            while run["state"] in OPEN:
                time.sleep(POLL_S)
                run = client.run(run["id"])
            if run["state"] != "done":
                sentence = f"The scoring run {run['id']} is {run['state']}: {run['reason'] or 'its page says why.'}"
                raise ClientError(sentence, "failed")
            found = client.scores(version["id"], wanted)
        for one, row in zip(group, found, strict=True):
            yield {"line": one.line, "path": str(one.path) if one.path else None} | dict(row)
        advance(len(group))


def _on_server(one: Asked) -> AskedVideoRequest:
    if one.path is None:
        return {"video": one.video}
    with one.path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "prompt": one.prompt}


def on_this_machine(model: Path, asked: Sequence[Asked]) -> Iterator[Row]:
    """Yield the result for each video file, in the order of the file. `model` is the folder of a model.

    Raise ClientError without the training programs, for a line that names no file, or if the program fails.
    """
    if importlib.util.find_spec("training") is None or importlib.util.find_spec(PROGRAM) is None:
        sentence = (
            "The training programs are not installed here. Install them from a clone of Diptych: "
            "python3 -m pip install './training/learn[large]'. Or leave out --local."
        )
        raise ClientError(sentence, "not_installed")
    if without := next((one for one in asked if one.path is None), None):
        sentence = f"Line {without.line} names a video of the server. With --local, give path and prompt."
        raise ClientError(sentence, "usage")
    with tempfile.TemporaryDirectory(prefix="diptych-score-") as folder:
        items, out = Path(folder) / "items.jsonl", Path(folder) / "scores.jsonl"
        lines = [{"id": one.line, "prompt": one.prompt, "video": str(one.path)} for one in asked]
        items.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        command = [sys.executable, "-m", PROGRAM, "--model", str(model), "--items", str(items), "--out", str(out)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        if ended.returncode != 0 or not out.exists():
            raise ClientError(f"The model cannot score: {_why(ended)}", "failed")
        results = {row["id"]: row for row in map(json.loads, out.read_text("utf-8").splitlines())}
    for one in asked:
        row = results[one.line]
        about = {"line": one.line, "path": str(one.path), "video": None, "prompt": one.prompt}
        state = {"state": "failed", "error": row["error"]} if "error" in row else {"state": "scored"}
        yield about | state | {"scores": row.get("scores")}


def _why(ended: subprocess.CompletedProcess[str]) -> str:
    """Return what the program said last: the message of its event, or the last line of an error."""
    for line in reversed(ended.stdout.splitlines()):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") == "failed":
            return str(event.get("message"))
    return (ended.stderr.strip().splitlines() or ["it ended without a message."])[-1]
