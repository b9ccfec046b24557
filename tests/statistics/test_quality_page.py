"""docs/quality.md has the numbers that the code computes, and Django starts without numpy."""

import re
import subprocess
import sys

import pytest

from diptych.statistics.acceptance import DEFAULTS, exact, plan
from tests.production import ROOT

PAGE = (ROOT / "docs" / "quality.md").read_text()
PURE = [
    "acceptance",
    "agreement",
    "bootstrap",
    "figures",
    "hypergeometric",
    "measures",
    "rates",
    "reliability",
    "tag_sets",
]


def rows(head):
    """Return the cells of the table whose head begins with these words."""
    lines = PAGE[PAGE.index(f"| {head}") :].splitlines()
    body = [line for line in lines[2 : lines.index("") if "" in lines else None] if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def percent(share):
    return f"{100 * share:.1f} %"


def test_the_table_of_plans():
    table = rows("answers of the lot | sample")
    assert len(table) >= 10
    for size, *cells in table:
        chosen = plan(int(size))
        risks = [percent(chosen.producers_risk), percent(chosen.consumers_risk)]
        assert cells == [str(chosen.sample), percent(chosen.share), str(chosen.accept), *risks]


def test_the_table_of_operating_curves():
    for size, *cells in rows("answers of the lot | 1 %"):
        chosen = plan(int(size))
        assert cells == [percent(chosen.acceptance(int(size) * share // 100)) for share in (1, 2, 4, 6, 8, 10)]


def test_the_default_terms():
    terms = [DEFAULTS.aql, DEFAULTS.alpha, DEFAULTS.ltpd, DEFAULTS.beta, DEFAULTS.least_share]
    assert [default for _, default, _ in rows("setting | default")] == [
        f"{float(exact(one)):.0%}".replace("%", " %") for one in terms
    ]


def test_every_word_for_a_missing_number_is_explained():
    from diptych.statistics.figures import NotDefined

    assert set(NotDefined) == {re.sub("`", "", word) for word, _ in rows("word | means")}


@pytest.mark.long
@pytest.mark.parametrize(
    "program",
    [
        "import django; django.setup()",
        "from diptych.statistics import acceptance, figures, hypergeometric, rates",
    ],
)
def test_a_starting_server_does_not_import_numpy(program):
    heavy = "import sys; sys.exit(', '.join({'numpy', 'scipy'} & set(sys.modules)) or None)"
    environment = {"DJANGO_SETTINGS_MODULE": "diptych.settings", "DIPTYCH_MODE": "test"}
    result = subprocess.run(
        [sys.executable, "-c", f"{program}; {heavy}"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_statistics_know_no_django():
    modules = ", ".join(f"diptych.statistics.{name}" for name in PURE)
    foreign = "{'django', 'scipy', 'annotation', 'qc.apps'}"
    program = f"import sys, {modules}; sys.exit(', '.join({foreign} & set(sys.modules)) or None)"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
