"""Make a release: ask for it, and do the work as a job. The items come first, then the files, then the manifest.

A worker that is killed costs time: the next one continues after the last complete file. Items are written once, so
every attempt writes the same bytes.
"""

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from psycopg.errors import DiskFull

from accounts import audit
from accounts.models import User
from diptych.database import locks
from diptych.paging import PAGE_LIMIT_S, TookTooLong, within
from diptych.refusals import BadInput, Refused
from jobs import engine, ordered
from jobs.heartbeat import heartbeat
from jobs.models import OPEN_STATES
from jobs.policy import DATABASE_TROUBLE, Policy
from jobs.progress import JobProgress, Progress
from media.stored_files import remove_half_written
from releases import differences, freezing, funnel, licence_rows, licences, manifest, options, videos
from releases.filters import Filter
from releases.folders import LocalFolder, StoredFolder
from releases.formats import Folder, chosen, formats
from releases.items import Items
from releases.models import Release, ReleaseFamily, ReleaseFile, Tombstone
from releases.models.files import FOLDER
from studies.models import Study
from webhooks import outbox

State = Release.State
LONGEST_LICENCE, LONGEST_TERMS = 80, 10_000
BUSY = gettext_noop("A release of this study is being made. Wait until it has ended, or cancel it.")
FREEZING = gettext_noop("Copying the answers")
TROUBLE = gettext_noop(
    "The database or the storage failed. If it happens again, tell your server administrator. "
    "The server’s log has details."
)
FULL = gettext_noop(
    "The server has no space left for the files of this release. Ask your server administrator to free some space. "
    "If the release has failed by then, make a new one."
)
NO_END = gettext_noop("The release was started several times but never ended. Tell your server administrator.")
WITHDRAWN_MEANWHILE = gettext_noop(
    "An answer of this release was withdrawn while it was being made. Make the release again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants a release to be."""

    filter: Filter
    licence: str
    terms: str = ""
    #: Why the release may have this licence, where the table of licences cannot decide.
    licence_reason: str = ""
    formats: Sequence[str] = field(default_factory=list)
    #: Options of formats by name, checked when the release is ordered.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: The number of the release that it follows, in whose family it will be; None: it begins a family.
    parent: int | None = None
    with_invalid: bool = False
    with_comments: bool = False
    with_times: bool = False
    #: Whether answers carry weights by the reliability of their authors.
    with_weights: bool = False


def ask(study: Study, wanted: Wanted, *, actor: User | None, announce: bool = True) -> Release:
    """Order a release. Return its job. Raise BadInput, NothingLeft, or Refused while another one is being made."""
    names = chosen(wanted.formats)
    chosen_options = options.checked(names, wanted.options)
    licence, terms = wanted.licence.strip(), wanted.terms.strip()
    if not licence or len(licence) > LONGEST_LICENCE:
        raise BadInput(_("Name the licence in up to %(n)s characters.") % {"n": LONGEST_LICENCE}, field="licence")
    if len(terms) > LONGEST_TERMS:
        raise BadInput(_("Shorten the terms to %(n)s characters.") % {"n": LONGEST_TERMS}, field="terms")
    parent, reason = _parent(study, wanted.parent), wanted.licence_reason.strip()
    if Release.objects.filter(study=study, state__in=list(OPEN_STATES)).exists():
        raise Refused(_(BUSY), "busy")
    _look_ahead(study, wanted.filter, licence, reason)
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, study.pk)
        last = Release.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
        with ordered.one_at_a_time(POLICY, _(BUSY), "busy"):
            release = Release.objects.create(
                study=study,
                number=last + 1,
                parent=parent,
                family=parent.family if parent else ReleaseFamily.objects.create(study=study),
                filter=wanted.filter.as_json(),
                formats=names,
                options=chosen_options,
                licence=licence,
                terms=terms,
                licence_reason=reason,
                with_invalid=wanted.with_invalid,
                with_comments=wanted.with_comments,
                with_times=wanted.with_times,
                with_weights=wanted.with_weights,
                asked_by=actor,
            )
        audit.record("release.asked", release, actor=actor, study_slug=study.slug, after=_about(release))
        if announce:
            engine.announce(POLICY, release.pk)
    return release


def _look_ahead(study: Study, wanted: Filter, licence: str, reason: str) -> None:
    """Refuse at once what the job would refuse. Of a very large study it is left to the job."""
    try:
        with within(PAGE_LIMIT_S):
            funnel.refuse_empty(funnel.preview(study, wanted))
            licences.require(licence, reason, licence_rows.planned(study, wanted))
    except TookTooLong:
        return


def _parent(study: Study, number: int | None) -> Release | None:
    if number is None:
        return None
    parent = Release.objects.filter(study=study, number=number, state=State.DONE).select_related("family").first()
    if parent is None:
        raise BadInput(_("This study has no complete release %(n)s.") % {"n": number}, field="parent")
    return parent


def _about(release: Release) -> dict[str, Any]:
    names = ("number", "parent_id", "filter", "formats", "options", "licence", "licence_reason")
    also = ("with_invalid", "with_comments", "with_times", "with_weights")
    return {name: getattr(release, name) for name in (*names, *also)}


def cancel(release: Release, *, actor: User) -> bool:
    """Cancel a release that is being made. Return whether anything changed. Nothing of it can be downloaded."""
    with transaction.atomic():
        changed = engine.cancel(POLICY, release.pk)
        if changed:
            audit.record("release.cancelled", release, actor=actor, study_slug=release.study.slug)
    return changed


def run(release_id: int, shown: Progress | None = None) -> None:
    """Make the release, if it waits and no other worker has it."""
    engine.run(POLICY, release_id, lambda release: work(release, shown))


def work(release: Release, shown: Progress | None = None) -> None:
    """Do the work of a claimed release and end it. Raise NothingLeft, Refused, Cancelled, TakenOver, or an error."""
    progress = JobProgress(POLICY, release, shown)
    with heartbeat(POLICY, release, progress.beat):
        if release.frozen_at is None:
            progress.begin(FREEZING, 0)
            freezing.freeze(POLICY, release)
        remove_half_written(f"{FOLDER}/{release.pk}")
        items = Items(release, progress)

        def folder(kind: str) -> Folder:
            return StoredFolder(POLICY, release, kind, progress, items.number)

        write_files(release, items, folder)
        made = manifest.of_release(release, release.files.exclude(path=manifest.PATH))
        folder("manifest").add(manifest.PATH, lambda file: manifest.write(made, file))
        _end(release, made)
    progress.end()


def write_files(release: Release, items: Items, folder: Callable[[str], Folder]) -> None:
    """Write all files but the manifest. `folder` is a function that returns the folder for a kind of files."""
    for name in release.formats:
        formats[name].write(release, items, folder(name))
    if release.parent_id:
        folder("changes").add(differences.PATH, lambda file: differences.write(release, file))


def _end(release: Release, made: dict[str, Any]) -> None:
    """End the job, unless an answer of it was withdrawn meanwhile, or one of its videos is in quarantine.

    The lock makes a withdrawal and this one come one after the other.
    """
    with transaction.atomic():
        locks.lock(locks.Key.RELEASES, release.study_id)
        if Tombstone.objects.filter(release=release).exists():
            raise Refused(WITHDRAWN_MEANWHILE)
        videos.refuse_quarantined(release)
        engine.end(POLICY, release.pk, release.fence, State.DONE, manifest=made)


def rebuild(release: Release, root: Path) -> list[str]:
    """Write the files of a release again, into a folder of this machine. Return the paths whose bytes differ.

    Raise Refused for a release that is not complete or was withdrawn, DatabaseError and OSError.
    """
    if release.state != State.DONE:
        raise Refused(_("Release %(n)s is not complete, so there is nothing to rebuild.") % {"n": release.number})
    if Tombstone.objects.filter(release=release).exists():
        raise Refused(_("Release %(n)s was withdrawn, so it cannot be rebuilt.") % {"n": release.number}, "withdrawn")
    videos.refuse_quarantined(release)
    written: list[ReleaseFile] = []

    def folder(kind: str) -> LocalFolder:
        return LocalFolder(root, release, kind, written)

    write_files(release, Items(release), folder)
    made = manifest.of_release(release, written)
    folder("manifest").add(manifest.PATH, lambda file: manifest.write(made, file))
    recorded = dict(ReleaseFile.objects.filter(release=release).values_list("path", "sha256"))
    now = {file.path: file.sha256 for file in written}
    return sorted(path for path in recorded.keys() | now.keys() if recorded.get(path) != now.get(path))


def trouble_text(error: Exception) -> str:
    """Return what the release says about an error that may pass."""
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return FULL if is_full or isinstance(error.__cause__, DiskFull) else TROUBLE


def record_outcome(release: Release) -> None:
    """Write the outcome into the audit record and tell webhooks, however the job ended."""
    after = {"state": release.state, "counts": release.counts}
    audit.record("release.ended", release, actor=release.asked_by, study_slug=release.study.slug, after=after)
    if kind := {State.DONE: "release.ready", State.FAILED: "release.failed"}.get(State(release.state)):
        outbox.record(release.study, kind, {"release": release.number, "release_id": release.pk})


POLICY = Policy(
    model=Release,
    name="Release",
    task="releases.tasks.make_release",
    final=(Refused,),
    counted=(*DATABASE_TROUBLE, OSError),
    trouble_text=trouble_text,
    tried_in_vain="%(trouble)s",
    begun_in_vain=NO_END,
    beat_every_s=1.0,
    ended=record_outcome,
)
