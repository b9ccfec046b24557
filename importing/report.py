"""What an import did, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from importing.rows import BadRow


@dataclass(slots=True)
class Tally:
    """How many rows of one kind were new, and how many the study had."""

    added: int = 0
    already_there: int = 0


class Difference(NamedTuple):
    """A row that the study has with other values than the manifest states. It was left as it is."""

    kind: str
    id: str
    file: str
    line: int | None
    fields: list[str]


@dataclass(slots=True)
class ImportReport:
    study: str
    dry_run: bool = False
    #: False when bad rows kept everything out.
    imported: bool = False
    study_created: bool = False
    prompts: Tally = field(default_factory=Tally)
    videos: Tally = field(default_factory=Tally)
    assets: Tally = field(default_factory=Tally)
    pairs: Tally = field(default_factory=Tally)
    batches_added: int = 0
    #: Pairs drawn for more answers than the others.
    sampled: int = 0
    #: New prompts by split.
    splits: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    #: Files beside the material that were left out, by kind.
    left_out: dict[str, int] = field(default_factory=dict)
    #: The code page in which an archive's names were read, if it did not say it.
    name_encoding: str = ""
    bad: list[BadRow] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """The numbers alone, as the audit record keeps them."""
        tallies = {name: asdict(getattr(self, name)) for name in ("prompts", "videos", "assets", "pairs")}
        return tallies | {
            "batches_added": self.batches_added,
            "sampled": self.sampled,
            "splits": self.splits,
            "differences": len(self.differences),
            "bad": len(self.bad),
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, in types that JSON has."""
        return self.counts() | {
            "study": self.study,
            "dry_run": self.dry_run,
            "imported": self.imported,
            "study_created": self.study_created,
            "differences": [row._asdict() for row in self.differences],
            "warnings": self.warnings,
            "left_out": self.left_out,
            "name_encoding": self.name_encoding,
            "bad": [row._asdict() for row in self.bad],
        }
