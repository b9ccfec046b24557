"""`python -m tests.long`: runs the tests marked `long` and writes what came of them to docs/test-long.md.

With arguments for pytest, such as a file, only the rows of what was run are written anew: each has its own commit.
"""

import datetime
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree  # reads the file that our own pytest wrote

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "test-long.md"
HEAD = """# The last long runs

What `make test-long` runs, and how each test last ended: faults, soaks and simulations, and tests that take too long
for `make test`. A test with several cases has one row.

| what | where | cases | result | seconds | day | commit |
| --- | --- | --- | --- | --- | --- | --- |
"""


class Row(NamedTuple):
    """One test with all its cases."""

    what: str
    where: str
    cases: str
    result: str
    seconds: str
    day: str
    commit: str

    def __str__(self) -> str:
        return f"| {' | '.join(self)} |"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "long", f"--junitxml={report}", *sys.argv[1:]]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if not report.exists():
            return status or 1
        new = rows_of(ElementTree.parse(report).iter("testcase"))
    old = written_before() if sys.argv[1:] else []
    found = {(row.where, row.what): row for row in (*old, *new)}
    TABLE.write_text(HEAD + "".join(f"{found[key]}\n" for key in sorted(found)))
    print(f"Written to {TABLE.relative_to(ROOT)}")
    return status


def rows_of(cases: Iterable[ElementTree.Element]) -> list[Row]:
    """A row for each test that was run: its name as a sentence, how its cases ended, how long they took."""
    tests: dict[tuple[str, str], list[ElementTree.Element]] = {}
    for case in cases:
        name = case.get("name", "").partition("[")[0].removeprefix("test_").replace("_", " ")
        tests.setdefault((case.get("classname", "").removeprefix("tests."), name), []).append(case)
    today, commit = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", present_commit()
    return [
        Row(
            name,
            where,
            str(len(run)),
            result(run),
            f"{sum(float(case.get('time', 0)) for case in run):.0f}",
            today,
            commit,
        )
        for (where, name), run in tests.items()
    ]


def result(run: list[ElementTree.Element]) -> str:
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in run)
    skipped = sum(case.find("skipped") is not None for case in run)
    if failed:
        return f"{failed} failed"
    return f"{skipped} skipped" if skipped else "passed"


def written_before() -> list[Row]:
    """The rows of the table as it is."""
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return [Row(*row) for row in cells[2:] if len(row) == len(Row._fields)]


def present_commit() -> str:
    """The commit that was tested, marked when the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
