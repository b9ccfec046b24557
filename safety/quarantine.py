"""Quarantine: a report hides a file from everybody immediately. A safety officer then decides on it.

The first reports of a person hide the file in every study. Further reports hold only the reported pair, until a
second person reports the same file or an officer confirms a report (decision 018).

Locks are taken in this order: the reporter, assets by key, their pairs by key. A receiver of `assets_quarantined`
ends the leases without waiting for a lock, so a report can run beside every other action. Files are moved after the
commit, under the lock of the asset. The process that reported moves them. If it was killed, the sweep does.

Nothing here deletes anything or notifies anybody outside.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import batches, readiness
from catalog.models import Pair, Video
from catalog.models.pairs import QUARANTINED
from catalog.readiness import pairs_of
from diptych.refusals import Refused
from media.models import Asset
from media.quarantined import dark
from safety import officer_notices
from safety.models import Quarantine, QuarantineAct, Referral, Report, Reporter
from safety.permissions import decides_reports, require_decides
from safety.quarantine_files import bring_back, set_apart
from safety.signals import assets_quarantined, pairs_released
from studies.models import Study

logger = logging.getLogger(__name__)
Act = QuarantineAct.Act

#: The number of unconfirmed reports of one person within this time that hide files everywhere immediately. Reports that
#: an officer confirmed do not count.
HIDING_REPORTS = 5
HIDING_REPORTS_WITHIN = timedelta(days=30)

IN_QUARANTINE = Q(video_0__asset__quarantined_at__isnull=False) | Q(video_1__asset__quarantined_at__isnull=False)


# --- A report ---------------------------------------------------------------------------------------------


@transaction.atomic
def report(pair: Pair, videos: Collection[str], *, by: User) -> list[Quarantine]:
    """Report `video_0`, `video_1` or both, and return the quarantine of each as it is afterwards.

    1. Lock the reporter. So of many simultaneous reports of one person, only the first few hide anything.
    2. Lock the assets of the videos and of their copies, which show the same. If two people report the same file
       simultaneously, the second finds the quarantine of the first.
    3. Find or open the quarantine of each asset, and mark the assets that are hidden everywhere.
    4. Hold every pair that uses these assets, or only the reported pair. The earlier reason of a hold is stored. The
       receivers of `assets_quarantined` end the leases.
    5. Write the reports. A person reports a pair once. Repeating it changes nothing, also after a release.
    6. After the commit, addresses stop working in this process immediately and in others within a second, and the files
       are moved.
    """
    reporter = _locked_reporter(by)
    keys = _with_copies([getattr(pair, f"{name}_id") for name in videos]).values("asset_id")
    assets = list(Asset.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True))
    counted = _unconfirmed_reports(by)
    reported = [_find_or_open(asset, pair, by, counted) for asset in assets]
    for one, asset in zip(reported, assets, strict=True):
        if one.is_new and one.quarantine.everywhere_at is None and (one.hides or _agreed(one.quarantine, by)):
            _mark_everywhere(one.quarantine, asset, None, reporter)
    new = [one for one in reported if one.is_new]
    if new:
        hidden = [one.quarantine.asset_id for one in new if one.quarantine.everywhere_at is not None]
        _hold(pairs_of(hidden) | Q(pk=pair.pk))
    for one in new:
        _note_report(one, pair, by, reporter)
    if new:
        officer_notices.announce_after_commit(new[0].quarantine)
    return [one.quarantine for one in reported]


def _with_copies(videos: Collection[int]) -> QuerySet[Video]:
    """Return these videos, the videos from which they were derived, and everything derived from either."""
    origins = Video.objects.filter(derived__in=videos).values("pk")
    return Video.objects.filter(
        Q(pk__in=videos) | Q(pk__in=origins) | Q(derived_from__in=videos) | Q(derived_from__in=origins)
    )


def _locked_reporter(person: User) -> Reporter:
    Reporter.objects.get_or_create(person=person)
    return Reporter.objects.select_for_update(no_key=True).get(person=person)


def _unconfirmed_reports(person: User) -> set[int]:
    """Return the quarantines that the person reported lately and no officer has confirmed. Lock the reporter before."""
    since = timezone.now() - HIDING_REPORTS_WITHIN
    unconfirmed = Report.objects.filter(person=person, reported_at__gt=since, quarantine__confirmed_at=None)
    return set(unconfirmed.values_list("quarantine", flat=True))


class ReportedAsset(NamedTuple):
    """The quarantine of one reported asset, whether this report is new, and whether it hides the file."""

    quarantine: Quarantine
    is_new: bool
    hides: bool


def _find_or_open(asset: Asset, pair: Pair, by: User, counted: set[int]) -> ReportedAsset:
    """Find or open the quarantine of a locked asset. `counted` are the reports that count against the person."""
    before = Report.objects.filter(person=by, pair=pair, quarantine__asset=asset).select_related("quarantine").last()
    present = asset.quarantines.filter(released_at=None).first()
    if before is not None:
        return ReportedAsset(present or before.quarantine, is_new=False, hides=False)
    quarantine = present or Quarantine.objects.create(asset=asset, files_settled_at=timezone.now())
    hides = len(counted - {quarantine.pk}) < HIDING_REPORTS
    if quarantine.confirmed_at is None:
        counted.add(quarantine.pk)
    return ReportedAsset(quarantine, is_new=True, hides=hides)


def _agreed(quarantine: Quarantine, by: User) -> bool:
    """Return whether a second person reported the same file, or an officer confirmed a report of it."""
    return quarantine.confirmed_at is not None or quarantine.reports.exclude(person=by).exists()


def _note_report(one: ReportedAsset, pair: Pair, by: User, reporter: Reporter) -> None:
    """Write the report, with audit rows.

    The audit row of the report has the person. The audit row of the quarantine, which officers can read, has only the
    code.
    """
    quarantine, slug = one.quarantine, pair.study.slug
    said = Report.objects.create(quarantine=quarantine, person=by, study_id=pair.study_id, pair=pair, hides=one.hides)
    after = {"quarantine": quarantine.pk, "pair": pair.pk}
    audit.record("asset.reported", said, actor=by, study_slug=slug, after=after)
    if quarantine.everywhere_at is None:
        QuarantineAct.objects.create(quarantine=quarantine, act=Act.HELD_IN_STUDY, reporter=reporter)
        audit.record("asset.held_in_study", quarantine, actor=None, study_slug=slug, after={"reporter": reporter.code})


def _mark_everywhere(quarantine: Quarantine, asset: Asset, by: User | None, reporter: Reporter | None) -> None:
    """Hide a locked asset in every study. The caller then holds its pairs. Its files are moved after the commit.

    `by` is the officer who decided it, or None if it follows from a report.
    """
    now = timezone.now()
    if asset.quarantined_at is None:  # otherwise the files of an earlier release are not back yet
        asset.quarantined_at = now
        asset.save(update_fields=["quarantined_at"])
    quarantine.everywhere_at, quarantine.files_settled_at = now, None
    quarantine.save(update_fields=["everywhere_at", "files_settled_at"])
    about = {"reporter": reporter.code} if reporter else {}
    _record(Act.QUARANTINED, quarantine, by, about | {"sha256": asset.sha256}, reporter=reporter)
    transaction.on_commit(dark.forget)
    settle_after_commit(asset.pk)


def _hold(which: Q) -> None:
    """Lock these pairs in the order of their keys, and hold them because of the quarantine."""
    locked = Pair.objects.filter(which).order_by("pk").select_for_update(of=("self",), no_key=True)
    keys = sorted(set(locked.values_list("pk", flat=True)))
    Pair.objects.filter(pk__in=keys).exclude(held=QUARANTINED).update(held_before=F("held"), held=QUARANTINED)
    assets_quarantined.send(sender=Asset, pairs=keys)


def hold_new(study: Study, first: int) -> None:
    """Hold pairs of the study, from key `first` on, that use an asset in quarantine. The caller locks the asset."""
    videos = list(Video.objects.filter(study=study, asset__quarantined_at__isnull=False).values_list("pk", flat=True))
    if videos:
        pairs = Pair.objects.filter(Q(video_0__in=videos) | Q(video_1__in=videos), study=study, pk__gte=first)
        pairs.exclude(held=QUARANTINED).update(held_before=F("held"), held=QUARANTINED)


# --- What a safety officer does -----------------------------------------------------------------------------


def reported_assets(study: Study) -> list[int]:
    """Return the few assets that were reported in this study and not released yet."""
    waiting = Report.objects.filter(study=study, quarantine__released_at=None)
    return list(waiting.values_list("quarantine__asset", flat=True).distinct())


def move_left_files(*, asset: Asset, **_: Any) -> None:
    """Receive `files_left_behind`: let the sweep move files that were stored while a report moved the others."""
    Quarantine.objects.filter(asset=asset, released_at=None).update(files_settled_at=None)


def _locked_for(quarantine: Quarantine, by: User) -> Asset:
    """Lock the asset and return it, if the person may decide about it now. Raises PermissionDenied.

    An import of the same file into another study holds a share lock until it commits. So an officer who decides here
    has waited for that import, and needs an appointment for that study too.
    """
    asset = Asset.objects.select_for_update(no_key=True).get(pk=quarantine.asset_id)
    require_decides(by, quarantine)
    quarantine.refresh_from_db()
    return asset


@transaction.atomic
def confirm(quarantine: Quarantine, by: User) -> None:
    """Confirm that the report was right. The file is then hidden everywhere, and the report no longer counts against
    its reporter.

    Repeating it changes nothing. Raises Refused if the asset was released, and PermissionDenied.
    """
    asset = _locked_for(quarantine, by)
    if quarantine.released_at is not None:
        raise Refused(_("The video was already released. Nothing was confirmed."), "released")
    _confirm(quarantine, asset, by)


def _confirm(quarantine: Quarantine, asset: Asset, by: User) -> None:
    """Confirm the reports of a locked asset."""
    if quarantine.confirmed_at is None:
        quarantine.confirmed_at = timezone.now()
        quarantine.save(update_fields=["confirmed_at"])
        _record(Act.CONFIRMED, quarantine, by, {})
    if quarantine.everywhere_at is None and quarantine.released_at is None:
        _mark_everywhere(quarantine, asset, by, None)
        _hold(pairs_of([asset.pk]))


@transaction.atomic
def note_referral(quarantine: Quarantine, by: User, *, to_whom: str, reference: str, made_at: datetime) -> None:
    """Record that an officer notified an authority, with the time and the authority's reference. This confirms the
    reports.

    Repeating it changes nothing. Raises PermissionDenied.
    """
    asset = _locked_for(quarantine, by)
    facts = {"to_whom": to_whom, "reference": reference, "made_at": made_at}
    _, is_new = Referral.objects.get_or_create(quarantine=quarantine, **facts, defaults={"noted_by": by})
    if is_new:
        _record(Act.REFERRED, quarantine, by, facts)
    _confirm(quarantine, asset, by)


@transaction.atomic
def set_legal_hold(quarantine: Quarantine, by: User, *, holds: bool, reason: str) -> None:
    """Set or lift the legal hold. Repeating it changes nothing. Setting it confirms the reports.

    Raises Refused if the asset was released, and PermissionDenied.
    """
    asset = _locked_for(quarantine, by)
    in_force = Quarantine.objects.filter(pk=quarantine.pk, released_at=None)
    changed = in_force.filter(legal_hold_since__isnull=holds).update(legal_hold_since=timezone.now() if holds else None)
    if changed:
        act = Act.LEGAL_HOLD_SET if holds else Act.LEGAL_HOLD_LIFTED
        _record(act, quarantine, by, {"reason": reason})
        if holds:
            _confirm(quarantine, asset, by)
    elif not in_force.exists():
        raise Refused(_("The video was already released. A legal hold can no longer be set."), "released")


@transaction.atomic
def record_viewing(quarantine: Quarantine, by: User) -> None:
    """Record that this person is about to view the video. Raises PermissionDenied."""
    _locked_for(quarantine, by)
    _record(Act.VIEWED, quarantine, by, {"sha256": quarantine.asset.sha256})


@transaction.atomic
def release(quarantine: Quarantine, by: User, *, reason: str) -> None:
    """Allow the file to be used again. `settle_files` first moves the files back, then changes the pairs.

    Repeating it changes nothing. Raises Refused under a legal hold, and PermissionDenied.
    """
    _locked_for(quarantine, by)
    in_force = Quarantine.objects.filter(pk=quarantine.pk, released_at=None)
    if not release_locked(quarantine, by, reason) and in_force.exists():
        raise Refused(
            _("The video is under a legal hold. Nothing was released. Lift the legal hold first."), "legal_hold"
        )


def release_locked(quarantine: Quarantine, by: User, reason: str) -> bool:
    """Release a quarantine whose asset is locked. Return False if it was released before, or is under a legal hold."""
    released = Quarantine.objects.filter(pk=quarantine.pk, released_at=None, legal_hold_since=None).update(
        released_at=timezone.now(), released_by=by, reason=reason, files_settled_at=None
    )
    if released:
        _record(Act.RELEASED, quarantine, by, {"reason": reason})
        settle_after_commit(quarantine.asset_id)
    return bool(released)


def open_reports_of(code: str, officer: User) -> QuerySet[Quarantine]:
    """Return unconfirmed and unreleased quarantines that were reported only under this code and that the officer may
    decide on.

    Quarantines that a second person reported too are left out, because they cannot be the mistake of one person.
    """
    mine = Quarantine.objects.filter(decides_reports(officer.pk), released_at=None, confirmed_at=None)
    mine = mine.filter(pk__in=Report.objects.filter(person__reporter__code=code).values("quarantine"))
    return mine.exclude(pk__in=Report.objects.exclude(person__reporter__code=code).values("quarantine"))


def _record(
    act: Act, quarantine: Quarantine, by: User | None, after: dict[str, Any], *, reporter: Reporter | None = None
) -> None:
    """Record the action for the officers, and write one audit row for each study that uses the file.

    `by` is an officer, never a reporter: officers of other studies can read these rows.
    """
    QuarantineAct.objects.create(
        quarantine=quarantine, act=act, officer=by, reporter=reporter, reason=after.get("reason", "")
    )
    action = f"asset.{act}" if act == Act.QUARANTINED else f"quarantine.{act}"
    for study in studies_of(quarantine):
        audit.record(action, quarantine, actor=by, study_slug=study.slug, after=after)


def studies_of(quarantine: Quarantine) -> QuerySet[Study]:
    """Return the studies that use the file."""
    return Study.objects.filter(videos__asset=quarantine.asset_id).distinct().order_by("pk")


# --- What follows a commit ----------------------------------------------------------------------------------


def settle_after_commit(asset_id: int) -> None:
    """Move the asset's files after the transaction has committed. The sweep repeats what fails."""

    def settle() -> None:  # a named function, because Django logs the name of what failed
        settle_files(asset_id)

    transaction.on_commit(settle, robust=True)


@transaction.atomic
def settle_files(asset_id: int) -> None:
    """Move an asset's files to where its quarantines say, and after a release restore its pairs. Repeating is harmless.

    The asset stays locked while its files, about ten, are moved. So a report and a release at the same moment cannot
    conflict. Raises OSError, which leaves the rows unchanged for the next attempt.
    """
    asset = Asset.objects.select_for_update(no_key=True).get(pk=asset_id)
    quarantines = Quarantine.objects.filter(asset=asset)
    if quarantines.filter(released_at=None, everywhere_at__isnull=False).exists():
        set_apart(asset)
    else:
        if asset.quarantined_at is not None:
            bring_back(asset)
        _lift(asset)
    quarantines.filter(files_settled_at=None).update(files_settled_at=timezone.now())
    transaction.on_commit(dark.forget)


def _lift(asset: Asset) -> None:
    """Restore the pairs of a released asset.

    Pairs stay held if their other video is in quarantine too, or if another report that nobody has decided on holds
    them.
    """
    asset.quarantined_at = None
    asset.save(update_fields=["quarantined_at"])
    reported = Report.objects.filter(quarantine__released_at=None).values("pair")
    pairs = readiness.lock_pairs([asset.pk]).filter(held=QUARANTINED)
    free = list(pairs.exclude(IN_QUARANTINE).exclude(pk__in=reported).values_list("pk", flat=True))
    # A failed video may work by now, or a working one may have failed: `readiness.settle` decides it again.
    before = Case(When(held_before=readiness.MEDIA_FAILED, then=Value("")), default=F("held_before"))
    Pair.objects.filter(pk__in=free).update(held=before, held_before="")
    pairs_released.send(sender=Asset, pairs=free)
    readiness.settle(Pair.objects.filter(pk__in=free))
    batches.ask_for_more(Pair.objects.filter(pk__in=free))


def settle_all() -> int:
    """Repeat moves that a killed process or a storage failure left unfinished. Return how many assets were settled."""
    unsettled = Quarantine.objects.filter(files_settled_at=None).values_list("asset_id", flat=True)
    settled = 0
    for asset_id in sorted(set(unsettled)):
        try:
            settle_files(asset_id)
            settled += 1
        except Exception:  # any storage may raise anything, and the other assets must not wait
            logger.exception("Files of asset %s in quarantine could not be moved; trying again later", asset_id)
    return settled
