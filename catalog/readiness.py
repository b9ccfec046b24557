"""Which pairs can be served: those whose videos are both ready. Others wait, or are held for a video that failed."""

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
    """Pairs in which one of the videos is one of these assets."""
    return Q(video_0__asset__in=assets) | Q(video_1__asset__in=assets)


def lock_pairs(assets: list[int]) -> QuerySet[Pair]:
    """The pairs of these assets, locked in the order of their keys until the transaction ends.

    Whoever changes the state of an asset writes that first, then locks the pairs, and reads the state of both
    assets of a pair in a later statement: of two who finish the two videos of one pair at the same moment, the
    second then sees what the first wrote.
    """
    locked = Pair.objects.filter(pairs_of(assets)).order_by("pk").select_for_update(of=("self",))
    return Pair.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))


def settle_pairs(asset: Asset) -> None:
    """Brings `ready` and `held` of the asset's pairs in line with the state of their two assets."""
    settle(lock_pairs([asset.pk]))


def settle(pairs: QuerySet[Pair]) -> None:
    """Marks those of `pairs` whose assets are both ready, those that look alike, and holds those with a failed one."""
    ready = pairs.filter(ready=False, video_0__asset__state="done", video_1__asset__state="done")
    if Pair.objects.filter(pk__in=ready.values("pk")).update(ready=True):
        mark_look_alikes(pairs)
    broken = pairs.filter(Q(video_0__asset__state="failed") | Q(video_1__asset__state="failed"), held="")
    Pair.objects.filter(pk__in=broken.values("pk")).update(held=MEDIA_FAILED)


def follow_asset(*, asset: Asset, state: str, reason: str, **_: Any) -> None:
    """Receiver of `asset_finished`: settle the asset's pairs, and record in each study that a video failed."""
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
    """Return what to say if a pair may show harm that people are not asked about: it is never served."""
    if len(study.categories) == len(HARM_KEYS):
        return None
    if not Pair.objects.filter(study=study).exclude(may_show__contained_by=study.categories).exists():
        return None
    return Lack(
        _("Some pairs may show harm that the study’s consent does not list. These pairs are not served."),
        (_("Select the harms that videos may show"), reverse("studies:consent", args=[study.slug])),
    )
