"""import-linter checks the layers of imports. Templates and addresses are strings, so they are checked here."""

import re
from pathlib import Path

import pytest

from diptych.embedded.state import REPOSITORY
from tests.layout import HEIGHT

TEMPLATES = REPOSITORY / "templates"

ADDRESS_IN_TEMPLATE = re.compile(r"{% url ['\"]([a-z_]+):")
TEMPLATE_IN_TEMPLATE = re.compile(r"{% (?:include|extends) ['\"]([a-z_]+)/")
TAGS_IN_TEMPLATE = re.compile(r"{% load ([a-z0-9_ ]+) %}")
STRING_IN_PYTHON = re.compile(r"""['"]([a-z_]+)[:/][a-z_]+(?:\.html)?['"]""")


def above(app: str, others: list[str]) -> set[str]:
    """Return the apps that are above this one, or in the same layer."""
    return {other for other in others if other in HEIGHT and other != app and HEIGHT[other] >= HEIGHT[app]}


def tag_libraries() -> dict[str, str]:
    """Return the app of each library of template tags."""
    return {path.stem: path.parts[-3] for app in HEIGHT for path in (REPOSITORY / app).glob("templatetags/*.py")}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*/*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_names_nothing_of_a_higher_app(path: Path) -> None:
    app, text, homes = path.relative_to(TEMPLATES).parts[0], path.read_text(), tag_libraries()
    if app == "django":  # ours replace Django's own, for every app
        assert "{% url" not in text
        return
    assert app in HEIGHT, "Templates lie in folders that are named like the apps."
    loaded = [homes[name] for names in TAGS_IN_TEMPLATE.findall(text) for name in names.split() if name in homes]
    named = [name for name in ADDRESS_IN_TEMPLATE.findall(text) if name != "api"] + TEMPLATE_IN_TEMPLATE.findall(text)
    assert not above(app, named + loaded)


@pytest.mark.parametrize("app", HEIGHT)
def test_python_names_no_address_or_template_of_a_higher_app(app: str) -> None:
    for path in (REPOSITORY / app).rglob("*.py"):
        if "migrations" not in path.parts:
            assert not above(app, STRING_IN_PYTHON.findall(path.read_text())), path


STYLE_IN_TEMPLATE = re.compile(r"css/([a-z_]+)/[a-z_]+\.css")
MODULE_IN_SCRIPT = re.compile(r"""from ["']\.\./([a-z_]+)/""")


def test_pages_and_scripts_use_no_style_or_script_of_a_higher_app() -> None:
    used = {path: STYLE_IN_TEMPLATE.findall(path.read_text()) for path in TEMPLATES.rglob("*/*.html")}
    scripts = REPOSITORY / "static" / "js"
    used |= {path: MODULE_IN_SCRIPT.findall(path.read_text()) for path in scripts.rglob("*/*.js")}
    wrong = {
        str(path.relative_to(REPOSITORY)): higher
        for path, names in used.items()
        if path.parent.name in HEIGHT and (higher := above(path.parent.name, names))
    }
    assert not wrong
