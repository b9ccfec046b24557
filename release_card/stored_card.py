"""Read the numbers of a complete release from its file `card.json`, for its pages and charts."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.core.files.storage import default_storage

from charts.catalogue import Chart
from media.stored_files import trouble_of_storage
from release_card.figures import charts
from releases.charts import release_in
from releases.latest import withdrawn
from releases.models import Release, ReleaseFile
from studies.models import Study

#: The name of the format.
FORMAT = "card"
PATH = "card.json"


def has_card(release: Release) -> bool:
    """Return whether a complete release has a data card. Those from before there were cards have none."""
    return FORMAT in release.formats


def numbers_of(release: Release) -> dict[str, Any] | None:
    """Return the numbers, or None: the release is not complete, was withdrawn, or is from before there were cards.

    Raise OSError if the storage does not answer.
    """
    if release.state != Release.State.DONE or withdrawn([release]):
        return None
    file = ReleaseFile.objects.filter(release=release, path=PATH).first()
    if file is None:
        return None
    with trouble_of_storage(), default_storage.open(file.stored_name) as stored:
        found: dict[str, Any] = orjson.loads(stored.read())
    return found


def chart(name: str) -> Callable[[Study, Mapping[str, str]], Chart | None]:
    """Return a function that makes this chart of the release in the address, or None if there is nothing to show."""

    def made(study: Study, query: Mapping[str, str]) -> Chart | None:
        release = release_in(study, query)
        numbers = numbers_of(release) if release else None
        return charts.of_release(release, name, numbers, query) if release and numbers else None

    return made
