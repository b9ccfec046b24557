"""Quarantine: a report takes bytes away from everybody at once; a safety officer looks, notes, holds or releases.

Locks are taken in this order: assets by key, their pairs by key. Leases are ended by a receiver of
`assets_quarantined` that waits for no lock, so a report may run beside anything that people do. Files are moved after
the commit, under the asset's lock, by whoever comes first: the process that reported, or the sweep for one that was
killed.

Nothing here deletes anything or tells anybody outside.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from accounts import audit
from accounts.models import User
from catalog import transcoding
from catalog.media.dark import dark
from catalog.media.setting_apart import bring_back, set_apart
from catalog.models import Asset, Pair, Quarantine, Referral, Report, Study, Video
from catalog.models.pairs import QUARANTINED
from catalog.signals import assets_quarantined

logger = logging.getLogger(__name__)

IN_QUARANTINE = Q(video_0__asset__quarantined_at__isnull=False) | Q(video_1__asset__quarantined_at__isnull=False)


class Refused(Exception):
    """The quarantine cannot be changed so; `code` is a word for programs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- A report ---------------------------------------------------------------------------------------------


@transaction.atomic
def report(pair: Pair, videos: Collection[str], *, by: User) -> list[Quarantine]:
    """Puts the bytes of `video_0`, `video_1` or both into quarantine, in every study that uses them.

    1. Lock the assets. Of two who report the same bytes at once, the second finds them in quarantine.
    2. Mark them, each with a quarantine in force, and note who reported.
    3. Lock and hold their pairs; whatever holds them now is remembered for the release.
    4. Tell the rooms above, which end the leases.
    5. After the commit addresses die here at once and elsewhere within a second, and the files move.

    Repeating it is harmless.
    """
    keys = Video.objects.filter(pk__in=[getattr(pair, f"{name}_id") for name in videos]).values("asset_id")
    assets = list(Asset.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True))
    opened = [_open(asset) for asset in assets]
    assets_quarantined.send(sender=Asset, pairs=_hold_pairs(assets))
    for quarantine, is_new in opened:
        if is_new:
            _record_in_its_studies("asset.quarantined", quarantine, by, {"sha256": quarantine.asset.sha256})
        _note_report(quarantine, pair, by)
    transaction.on_commit(dark.forget)
    for asset in assets:
        settle_after_commit(asset.pk)
    return [quarantine for quarantine, _ in opened]


def _open(asset: Asset) -> tuple[Quarantine, bool]:
    """The quarantine in force of a locked asset, and whether it is new."""
    quarantine = asset.quarantines.filter(released_at=None).first()
    if quarantine is not None:
        return quarantine, False
    if asset.quarantined_at is None:  # else a release has been decided whose files are not back yet
        asset.quarantined_at = timezone.now()
        asset.save(update_fields=["quarantined_at"])
    return Quarantine.objects.create(asset=asset), True


def _note_report(quarantine: Quarantine, pair: Pair, by: User) -> None:
    """Notes who reported, once a person."""
    said, is_new = Report.objects.get_or_create(
        quarantine=quarantine, person=by, defaults={"study_id": pair.study_id, "pair": pair}
    )
    if is_new:
        after = {"quarantine": quarantine.pk, "pair": pair.pk}
        audit.record("asset.reported", said, actor=by, study_slug=pair.study.slug, after=after)


def _hold_pairs(assets: Iterable[Asset]) -> list[int]:
    """Holds the pairs of these assets in every study; the keys of all of them."""
    pairs = transcoding.lock_pairs([asset.pk for asset in assets])
    keys = list(pairs.values_list("pk", flat=True))
    Pair.objects.filter(pk__in=keys).exclude(held=QUARANTINED).update(held_before=F("held"), held=QUARANTINED)
    return keys


def hold_new(study: Study, first: int) -> None:
    """Holds pairs of the study from key `first` on that use an asset in quarantine, which is locked by now."""
    videos = list(Video.objects.filter(study=study, asset__quarantined_at__isnull=False).values_list("pk", flat=True))
    if videos:
        pairs = Pair.objects.filter(Q(video_0__in=videos) | Q(video_1__in=videos), study=study, pk__gte=first)
        pairs.exclude(held=QUARANTINED).update(held_before=F("held"), held=QUARANTINED)


# --- What a safety officer does -----------------------------------------------------------------------------


@transaction.atomic
def note_referral(quarantine: Quarantine, by: User, *, to_whom: str, reference: str, made_at: datetime) -> None:
    """Notes that an authority was told, when, and under which reference of theirs. Repeating it changes nothing."""
    told = {"to_whom": to_whom, "reference": reference, "made_at": made_at}
    _, is_new = Referral.objects.get_or_create(quarantine=quarantine, **told, defaults={"noted_by": by})
    if is_new:
        _record_in_its_studies("quarantine.referred", quarantine, by, told)


@transaction.atomic
def set_legal_hold(quarantine: Quarantine, by: User, *, holds: bool, reason: str) -> None:
    """Sets or lifts the legal hold; repeating it changes nothing. Raises Refused if it was released."""
    in_force = Quarantine.objects.filter(pk=quarantine.pk, released_at=None)
    changed = in_force.filter(legal_hold_since__isnull=holds).update(legal_hold_since=timezone.now() if holds else None)
    if changed:
        action = "quarantine.legal_hold_set" if holds else "quarantine.legal_hold_lifted"
        _record_in_its_studies(action, quarantine, by, {"reason": reason})
    elif not in_force.exists():
        raise Refused("released")


@transaction.atomic
def record_viewing(quarantine: Quarantine, by: User) -> None:
    """Leaves the record that this person is about to see the video."""
    _record_in_its_studies("quarantine.viewed", quarantine, by, {"sha256": quarantine.asset.sha256})


@transaction.atomic
def release(quarantine: Quarantine, by: User, *, reason: str) -> None:
    """Decides that the bytes may be used again. Files come back first, then pairs (`settle_files`).

    Repeating it changes nothing. Raises Refused under a legal hold.
    """
    released = Quarantine.objects.filter(pk=quarantine.pk, released_at=None, legal_hold_since=None).update(
        released_at=timezone.now(), released_by=by, reason=reason, files_settled_at=None
    )
    if released:
        _record_in_its_studies("quarantine.released", quarantine, by, {"reason": reason})
        settle_after_commit(quarantine.asset_id)
    elif Quarantine.objects.filter(pk=quarantine.pk, released_at=None).exists():
        raise Refused("legal_hold")


def _record_in_its_studies(action: str, quarantine: Quarantine, by: User | None, after: dict[str, Any]) -> None:
    """One audit row a study that uses the bytes, so that each study's record is whole."""
    for study in studies_of(quarantine):
        audit.record(action, quarantine, actor=by, study_slug=study.slug, after=after)


def studies_of(quarantine: Quarantine) -> QuerySet[Study]:
    """The studies that use the bytes."""
    return Study.objects.filter(videos__asset=quarantine.asset_id).distinct().order_by("pk")


# --- What follows a commit ----------------------------------------------------------------------------------


def settle_after_commit(asset_id: int) -> None:
    """Moves the asset's files once the transaction is committed. The sweep repeats what fails."""

    def settle() -> None:  # by name: Django names what failed
        settle_files(asset_id)

    transaction.on_commit(settle, robust=True)


@transaction.atomic
def settle_files(asset_id: int) -> None:
    """Brings an asset's files to where its quarantines say, and after a release its pairs. Repeating is harmless.

    The asset's lock is held while its files, about ten, are moved, so a report and a release at the same moment
    cannot move them past each other. Raises OSError, which leaves the rows as they were for the next attempt.
    """
    asset = Asset.objects.select_for_update(no_key=True).get(pk=asset_id)
    quarantines = Quarantine.objects.filter(asset=asset)
    if quarantines.filter(released_at=None).exists():
        set_apart(asset)
    elif asset.quarantined_at is not None:
        bring_back(asset)
        _lift(asset)
    quarantines.filter(files_settled_at=None).update(files_settled_at=timezone.now())
    transaction.on_commit(dark.forget)


def _lift(asset: Asset) -> None:
    """Its pairs are as they were before, except those whose other video is in quarantine too."""
    asset.quarantined_at = None
    asset.save(update_fields=["quarantined_at"])
    pairs = transcoding.lock_pairs([asset.pk]).filter(held=QUARANTINED)
    free = list(pairs.exclude(IN_QUARANTINE).values_list("pk", flat=True))
    # A failed video may have been mended meanwhile, or the other way round: settling decides that anew.
    before = Case(When(held_before=transcoding.MEDIA_FAILED, then=Value("")), default=F("held_before"))
    Pair.objects.filter(pk__in=free).update(held=before, held_before="")
    transcoding.settle(Pair.objects.filter(pk__in=free))


def settle_all() -> int:
    """Repeats what a killed process, or a storage that was away, left unfinished; how many assets were settled."""
    unsettled = Quarantine.objects.filter(files_settled_at=None).values_list("asset_id", flat=True)
    settled = 0
    for asset_id in sorted(set(unsettled)):
        try:
            settle_files(asset_id)
            settled += 1
        except Exception:  # of whatever storage: the others must not wait for it
            logger.exception("Files of asset %s in quarantine could not be moved; trying again later", asset_id)
    return settled
