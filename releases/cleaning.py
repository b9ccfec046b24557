"""Delete the stored files of releases that nobody may download: failed, cancelled and withdrawn ones."""

import logging

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, Q

from media.stored_files import files_below, trouble_of_storage
from releases.models import Release, Tombstone
from releases.models.files import FOLDER

logger = logging.getLogger(__name__)
State = Release.State


def remove_files() -> int:
    """Delete these files. Return how many. A release whose files cannot be deleted now is tried again later."""
    withdrawn = Exists(Tombstone.objects.filter(release=OuterRef("pk")))
    useless = Q(state__in=[State.FAILED, State.CANCELLED]) | withdrawn
    deleted = 0
    for release in Release.objects.filter(useless, files_stored=True, finished_at__isnull=False).only("pk"):
        try:
            deleted += _remove(release)
        except OSError as error:
            logger.warning("The files of release %s cannot be deleted now: %s", release.pk, error)
            continue
        Release.objects.filter(pk=release.pk).update(files_stored=False)
    return deleted


def _remove(release: Release) -> int:
    with trouble_of_storage():
        names = [stored.name for stored in files_below(f"{FOLDER}/{release.pk}")]
        for name in names:
            default_storage.delete(name)
    return len(names)
