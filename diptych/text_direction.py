"""Text that people wrote, in a direction of its own: right-to-left text must not reorder the words around it.

The filter is built into every template. Where an element holds nothing else than such a text, `dir="auto"` on the
element does the same and aligns it too. `tests/test_text_direction.py` finds the places that have neither.
"""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def isolated(text: object) -> SafeString | str:
    """Return the text in an element that takes its direction from the text; an empty one stays empty."""
    return "" if text is None or text == "" else format_html('<bdi dir="auto">{}</bdi>', text)
