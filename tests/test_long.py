"""The plugin that writes docs/test-long.md."""

import pytest

from tests import long

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.fixture
def broken():
    yield
    raise ValueError

@pytest.mark.long
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_number_is_small(number):
    assert number < 3

@pytest.mark.long
def test_everything_is_well():
    pass

@pytest.mark.long
def test_it_ends_badly(broken):
    pass

@pytest.mark.long
def test_it_needs_another_machine():
    pytest.skip("not here")

def test_it_is_short():
    pass
"""


@pytest.fixture
def run(pytester, monkeypatch, tmp_path):
    monkeypatch.setattr(long, "ROOT", tmp_path)
    monkeypatch.setattr(long, "TABLE", tmp_path / "test-long.md")
    monkeypatch.setattr(long, "present_commit", lambda: "abc")
    pytester.makeini("[pytest]\ntestpaths = tests\nmarkers = long: of the test")
    (pytester.mkdir("tests") / "test_one.py").write_text(TESTS)

    def run(*arguments):
        pytester.runpytest_inprocess("-p", "no:django", *arguments, plugins=[long])
        rows = long.TABLE.read_text().removeprefix(long.HEAD).splitlines()
        return [tuple(row.strip("| ").split(" | "))[:4] for row in rows]

    return run


def test_each_long_test_has_a_row_that_says_how_its_cases_ended(run):
    assert run() == [
        ("a number is small", "test_one", "3", "1 failed"),
        ("everything is well", "test_one", "1", "passed"),
        ("it ends badly", "test_one", "1", "1 failed"),
        ("it needs another machine", "test_one", "1", "1 skipped"),
    ]


def test_a_choice_of_tests_leaves_the_other_rows_as_they_were(run):
    long.TABLE.write_text(f"{long.HEAD}| gone | test_zero | 7 | passed | 1 | 2026-01-01 | abc |\n")
    gone = ("gone", "test_zero", "7", "passed")
    assert run("-k", "well") == [("everything is well", "test_one", "1", "passed"), gone]
    assert len(run("tests/test_one.py")) == 5
    assert gone not in run()
