"""Reads a JSONL manifest into rows. Every line that cannot be a row is reported, with the reason."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from importing.identity import is_published, prompt_public_id
from importing.inside import open_file, resolved
from importing.intake import Intake
from importing.progress import Progress
from importing.rows import Line, Manifest, Place
from importing.schema import Fault, faults
from studies.harms import HARM_KEYS

MOST_LINE_BYTES = 1 << 20
LINES_A_STEP = 1_000
#: Fields that tie lines together; all others are columns.
LINKS = frozenset({"type", "id", "prompt", "path", "derived_from"})


def read_lines(path: Path, manifest: Manifest) -> Iterator[Line]:
    """The manifest's objects with their places; what is no object is reported. Raises OSError and FileTrouble."""
    with open_file(resolved(manifest.root, path.name)) as file:
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


def collect(lines: Iterable[Line], found: Manifest, intake: Intake, progress: Progress) -> None:
    """Checks each line by itself and files it, and refuses lines of one kind that have the same id."""
    progress.begin("Reading rows", 0)
    for row, (place, content) in enumerate(lines):
        if row % LINES_A_STEP == LINES_A_STEP - 1:
            progress.advance(LINES_A_STEP)
        wrong = faults(content) or _unspeakable(place)
        if not wrong:
            _file(row, place, content, intake)
            continue
        for fault in wrong:
            found.complain(_told(place), fault.field, fault.reason)
        kind, local = content.get("type"), content.get("id")
        if isinstance(kind, str) and isinstance(local, str) and kind != "pair":
            intake.add("faulty", row, *_told(place), kind, local.encode(errors="replace").decode())
    intake.complete()
    for kind in ("prompt", "video"):
        _refuse_repeated_ids(kind, found, intake)
        for file, line, local in intake.fetch("SELECT file, line, id FROM faulty WHERE kind = ? ORDER BY row", kind):
            found.refused.setdefault((kind, local), Place(file, line))


def _unspeakable(place: Place) -> list[Fault]:
    """Names of files that are not UTF-8 come only from folders; neither a report nor the database can hold them."""
    if place.line is None and _told(place)[0] != place.file:
        return [Fault("", "The name of the file is not UTF-8; rename it")]
    return []


def _told(place: Place) -> Place:
    return place if place.file.isascii() else Place(place.file.encode(errors="replace").decode(), place.line)


def _refuse_repeated_ids(kind: str, found: Manifest, intake: Intake) -> None:
    """Lines with one id: which of them other lines mean cannot be known."""
    everything = f"""SELECT row, id, file, line, false AS faulty FROM {kind} UNION ALL
                     SELECT row, id, file, line, true FROM faulty WHERE kind = '{kind}'"""  # noqa: S608 - a table's name
    repeated = f"""SELECT id FROM {kind} GROUP BY id HAVING count(*) > 1 UNION
                   SELECT id FROM faulty WHERE kind = '{kind}' AND id IN (SELECT id FROM {kind}) UNION
                   SELECT id FROM faulty WHERE kind = '{kind}' GROUP BY id HAVING count(*) > 1"""  # noqa: S608 - the same
    rows = intake.fetch(f"SELECT * FROM ({everything}) WHERE id IN ({repeated}) ORDER BY id, row")  # noqa: S608 - the same
    for local, group in groupby(rows, key=lambda row: row[1]):
        first, second, *others = [(row, Place(file, line), bool(faulty)) for row, _id, file, line, faulty in group]
        found.refused.setdefault((kind, local), first[1])
        for row, place, faulty in (second, *others):
            _refuse_repeated(kind, local, row, place, first[1], found, intake if not faulty else None)
        if not first[2]:
            _refuse_repeated(kind, local, first[0], first[1], second[1], found, intake)


def _refuse_repeated(
    kind: str, local: str, row: int, place: Place, other: Place, found: Manifest, intake: Intake | None
) -> None:
    found.complain(place, "id", f"The {kind} {local} is also in {other}")
    if intake:
        intake.execute(f"DELETE FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table's name


def _file(row: int, place: Place, content: dict[str, Any], intake: Intake) -> None:
    """Makes a checked line a row."""
    kind = content["type"]
    if kind == "pair":
        priority, wanted = int(content.get("priority", 0)), content.get("wanted")
        videos = content["video_0"], content["video_1"]
        intake.add(kind, row, *place, content.get("prompt"), *videos, priority, None if wanted is None else int(wanted))
        return
    stated = {name: value for name, value in content.items() if name not in LINKS}
    local = content["id"]
    if not is_published(local):
        stated["source_id"] = local
    if kind == "prompt":
        text = stated.pop("text")
        if "labels" in stated:
            stated["labels"] = sorted(stated["labels"], key=HARM_KEYS.index)
        text_id = prompt_public_id(text)
        public_id = local if is_published(local) else text_id
        intake.add(kind, row, *place, local, public_id, text, orjson.dumps(stated), text_id)
    else:
        stated.setdefault("file_name", content["path"])
        if "seed" in stated:
            stated["seed"] = str(stated["seed"])
        links = local, content["prompt"], content["path"], content.get("derived_from")
        intake.add(kind, row, *place, *links, orjson.dumps(stated))
