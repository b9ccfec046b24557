"""Text that people wrote, in a direction of its own: right-to-left text must not reorder the words around it.

The filter is built into every template. Where an element holds nothing else than such a text, `dir="auto"` on the
element does the same and aligns it too. `tests/test_text_direction.py` finds the places that have neither.
"""

import unicodedata
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()

#: Bidirectional classes that change the order of what stands around them on a left-to-right page.
REORDERING = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})


@register.filter
def isolated(text: Any) -> SafeString:
    """Return the text, escaped; in an element that takes its direction from it if it would reorder its neighbours.

    The product's own languages are written from left to right, so other texts need no element.
    """
    shown = conditional_escape("" if text is None else text)
    if all(unicodedata.bidirectional(character) not in REORDERING for character in shown):
        return shown
    return format_html('<bdi dir="auto">{}</bdi>', shown)
