"""Keep `Pair.ready` and `Pair.held` up to date. A pair can be served when both videos are ready.

Other pairs wait, or are held because a video failed.
"""

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from catalog.look_alikes import mark_look_alikes
from catalog.models import Pair
from catalog.models import pairs as pair_models
from media import reasons
from media.models import Asset
from studies.harms import HARM_KEYS
from studies.models import Study
from studies.notices import Lack

MEDIA_FAILED = pair_models.MEDIA_FAILED


def pairs_of(assets: list[int]) -> Q:
    """Return the condition for pairs with a video that has one of these assets."""
    return Q(video_0__asset__in=assets) | Q(video_1__asset__in=assets)


def lock_pairs(assets: list[int]) -> QuerySet[Pair]:
    """Return the pairs of these assets, locked in the order of their keys until the transaction ends.

    A transaction that changes the state of an asset writes that state first, then locks the pairs, and reads the state
    of both assets of a pair in a later statement. So when two transactions finish the two videos of one pair at the
    same time, the second sees what the first wrote.
    """
    locked = Pair.objects.filter(pairs_of(assets)).order_by("pk").select_for_update(of=("self",))
    return Pair.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))


def settle_pairs(asset: Asset) -> None:
    """Update `ready` and `held` of the asset's pairs from the state of their two assets."""
    settle(lock_pairs([asset.pk]))


def settle(pairs: QuerySet[Pair]) -> None:
    """Mark those of `pairs` whose videos are both ready, mark look-alikes, and hold those with a failed video."""
    ready = pairs.filter(ready=False, video_0__asset__state="done", video_1__asset__state="done")
    if Pair.objects.filter(pk__in=ready.values("pk")).update(ready=True):
        mark_look_alikes(pairs)
    broken = pairs.filter(Q(video_0__asset__state="failed") | Q(video_1__asset__state="failed"), held="")
    Pair.objects.filter(pk__in=broken.values("pk")).update(held=MEDIA_FAILED)


def follow_asset(*, asset: Asset, state: str, reason: str, **_: Any) -> None:
    """Update the asset's pairs, and record in each study that a video failed. Receiver of `asset_finished`."""
    settle_pairs(asset)
    if state != Asset.State.FAILED:
        return
    for study in Study.objects.filter(videos__asset=asset).distinct().order_by("pk"):
        held = Pair.objects.filter(pairs_of([asset.pk]), study=study, held=MEDIA_FAILED).count()
        after = {"state": state, "reason": reasons.in_english(reason), "pairs_held": held}
        audit.record("asset.failed", asset, actor=None, study_slug=study.slug, after=after)


def has_controls(study: Study) -> bool:
    """Return whether the study has control pairs."""
    return Pair.objects.filter(study=study, kind=Pair.Kind.CONTROL).exists()


def unannounced_harm(study: Study) -> Lack | None:
    """Return a notice if a pair may show harm that the consent does not list. Such a pair is never served."""
    if len(study.categories) == len(HARM_KEYS):
        return None
    if not Pair.objects.filter(study=study).exclude(may_show__contained_by=study.categories).exists():
        return None
    return Lack(
        _("Some pairs may show harm that the study’s consent does not list. These pairs are not served."),
        (_("Select the harms that videos may show"), reverse("studies:consent", args=[study.slug])),
    )
