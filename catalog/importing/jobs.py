"""Imports as jobs: asked for, begun, cancelled, and asked for again. `working` does them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from catalog import tasks
from catalog.importing import sources, uploads
from catalog.importing.following import bad_rows_file
from catalog.importing.laying_out import SourceTrouble
from catalog.importing.pairing import PairChoice
from catalog.importing.uploads import upload_name
from catalog.importing.working import COMMAND, FINISHED, claim, process, run, said
from catalog.models import Import, Study, Upload

__all__ = [
    "JobTrouble",
    "again",
    "ask",
    "bad_rows_file",
    "begin",
    "cancel",
    "claim",
    "process",
    "run",
    "upload_name",
]

#: What an import may be told, each with what it must be.
WHOLE_NUMBERS = {"batch_size": (1, 100_000), "overlap": (1, 100), "seed": (-(2**63), 2**63 - 1)}
SWITCHES = ("skip_bad", "dry_run")


class JobTrouble(Exception):
    """What was asked of an import cannot be; `str()` says why."""


def ask(study: Study, *, source: str, location: str = "", options: Mapping[str, Any], actor: User | None) -> Import:
    """A new import: waiting for a worker, or collecting the uploads that it is to read. Raises JobTrouble."""
    told = checked_options(options)
    if source == Import.Source.SERVER:
        location = _permitted(location)
    elif source != Import.Source.UPLOAD or location:
        raise JobTrouble(_("An import is of a location on the server, or of uploads."))
    collects = source == Import.Source.UPLOAD
    with transaction.atomic():
        job = Import.objects.create(
            study=study,
            source=source,
            location=location,
            options=told,
            state=Import.State.COLLECTING if collects else Import.State.WAITING,
            asked_by=actor,
        )
        _record_asked(job, actor)
        if not collects:
            _tell_workers(job)
    return job


def begin(job: Import, *, actor: User | None) -> None:
    """Lets an import begin that has collected its uploads; one that has begun already goes on. Raises JobTrouble."""
    with transaction.atomic():
        there = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
        if there.state in (Import.State.WAITING, Import.State.RUNNING):
            return
        if there.state != Import.State.COLLECTING:
            raise JobTrouble(_("This import has ended. Ask for it again."))
        _refuse_incomplete(there)
        there.state = Import.State.WAITING
        there.save(update_fields=["state"])
        collected = uploads.collected(there)
        after = {"files": collected.files, "bytes": collected.bytes}
        audit.record("import.begun", there, actor=actor, study_slug=job.study.slug, after=after)
        _tell_workers(there)


def cancel(job: Import, *, actor: User | None) -> None:
    """Ends an import that waits or collects at once, and one that runs at its next step. Twice is harmless."""
    now = timezone.now()
    idle, running = (Import.State.COLLECTING, Import.State.WAITING), Import.State.RUNNING
    with transaction.atomic():
        there = Import.objects.filter(pk=job.pk)
        if there.filter(state__in=idle).update(
            state=Import.State.CANCELLED, cancel_asked_at=now, finished_at=now, heartbeat_at=None
        ) or there.filter(state=running, cancel_asked_at=None).update(cancel_asked_at=now):
            audit.record("import.cancelled", job, actor=actor, study_slug=job.study.slug)


def again(job: Import, *, actor: User | None, options: Mapping[str, Any] | None = None) -> Import:
    """The import asked for anew, with its options or with these. Raises JobTrouble.

    What lies on the server is a new import. Uploads lie under the import's own name, so theirs is the same row once
    more; if they are gone by now, it collects them again.
    """
    told = dict(job.options) if options is None else checked_options(options)
    told.pop(COMMAND, None)
    with transaction.atomic():
        there = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
        if there.state not in FINISHED:
            raise JobTrouble(_("This import has not ended yet."))
        if there.source == Import.Source.SERVER:
            return ask(job.study, source=there.source, location=there.location, options=told, actor=actor)
        whole = uploads.collected(there).is_complete
        there.state = Import.State.WAITING if whole else Import.State.COLLECTING
        there.options, there.asked_by, there.reason, there.report, there.bad_rows = told, actor, "", None, 0
        there.cancel_asked_at = there.started_at = there.finished_at = there.heartbeat_at = None
        there.attempts = 0
        there.save()
        _record_asked(there, actor)
        if whole:
            _tell_workers(there)
    return there


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What an import is told, without what says nothing. Raises JobTrouble."""
    told = said(options)
    for name, value in told.items():
        if name == "pairs":
            _check_pairs(value)
        elif name in WHOLE_NUMBERS:
            least, most = WHOLE_NUMBERS[name]
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                sentence = _("%(name)s must be a whole number from %(least)s to %(most)s.")
                raise JobTrouble(sentence % {"name": name, "least": least, "most": most})
        elif name in SWITCHES:
            if value is not True:
                raise JobTrouble(_("%(name)s must be true or false.") % {"name": name})
        elif name not in ("title", COMMAND):
            known = ", ".join(["pairs", *WHOLE_NUMBERS, *SWITCHES])
            raise JobTrouble(_("%(name)s is no option; these are: %(known)s.") % {"name": name, "known": known})
    return told


def _check_pairs(value: Any) -> None:
    try:
        PairChoice.parse(str(value))
    except ValueError:
        raise JobTrouble(_("pairs must be all, listed or random:N with N of 1 or more.")) from None


def _permitted(location: str) -> str:
    if not location.strip():
        raise JobTrouble(_("Say where it lies."))
    try:
        return sources.permitted(location)
    except SourceTrouble as trouble:
        raise JobTrouble(str(trouble)) from trouble


def _refuse_incomplete(job: Import) -> None:
    """Raises JobTrouble unless there are uploads and each is whole."""
    if not Upload.objects.filter(import_job=job).exists():
        raise JobTrouble(_("Nothing was uploaded yet."))
    upload = uploads.incomplete(job).first()
    if upload is not None:
        values = {"path": upload.path, "received": upload.received, "size": upload.byte_size}
        raise JobTrouble(_("%(path)s is not whole yet: %(received)s of %(size)s bytes are here.") % values)


def _record_asked(job: Import, actor: User | None) -> None:
    after = {"source": job.source, "location": job.location, "options": job.options}
    audit.record("import.asked", job, actor=actor, study_slug=job.study.slug, after=after)


def _tell_workers(job: Import) -> None:
    transaction.on_commit(lambda: tasks.announce_imports([job.pk]))
