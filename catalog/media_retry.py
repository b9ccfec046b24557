"""Prepare videos again: failed ones after the cause is fixed, and ready ones whose files were damaged."""

from typing import NamedTuple

from django.db import transaction

from accounts import audit
from accounts.models import User
from catalog import batches, media_order, readiness
from catalog.models import Pair
from jobs import engine
from media import transcoding
from media.models import Asset
from studies.models import Study


class Retried(NamedTuple):
    """How many videos wait again (the same bytes count once), and how many pairs of any study are no longer held."""

    videos: int
    pairs: int


@transaction.atomic
def retry_failed(study: Study, *, actor: User | None = None) -> Retried:
    """Put the failed videos of the study back in the queue, and notify the workers.

    1. Lock the failed assets in the order of their keys and put them back. The lock serializes this with other
       transactions that fail or retry one of them. It also waits for an import of new pairs with one of them, so that
       step 2 sees those pairs.
    2. Lock their pairs in all studies. End the hold of pairs that were held only because of a failed video and now
       have none. A pair that was held for another reason stays held.
    """
    failed = Asset.objects.filter(state=Asset.State.FAILED)
    of_study = Asset.objects.filter(videos__study=study).values("pk")
    locked = failed.filter(pk__in=of_study).order_by("pk").select_for_update(no_key=True)
    assets = list(locked.values_list("pk", flat=True))
    engine.resume(Asset.objects.filter(pk__in=assets))
    pairs = readiness.lock_pairs(assets).filter(held=readiness.MEDIA_FAILED)
    released = list(
        pairs.exclude(video_0__asset__in=failed).exclude(video_1__asset__in=failed).values_list("pk", flat=True)
    )
    Pair.objects.filter(pk__in=released).update(held="")
    batches.ask_for_more(Pair.objects.filter(pk__in=released), actor=actor)
    media_order.prioritise(study)
    for touched in Study.objects.filter(videos__asset__in=assets).distinct().order_by("pk"):
        after = {
            "videos": Asset.objects.filter(pk__in=assets, videos__study=touched).distinct().count(),
            "pairs": Pair.objects.filter(pk__in=released, study=touched).count(),
        }
        audit.record("media.retried", touched, actor=actor, study_slug=touched.slug, after=after)
    engine.announce(transcoding.POLICY, *assets)
    return Retried(len(assets), len(released))


@transaction.atomic
def prepare_again(asset: Asset, *, actor: User | None = None) -> bool:
    """Put a ready asset whose files are damaged back in the queue. Its pairs are not served until it is ready again.

    The files are made from the same original. Return False if the asset was not ready, or is in quarantine, so
    repeating this is harmless.
    """
    done = Asset.objects.filter(pk=asset.pk, state=Asset.State.DONE, quarantined_at=None)
    if not engine.resume(done, facts={}):
        return False
    pairs = readiness.lock_pairs([asset.pk])
    Pair.objects.filter(pk__in=list(pairs.filter(ready=True).values_list("pk", flat=True))).update(ready=False)
    for study in Study.objects.filter(videos__asset=asset).distinct().order_by("pk"):
        media_order.prioritise(study)
        audit.record("asset.prepared_again", asset, actor=actor, study_slug=study.slug)
    engine.announce(transcoding.POLICY, asset.pk)
    return True
