"""Scripts and styles use nothing that the oldest supported browsers lack (docs/browsers.md)."""

import re

import pytest
from django.conf import settings

STATIC = settings.BASE_DIR / "static"
CHECK = STATIC / "js/page/browser_check.js"
#: Names that are newer than Chrome 110, Firefox 121 or Safari 16, with the last browser to support them. TypeScript
#: finds language features that are too new, by the year in tsconfig.json.
TOO_NEW_SCRIPTS = {
    "AbortSignal.any": "Firefox 124, Safari 17.4",
    "AbortSignal.timeout": "Chrome 124 for fetch",
    "checkVisibility": "Safari 17.4",
    "canParse": "Safari 17",
    "Intl.Segmenter": "Firefox 125",
    "requestVideoFrameCallback": "Firefox 132",
    "requestIdleCallback": "no Safari",
    "showPopover": "Firefox 125",
    "togglePopover": "Firefox 125",
    "startViewTransition": "Firefox 144",
    "CloseWatcher": "Chrome 126",
    "moveBefore": "Chrome 133",
    "setHTMLUnsafe": "Chrome 124",
    "caretPositionFromPoint": "Chrome 128",
    "getHTML(": "Chrome 125",
    "window.navigation": "Safari 26",
    "showOpenFilePicker": "only Chrome",
}
TOO_NEW_STYLES = {
    "light-dark(": "Chrome 123, Safari 17.5",
    "@scope": "Firefox 128",
    "@starting-style": "Firefox 129",
    "@property": "Firefox 128",
    "anchor-name": "Safari 26",
    "position-anchor": "Safari 26",
    "field-sizing": "Chrome 123",
    "interpolate-size": "Chrome 129",
    ":user-invalid": "Chrome 119",
    ":popover-open": "Chrome 114",
    ":state(": "Chrome 125",
    "calc-size(": "Chrome 129",
    "text-box-trim": "Chrome 133",
}
SCRIPTS = [path for path in sorted(STATIC.glob("js/**/*.js")) if path != CHECK]
STYLES = sorted(STATIC.glob("css/**/*.css"))


def without_comments(path):
    return re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("paths", "too_new"), [(SCRIPTS, TOO_NEW_SCRIPTS), (STYLES, TOO_NEW_STYLES)])
def test_nothing_is_newer_than_the_oldest_supported_browsers(paths, too_new):
    assert paths
    found = {
        f"{path.relative_to(STATIC)}: {name} ({since})"
        for path in paths
        for name, since in too_new.items()
        if name in without_comments(path)
    }
    assert found == set()


def test_styles_are_not_nested():
    """Chrome 112 and Safari 16.5 introduced nesting, and Safari 17.2 completed it."""
    nested = [path.name for path in STYLES if re.search(r"^\s*&", without_comments(path), re.MULTILINE)]
    assert nested == []


def test_each_name_in_the_check_of_the_browser_is_used_by_a_script():
    script = CHECK.read_text()
    names = re.findall(r'"([\w.]+)"', script[script.index("NAMES = [") : script.index("];")])
    scripts = "\n".join(path.read_text() for path in SCRIPTS)
    stands_for = {"noModule": "import ", "CSS.supports": "", "ReadableStream": "getReader"}
    missed = [
        name for name in names
        if stands_for.get(name, stands_for.get(name.rpartition(".")[2], name.rpartition(".")[2])) not in scripts
    ]  # fmt: skip
    assert missed == []


def test_the_check_of_the_browser_can_be_read_by_old_ones():
    script = without_comments(CHECK)
    assert not re.search(r"=>|`|\b(let|const|class|async|import|export)\b|\?\.|\?\?|\.\.\.", script)
