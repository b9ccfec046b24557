"""What all charts share: colours, axes, and what differs between a page and a file.

A chart is plain Vega-Lite (version 6) that holds its numbers and fetches nothing. Colours are those of Okabe and Ito
(2008), which colour-blind people can tell apart, and no chart depends on them: lines and points are labelled where they
are. `dress` adds what differs between a page and a file.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

BLUE, VERMILLION = "#0072B2", "#D55E00"
#: A colour that follows the text of the page around the chart.
OF_THE_PAGE = "currentColor"
HEIGHT = 220
PERCENT = {"format": ".0%", "tickCount": 6}


def named_axis(title: str) -> Json:
    """Return an axis with its title, which also describes it to screen readers: Vega has English sentences only."""
    return {"title": title, "description": title}


def dress(specification: Mapping[str, Any], *, text: str, background: str | None, width: int | str, font: str) -> Json:
    """Return the specification with the colours, the width and the font of where it is shown."""
    colours = {"labelColor": text, "titleColor": text, "domainColor": text, "tickColor": text, "gridColor": text}
    sizes = {"labelFontSize": 12, "titleFontSize": 12}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        **_coloured(specification, text),
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": background,
        "config": {
            "font": font,
            "axis": colours | sizes | {"gridOpacity": 0.15, "titleFontWeight": "normal"},
            "view": {"stroke": None},
            "text": {"fontSize": 12},
        },
    }


def _coloured(part: Any, text: str) -> Any:
    """Return the part with the colour of the text in place of `OF_THE_PAGE`."""
    if isinstance(part, Mapping):
        return {name: _coloured(value, text) for name, value in part.items()}
    if isinstance(part, list):
        return [_coloured(value, text) for value in part]
    return text if part == OF_THE_PAGE else part
