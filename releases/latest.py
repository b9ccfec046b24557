"""Which release is the newest that can be downloaded, and which ones were withdrawn."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef

from releases.models import Release, Tombstone
from studies.models import Study


def latest(study: Study) -> Release | None:
    """Return the newest complete release that was not withdrawn, or None.

    A withdrawal ends every release that had the answers, so this never goes back to one that had them.
    """
    stones = Tombstone.objects.filter(release=OuterRef("pk"))
    complete = Release.objects.filter(study=study, state=Release.State.DONE)
    return complete.filter(~Exists(stones)).order_by("-number").first()


def withdrawn(releases: Iterable[Release]) -> set[int]:
    """Return the keys of those of these releases that were withdrawn."""
    stones = Tombstone.objects.filter(release__in=[release.pk for release in releases])
    return set(stones.values_list("release_id", flat=True))
