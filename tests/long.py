"""`python -m tests.long`: runs the tests marked `long` and writes what came of it to docs/test-long.md."""

import datetime
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree  # reads the file that our own pytest wrote

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "test-long.md"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-m", "long", f"--junitxml={report}", *sys.argv[1:]]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if not report.exists():
            return status or 1
        TABLE.write_text(table(report))
    print(f"Written to {TABLE.relative_to(ROOT)}")
    return status


def table(report: Path) -> str:
    """The run as Markdown, with its date and the commit it ran on."""
    rows = [row(case) for case in ElementTree.parse(report).iter("testcase")]
    return "\n".join(
        [
            "# The last long run",
            "",
            f"`make test-long` on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} at commit `{commit()}`.",
            "",
            "| what | result | seconds |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def row(case: ElementTree.Element) -> str:
    """One test: its name as a sentence, how it ended, how long it took."""
    failed = case.find("failure") is not None or case.find("error") is not None
    result = "failed" if failed else "skipped" if case.find("skipped") is not None else "passed"
    sentence = case.get("name", "").removeprefix("test_").replace("_", " ")
    return f"| {sentence} | {result} | {float(case.get('time', 0)):.0f} |"


def commit() -> str:
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
