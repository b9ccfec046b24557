"""Read the numbers of a complete release from its file `card.json`, for its pages and charts."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from django.core.files.storage import default_storage

from charts.catalogue import Chart
from media.stored_files import trouble_of_storage
from releases.figures import charts
from releases.latest import withdrawn
from releases.models import Release, ReleaseFile
from studies.models import Study

PATH = "card.json"


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
        asked = query.get("release", "")
        if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
            return None
        release = Release.objects.select_related("study").filter(study=study, number=int(asked)).first()
        if release is None:
            return None
        numbers = {"funnel": release.funnel} if name == "funnel" else numbers_of(release)
        return charts.of_release(release, name, numbers, query) if numbers else None

    return made
