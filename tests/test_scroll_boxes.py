"""A box that scrolls also contains its hidden texts, so that they do not make the page longer."""

import re
from pathlib import Path

from django.conf import settings

#: The page itself scrolls.
PAGE = {".workspace"}


def rules():
    """Return every innermost rule of the style sheets, as its selector and its declarations."""
    for path in sorted(Path(settings.BASE_DIR, "static/css").rglob("*.css")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        for selector, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
            yield path.name, selector.strip(), declarations


def test_every_box_that_scrolls_is_positioned():
    """A scroll box has a position.

    Texts only for screen readers are placed absolutely. In a scroll box without a position they would be placed below
    the end of the page, if the box has more rows than it shows.
    """
    boxes = [
        (name, selector, declarations)
        for name, selector, declarations in rules()
        if re.search(r"overflow(-[xy])?:[^;]*\b(auto|scroll)\b", declarations) and selector not in PAGE
    ]
    assert len(boxes) > 8
    assert [(name, selector) for name, selector, text in boxes if "position:" not in text] == []
