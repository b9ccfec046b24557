"""The drawing of the apps is made from their imports, and is current."""

from tests import apps_drawing


def test_the_drawing_of_the_apps_is_current() -> None:
    current = apps_drawing.DRAWING.read_text()
    assert current == apps_drawing.drawing(), "Run .venv/bin/python -m tests.apps_drawing."


def test_an_arrow_leaves_out_what_other_arrows_imply() -> None:
    direct = {"high": {"middle", "low"}, "middle": {"low"}, "low": set()}
    assert apps_drawing.arrows("high", direct) == ["middle"]
    assert [apps_drawing.row(app, direct) for app in direct] == [2, 1, 0]
