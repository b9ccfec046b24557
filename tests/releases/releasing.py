"""Answered pairs in accepted lots, releases of them, and their files, for tests."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from annotation.models import Assignment
from qc.models import Lot
from releases import making
from releases.filters import Filter
from releases.making import Wanted
from releases.models import Release, ReleaseFile
from tests import factories

LICENCE = "CC-BY-4.0"


def accepted(*answered: Assignment, state: str = "accepted") -> Lot:
    """Return a lot with this state whose review froze these answers."""
    study = answered[0].study
    batches = {one.pair.batch for one in answered}
    made = factories.lot(study, *batches, state="in_review", frame_size=len(answered))
    for place, one in enumerate(answered, start=1):
        factories.frame_item(made, one, place)
    if state != "in_review":
        decide(made, state)
    return made


def decide(lot: Lot, state: str) -> None:
    """Write a decision into the row of a lot, as though its whole frame had been judged."""
    now, size = timezone.now(), lot.frame_size
    drawn = {"drawn_at": now, "size": size, "sample_size": size, "acceptance_number": 0}
    decided = {"decided_at": now, "decided_by": lot.created_by, "decision_reason": "Judged"}
    Lot.objects.filter(pk=lot.pk).update(state=state, **drawn, **decided)


def answered(study: Any, *people: Any, pairs: int = 1, said: Any = None, **values: Any) -> list[Assignment]:
    """Let these people, or a new annotator, answer `pairs` new pairs each. Return their assignments.

    `said` replaces parts of the standard answer, and `values` those of the pairs.
    """
    made = factories.pairs(study, pairs, wanted=len(people) or 1, **values)
    people = people or (factories.member(study, "annotator"),)
    return [factories.answer(person, study, **said or {}) for _pair in made for person in people]


def make(study: Any, *, by: Any = None, **values: Any) -> Release:
    """Make a release and return it as it is afterwards."""
    release = ask(study, by=by, **values)
    making.run(release.pk)
    release.refresh_from_db()
    return release


def ask(study: Any, *, by: Any = None, **values: Any) -> Release:
    """Order a release that nobody makes yet."""
    given = {"filter": Filter(), "licence": LICENCE, "licence_reason": "Checked", "formats": ["jsonl"]} | values
    return making.ask(study, Wanted(**given), actor=by, announce=False)


def stored(release: Release, path: str) -> bytes:
    """Return the stored bytes of a file."""
    row = ReleaseFile.objects.get(release=release, path=path)
    with default_storage.open(row.stored_name) as file:
        return bytes(file.read())


class Kept:
    """A release and all its files, which stay when the transaction that made them is rolled back."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.files = {row.path: stored(release, row.path) for row in release.files.all()}

    def __getitem__(self, path: str) -> bytes:
        return self.files[path]

    @property
    def parquet(self) -> list[str]:
        """Return the paths of its Parquet files."""
        return sorted(path for path in self.files if path.endswith(".parquet"))


def lines(release: Release, path: str) -> list[dict[str, Any]]:
    """Return the records of a file of JSON Lines."""
    return [json.loads(line) for line in stored(release, path).splitlines()]


def validator(name: str) -> Draft202012Validator:
    """Return the validator of a published schema."""
    schema = json.loads((Path(settings.BASE_DIR) / f"releases/schemas/{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())
