"""`python -m tests.settings_table`: write the tables of docs/operators/settings.md from the declarations."""

import sys
from pathlib import Path

from diptych.declared_settings import documentation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operators" / "settings.md"
MARK = "<!-- The tables below are made by: .venv/bin/python -m tests.settings_table -->\n"


def expected() -> str:
    """Return the page as it should be: the text above the mark, and the tables below it."""
    written, mark, _ = PAGE.read_text().partition(MARK)
    return f"{written}{mark}\n{documentation()}"


def main() -> int:
    PAGE.write_text(expected())
    return 0


if __name__ == "__main__":
    sys.exit(main())
