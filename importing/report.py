"""The report of an import, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from sources.causes import causes_of, numbered
from sources.rows import BadRow


@dataclass(slots=True)
class Tally:
    """Numbers of new and existing rows of one kind."""

    added: int = 0
    already_there: int = 0


class Difference(NamedTuple):
    """A row that the study has with other values than the manifest states. The study's row was not changed."""

    kind: str
    id: str
    file: str
    line: int | None
    fields: list[str]


@dataclass(slots=True)
class ImportReport:
    """What one import did, or would do in a dry run."""

    study: str
    dry_run: bool = False
    #: False if bad rows stopped the import.
    imported: bool = False
    study_created: bool = False
    prompts: Tally = field(default_factory=Tally)
    videos: Tally = field(default_factory=Tally)
    assets: Tally = field(default_factory=Tally)
    pairs: Tally = field(default_factory=Tally)
    labels: Tally = field(default_factory=Tally)
    batches_added: int = 0
    #: Pairs of the random sample, which several people answer.
    sampled: int = 0
    #: New prompts by split.
    splits: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: Files beside the material that were ignored, by kind.
    left_out: dict[str, int] = field(default_factory=dict)
    #: The encoding in which an archive's names were read, if the archive does not state it.
    name_encoding: str = ""
    bad: list[BadRow] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return only the numbers, as the audit record stores them."""
        tallies = {name: asdict(getattr(self, name)) for name in ("prompts", "videos", "assets", "pairs", "labels")}
        return tallies | {
            "batches_added": self.batches_added,
            "sampled": self.sampled,
            "splits": self.splits,
            "differences": len(self.differences),
            "bad": len(self.bad),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the whole report in types that JSON has."""
        return self.counts() | {
            "study": self.study,
            "dry_run": self.dry_run,
            "imported": self.imported,
            "study_created": self.study_created,
            "differences": [row._asdict() for row in self.differences],
            "warnings": self.warnings,
            "left_out": self.left_out,
            "name_encoding": self.name_encoding,
            "causes": [cause._asdict() for cause in causes_of(self.bad)],
            "bad": [row._asdict() | ({"cause": cause} if cause else {}) for row, cause in numbered(self.bad)],
        }
