"""The table of strange files in docs/operators/media.md."""

from pathlib import Path

from django.conf import settings

PAGE = Path(settings.BASE_DIR) / "docs" / "operators" / "media.md"


def rows(heading: str) -> dict[str, str]:
    """Second column by first, of the table below `heading`."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return {row[0]: row[1] for row in cells}


def result_of(name: str) -> str:
    """What the table says becomes of the file."""
    return rows("Strange files")[name]
