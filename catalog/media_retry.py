"""Preparing videos again: failed ones, once what made them fail is mended, and ready ones whose files were damaged."""

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
    """How many videos wait again (the same bytes count once), and how many pairs of any study are held no more."""

    videos: int
    pairs: int


@transaction.atomic
def retry_failed(study: Study, *, actor: User | None = None) -> Retried:
    """Let the failed videos of the study wait again and tell the workers.

    1. Lock the failed assets by key and put them back. Who fails or retries one at the same moment comes before or
       after. An import of new pairs with one of them is waited for, so that step 2 sees those pairs.
    2. Lock their pairs, of whatever study, and end the hold of those that were held only for a failed video and now
       have none. A pair that was held for another reason stays held.
    """
    failed = Asset.objects.filter(state=Asset.State.FAILED)
    of_study = Asset.objects.filter(videos__study=study).values("pk")
    locked = failed.filter(pk__in=of_study).order_by("pk").select_for_update(no_key=True)
    assets = list(locked.values_list("pk", flat=True))
    engine.resume(Asset.objects.filter(pk__in=assets))
    pairs = readiness.lock_pairs(assets).filter(held=readiness.MEDIA_FAILED)
    mended = list(
        pairs.exclude(video_0__asset__in=failed).exclude(video_1__asset__in=failed).values_list("pk", flat=True)
    )
    Pair.objects.filter(pk__in=mended).update(held="")
    batches.ask_for_more(Pair.objects.filter(pk__in=mended), actor=actor)
    media_order.prioritise(study)
    for touched in Study.objects.filter(videos__asset__in=assets).distinct().order_by("pk"):
        after = {
            "videos": Asset.objects.filter(pk__in=assets, videos__study=touched).distinct().count(),
            "pairs": Pair.objects.filter(pk__in=mended, study=touched).count(),
        }
        audit.record("media.retried", touched, actor=actor, study_slug=touched.slug, after=after)
    engine.announce(transcoding.POLICY, *assets)
    return Retried(len(assets), len(mended))


@transaction.atomic
def prepare_again(asset: Asset, *, actor: User | None = None) -> bool:
    """Puts a ready asset whose files are damaged back in line, and keeps its pairs from being served meanwhile.

    What is made is made of the same original. False if the asset was not ready, or is in quarantine: repeating it is
    harmless.
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
