"""Reads a manifest into rows. Every line that cannot be a row is reported, with the reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from diptych.refusals import BadInput, Refused
from diptych.strict_json import Fault
from importing.identity import is_published, prompt_public_id
from importing.inside import FileTrouble, resolved
from importing.intake import Intake
from importing.progress import Progress
from importing.records import read_records
from importing.rows import Line, Manifest, Place
from importing.schema import KINDS, faults
from studies.harms import HARM_KEYS

LINES_A_STEP = 1_000
#: So many rows of a kind may have the same fault before it is named once for all of them.
MOST_WITH_ONE_CAUSE = 100
#: Whole numbers that may be of any length, since their digits are kept as text.
DIGITS_KEPT = frozenset({"seed"})
#: Fields that tie lines together; all others are columns.
LINKS = frozenset({"type", "id", "prompt", "path", "derived_from"})


def read_lines(path: Path, manifest: Manifest) -> Iterator[Line]:
    """Yield the manifest's objects with their places, and report what is no object.

    Raises Refused for a file of another form, OSError and FileTrouble.
    """
    number = 0
    try:
        for record in read_records(resolved(manifest.root, path.name), path.name, digits_kept=DIGITS_KEPT):
            number = record.number
            place = Place(path.name, number)
            if record.content is None:
                manifest.complain(place, *record.faults[0])
            else:
                yield Line(place, record.content, record.faults)
    except BadInput as broken:
        if isinstance(broken, FileTrouble):
            raise
        manifest.complain(Place(path.name, number + 1), "", str(broken))


def collect(lines: Iterable[Line], found: Manifest, intake: Intake, progress: Progress) -> None:
    """Checks each line by itself and files it, and refuses lines of one kind that have the same id."""
    progress.begin("Reading rows", 0)
    causes = SharedCauses()
    for row, (place, content, not_kept) in enumerate(lines):
        if row % LINES_A_STEP == LINES_A_STEP - 1:
            progress.advance(LINES_A_STEP)
        wrong = not_kept or faults(content) or _unspeakable(place)
        causes.add(content.get("type"), place, wrong)
        if not wrong:
            _file(row, place, content, intake)
            continue
        for fault in wrong:
            found.complain(_told(place), fault.field, fault.reason)
        kind, local = content.get("type"), content.get("id")
        if isinstance(kind, str) and isinstance(local, str) and kind != "pair":
            intake.add("faulty", row, *_told(place), kind, local.encode(errors="replace").decode())
    causes.refuse()
    intake.complete()
    for kind in ("prompt", "video"):
        _refuse_repeated_ids(kind, found, intake)
        for file, line, local in intake.fetch("SELECT file, line, id FROM faulty WHERE kind = ? ORDER BY row", kind):
            found.refused.setdefault((kind, local), Place(file, line))


class SharedCauses:
    """Notices a fault that all rows of a kind have, so that it is named once and not in thousands of rows."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        #: What every row of the kind had so far, with the first place.
        self.shared: dict[str, tuple[Place, set[Fault]]] = {}

    def add(self, kind: Any, place: Place, wrong: Sequence[Fault]) -> None:
        named = kind if isinstance(kind, str) and kind in KINDS else ""
        self.rows[named] += 1
        first, shared = self.shared.setdefault(named, (place, set(wrong)))
        if shared:
            self.shared[named] = first, shared.intersection(wrong)

    def refuse(self) -> None:
        """Raise Refused where many rows of a kind were read and each of them has the same fault."""
        for kind, (first, shared) in self.shared.items():
            if shared and self.rows[kind] > MOST_WITH_ONE_CAUSE:
                fault = min(shared)
                rows = f"{kind} rows" if kind else "rows"
                raise Refused(
                    f"All {self.rows[kind]} {rows} have the same fault, first in {first.file}, {first}. "
                    f"{fault.field or 'The row'}: {fault.reason.rstrip('.')}. Correct it in all of them."
                )


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
