"""Text that people wrote, with a direction of its own: right-to-left text must not reorder the words around it.

The filter is available in every template. If an element contains only such a text, `dir="auto"` on the element does the
same and also aligns it. `tests/test_text_direction.py` finds the places that have neither.
"""

import unicodedata
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()

#: Bidirectional classes that change the order of the surrounding text on a left-to-right page.
REORDERING = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"})


@register.filter
def isolated(text: Any) -> SafeString:
    """Return the text, escaped, in an element with its own direction if it could reorder the text around it.

    The product's own languages are written from left to right, so other texts need no element.
    """
    shown = conditional_escape("" if text is None else text)
    if all(unicodedata.bidirectional(character) not in REORDERING for character in shown):
        return shown
    return format_html('<bdi dir="auto">{}</bdi>', shown)
