"""What controls say about annotators, for the pages. Without controls in a study there is nothing to show."""

from typing import Any

from studies.models import Study


def controls_of(study: Study) -> dict[int, list[dict[str, Any]]]:
    """Return for each person, by their key, one line for each kind of control that they answered.

    A line has `kind` (words), `count`, `of`, `share`, `low`, `high` and `alarm`.
    """
    return {}
