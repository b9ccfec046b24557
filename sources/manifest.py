"""Read a manifest into rows. Each line that cannot become a row is reported with the reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext_noop as _

from diptych.refusals import BadInput, Refused
from diptych.strict_json import Fault
from sources.identity import is_published, prompt_public_id
from sources.inside import FileTrouble, resolved
from sources.intake import Intake
from sources.label_lines import row_of
from sources.progress import Progress
from sources.records import read_records
from sources.rows import Line, Manifest, Place
from sources.schema import KINDS, faults
from sources.sentences import Sentence
from studies.harms import HARM_KEYS

LINES_A_STEP = 1_000
#: If more rows of a kind than this all have the same fault, the fault is reported once.
MOST_WITH_ONE_CAUSE = 100
#: Fields whose whole numbers can have any length, because their digits are stored as text.
DIGITS_KEPT = frozenset({"seed"})
#: Fields that link lines to each other. All others become columns.
LINKS = frozenset({"type", "id", "prompt", "path", "derived_from"})


def read_lines(path: Path, manifest: Manifest) -> Iterator[Line]:
    """Yield the manifest's objects with their places, and report lines that are not objects.

    Raises Refused for a file of another kind, OSError and FileTrouble.
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
    """Check each line by itself and add it to the intake. Refuse lines of one kind that have the same id."""
    progress.begin("Reading rows", 0)
    causes = SharedCauses()
    for row, (place, content, not_kept) in enumerate(lines):
        if row % LINES_A_STEP == LINES_A_STEP - 1:
            progress.advance(LINES_A_STEP)
        wrong = not_kept or faults(content) or _name_faults(place)
        causes.add(content.get("type"), place, wrong)
        if not wrong:
            _add_row(row, place, content, intake)
            continue
        for fault in wrong:
            found.complain(_readable(place), fault.field, fault.reason)
        kind, local = content.get("type"), content.get("id")
        if isinstance(kind, str) and isinstance(local, str) and kind not in ("pair", "label"):
            intake.add("faulty", row, *_readable(place), kind, local.encode(errors="replace").decode())
    causes.refuse()
    intake.complete()
    for kind in ("prompt", "video"):
        _refuse_repeated_ids(kind, found, intake)
        for file, line, local in intake.fetch("SELECT file, line, id FROM faulty WHERE kind = ? ORDER BY row", kind):
            found.refused.setdefault((kind, local), Place(file, line))


class SharedCauses:
    """Find a fault that all rows of a kind have, so that it is reported once and not for thousands of rows."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        #: The faults that every row of a kind had so far, with the place of the first row.
        self.shared: dict[str, tuple[Place, set[Fault]]] = {}

    def add(self, kind: Any, place: Place, wrong: Sequence[Fault]) -> None:
        """Count a row and its faults."""
        named = kind if isinstance(kind, str) and kind in KINDS else ""
        self.rows[named] += 1
        first, shared = self.shared.setdefault(named, (place, set(wrong)))
        if shared:
            self.shared[named] = first, shared.intersection(wrong)

    def refuse(self) -> None:
        """Raise Refused if there are many rows of a kind and all of them have the same fault."""
        for kind, (first, shared) in self.shared.items():
            if shared and self.rows[kind] > MOST_WITH_ONE_CAUSE:
                fault = min(shared)
                template = _(
                    "All %(count)s rows have the same fault, first in %(file)s, %(place)s. %(fault)s. Correct all rows."
                )
                if kind:
                    template = _(
                        "All %(count)s rows of type %(kind)s have the same fault, first in %(file)s, %(place)s. "
                        "%(fault)s. Correct all of them."
                    )
                named = _("%(field)s: %(reason)s") if fault.field else _("The row: %(reason)s")
                whole = Sentence(named, field=fault.field, reason=fault.reason)
                values = {"count": self.rows[kind], "kind": kind, "file": first.file, "place": str(first)}
                raise Refused(Sentence(template, **values, fault=whole))


def _name_faults(place: Place) -> list[Fault]:
    """Return a fault for a file name that is not UTF-8: neither a report nor the database can hold it."""
    if place.line is None and _readable(place)[0] != place.file:
        return [Fault("", Sentence(_("The name of the file is not UTF-8. Rename the file")))]
    return []


def _readable(place: Place) -> Place:
    """Return the place with wrong bytes of its file name replaced."""
    return place if place.file.isascii() else Place(place.file.encode(errors="replace").decode(), place.line)


def _refuse_repeated_ids(kind: str, found: Manifest, intake: Intake) -> None:
    """Refuse all lines with one id: nobody can know which of them the other lines mean."""
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


_ALSO = {
    "prompt": _("The prompt %(id)s is also in %(place)s"),
    "video": _("The video %(id)s is also in %(place)s"),
}


def _refuse_repeated(
    kind: str, local: str, row: int, place: Place, other: Place, found: Manifest, intake: Intake | None
) -> None:
    found.complain(place, "id", Sentence(_ALSO[kind], id=local, place=str(other)))
    if intake:
        intake.execute(f"DELETE FROM {kind} WHERE row = ?", row)  # noqa: S608 - a table's name


def _add_row(row: int, place: Place, content: dict[str, Any], intake: Intake) -> None:
    """Add a checked line to the intake as a row."""
    kind = content["type"]
    if kind == "label":
        intake.add(kind, row, *place, *row_of(content))
        return
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
