"""The result of a benchmark: claims, each with its aim, as a table for people and as JSON for programs."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """One measured number and what it should be."""

    name: str
    value: float
    unit: str
    aim: str
    holds: bool


def at_least(name: str, value: float, aim: float, unit: str) -> Claim:
    return Claim(name, round(value, 3), unit, f"≥ {aim:g}", value >= aim)


def at_most(name: str, value: float, aim: float, unit: str) -> Claim:
    return Claim(name, round(value, 3), unit, f"≤ {aim:g}", value <= aim)


def none_at_all(name: str, value: int, unit: str) -> Claim:
    return Claim(name, value, unit, "0", value == 0)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every benchmark has."""
    parser.add_argument(
        "--quick", action="store_true", help="takes less than a minute and shows that it runs, not how fast"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the file to which claims and details are written")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table with its first column aligned to the left, and the others to the right."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = []
    for first, *others in cells:
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)


def claims_table(claims: Sequence[Claim]) -> str:
    rows = [
        [claim.name, f"{claim.value:g}", claim.unit, claim.aim, "holds" if claim.holds else "FALLS SHORT"]
        for claim in claims
    ]
    return table(["claim", "value", "unit", "aim", ""], rows)


def write(file: Path, claims: Sequence[Claim], detail: dict[str, Any]) -> None:
    report = {"claims": [asdict(claim) for claim in claims], "detail": detail}
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
