"""The charts by name: which chart belongs to an address, for the page and for the file of the same chart.

Apps add their charts in `AppConfig.ready()`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from charts import specifications
from diptych.refusals import NotThere
from studies.models import Study

#: The font of charts on pages. The script measures texts with it, so it cannot be `inherit`.
PAGE_FONT = 'system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif'


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for a page: its name, the page's address, what the address of its file needs, and its specification."""

    name: str
    page: str
    query: str
    specification: Mapping[str, Any]

    @property
    def for_page(self) -> dict[str, Any]:
        """Return the specification with the colours of the page, as wide as its place."""
        text = specifications.OF_THE_PAGE
        dressed = specifications.dress(
            self.specification, text=text, background=None, width="container", font=PAGE_FONT
        )
        # The place of the chart has the role and the description. Vega would give each group of marks a role too.
        return dressed | {"config": dressed["config"] | {"aria": False, "mark": {"aria": False}}}


#: By name: what makes the chart of a study from the query of its address. None means that there is nothing to show.
charts: dict[str, Callable[[Study, Mapping[str, str]], Chart | None]] = {}


def find(study: Study, name: str, query: Mapping[str, str]) -> Chart:
    """Return the chart of this name, made from the newest figures. Raise NotThere if there is none."""
    chart = charts[name](study, query) if name in charts else None
    if chart is None:
        raise NotThere(_("There is no such chart."))
    return chart
