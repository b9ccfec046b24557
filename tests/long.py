"""A pytest plugin (`-p tests.long`) that runs the tests marked `long` and writes the results to docs/test-long.md.

If you give files, or names with `-k`, only the rows of the tests that ran are rewritten.
"""

import datetime
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "test-long.md"
HEAD = """# The last long runs

What `make test-long` runs, and how each test last ended: faults, soaks and simulations, and tests that take too long
for `make test`. A test with several cases has one row.

| what | where | cases | result | seconds | day | commit |
| --- | --- | --- | --- | --- | --- | --- |
"""
#: The file and the name of a test in its pytest node id.
NODE = re.compile(r"tests/(?P<file>.+)\.py::(?P<name>[^\[]+)")


def pytest_configure(config: pytest.Config) -> None:
    config.option.markexpr = "long"


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    """Write a row for each test that ran. A complete run removes the rows of tests that no longer exist."""
    outcomes: dict[str, str] = {}
    seconds: Counter[str] = Counter()
    for outcome in ("", "passed", "skipped", "failed", "error"):  # "": a setup or teardown that passed
        for report in terminalreporter.getreports(outcome):
            seconds[report.nodeid] += report.duration
            outcomes[report.nodeid] = outcome
    tests: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for case in outcomes:
        if found := NODE.match(case):
            tests[found["file"].replace("/", "."), found["name"].removeprefix("test_").replace("_", " ")].append(case)
    chosen = config.args_source is config.ArgsSource.ARGS or config.option.keyword
    came_to_its_end = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
    rows = {} if came_to_its_end and not chosen else written_before()
    about = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d} | {present_commit()}"
    for (where, what), cases in tests.items():
        ended, took_s = result([outcomes[case] for case in cases]), sum(seconds[case] for case in cases)
        rows[where, what] = f"| {what} | {where} | {len(cases)} | {ended} | {took_s:.0f} | {about} |"
    TABLE.write_text(HEAD + "".join(f"{rows[key]}\n" for key in sorted(rows)))
    terminalreporter.write_line(f"Written to {TABLE.relative_to(ROOT)}")


def result(outcomes: list[str]) -> str:
    """Return the results of a test's cases in words."""
    if failed := sum(outcome in {"failed", "error"} for outcome in outcomes):
        return f"{failed} failed"
    skipped = outcomes.count("skipped")
    return f"{skipped} skipped" if skipped else "passed"


def written_before() -> dict[tuple[str, str], str]:
    """Return the present rows of the table by file and name."""
    lines = TABLE.read_text().splitlines()[HEAD.count("\n") :] if TABLE.exists() else []
    return {(where, what): line for line in lines for what, where in [line.strip("| ").split(" | ")[:2]]}


def present_commit() -> str:
    """Return the commit that is tested, with a mark if the tree differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    described = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"
