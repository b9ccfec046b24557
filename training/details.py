"""Make the figures of a version that need its predictions and the rows of its release: once, by a worker.

They are curves of precision and recall, people beside the model on any harm, generators compared, and the pairs on
which people and the model differ most. Pages read them from `ModelVersion.details`.
"""

import logging
from typing import Any

from django.db import DatabaseError

from diptych.database import locks
from training import disagreements, generators, precision, registry_predictions
from training.kinds import Kind
from training.models import ModelVersion

log = logging.getLogger(__name__)


def make_missing() -> int:
    """Make the details of decided versions that have none, and return of how many. Repeating it is harmless.

    If the storage is away, a version gets them at the next call. If a file of its run cannot be read, it gets none.
    """
    waiting = ModelVersion.objects.filter(details__isnull=True, state__in=["promoted", "kept"]).order_by("pk")
    made = 0
    for version_id in list(waiting.values_list("pk", flat=True)):
        with locks.try_exclusive(locks.Key.MODEL_DETAILS, version_id) as is_mine:
            if is_mine:
                made += _make(version_id)
    return made


def _make(version_id: int) -> int:
    missing = ModelVersion.objects.filter(pk=version_id, details__isnull=True)
    version = missing.select_related("family", "run__release", "run__family").first()
    if version is None:
        return 0
    try:
        details = {} if version.run.release.tombstones.exists() else of_version(version)
    except OSError as error:
        log.warning("The details of version %s wait: %s", version_id, error)
        return 0
    except DatabaseError:
        raise
    except Exception:  # one version must not keep those of other studies waiting
        log.exception("Version %s gets no details", version_id)
        details = {}
    return missing.update(details=details)


def of_version(version: ModelVersion) -> dict[str, Any]:
    """Return all details of a version. Raise ValueError or KeyError for a damaged file, and OSError.

    Takes seconds to minutes: it reads the items of the release.
    """
    run, release = version.run, version.run.release
    is_moderation = version.family.kind == Kind.MODERATION
    found: dict[str, Any] = {}
    if is_moderation:
        found["precision"] = precision.of_tags(registry_predictions.tags(run))
        found["confusion"] = generators.confusion(release, registry_predictions.tags(run))
        found["disagreements"] = disagreements.of_tags(registry_predictions.tags(run))
    else:
        found["disagreements"] = disagreements.of_choices(registry_predictions.answered(run))
    if scores := registry_predictions.video_scores(run):
        found["generators"] = generators.of_release(release, scores, [] if is_moderation else version.family.targets)
    return found
