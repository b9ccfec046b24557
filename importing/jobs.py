"""Start imports, cancel them, and start them again. `job_work` does the work."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from diptych.refusals import BadInput, Refused
from importing import uploads
from importing.job_progress import COMMAND, POLICY
from importing.job_work import given
from importing.models import Import, Upload
from importing.pairing import PairChoice
from jobs import engine
from sources import locations
from sources.name_encodings import CODE_PAGES
from studies.models import Study

#: Options of an import, with the least and the most of each number.
WHOLE_NUMBERS = {"batch_size": (1, 100_000), "overlap": (1, 100), "seed": (-(2**63), 2**63 - 1)}
SWITCHES = ("skip_bad", "dry_run")
#: The code of a refusal because of the import's present state.
NOT_YET = "not_yet"


def ask(study: Study, *, source: str, location: str = "", options: Mapping[str, Any], actor: User | None) -> Import:
    """Return a new import, which waits for a worker or collects uploads. Raises Refused."""
    checked = checked_options(options)
    if source == Import.Source.SERVER:
        location = _permitted(location)
    elif source != Import.Source.UPLOAD or location:
        raise _unusable(_("An import needs either a location on the server or uploaded files, and not both."))
    collects = source == Import.Source.UPLOAD
    with transaction.atomic():
        job = Import.objects.create(
            study=study,
            source=source,
            location=location,
            options=checked,
            state=Import.State.COLLECTING if collects else Import.State.WAITING,
            asked_by=actor,
        )
        _record_asked(job, actor)
        if not collects:
            engine.announce(POLICY, job.pk)
    return job


def begin(job: Import, *, actor: User | None) -> None:
    """Start an import whose uploads are complete. One that has started already is not changed. Raises Refused."""
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
        if locked.state in (Import.State.WAITING, Import.State.RUNNING):
            return
        if locked.state != Import.State.COLLECTING:
            raise Refused(_("This import has ended. Start it again."), NOT_YET)
        _refuse_incomplete(locked)
        locked.state = Import.State.WAITING
        locked.save(update_fields=["state"])
        collected = uploads.collected(locked)
        after = {"files": collected.files, "bytes": collected.bytes}
        audit.record("import.begun", locked, actor=actor, study_slug=job.study.slug, after=after)
        engine.announce(POLICY, locked.pk)


def cancel(job: Import, *, actor: User | None) -> None:
    """Cancel an import: immediately if it waits or collects, at its next step if it runs. It can be repeated."""
    with transaction.atomic():
        if engine.cancel(POLICY, job.pk):
            audit.record("import.cancelled", job, actor=actor, study_slug=job.study.slug)


def again(job: Import, *, actor: User | None, options: Mapping[str, Any] | None = None) -> Import:
    """Start an import again, with its own options or with these. Return the import. Raises Refused.

    For a location on the server this is a new import. Uploads belong to their import, so it is the same row again. If
    the uploads were deleted, it collects them again.
    """
    used = dict(job.options) if options is None else checked_options(options)
    used.pop(COMMAND, None)
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True).get(pk=job.pk)
        if locked.is_open:
            raise Refused(_("This import has not ended yet."), NOT_YET)
        if locked.source == Import.Source.SERVER:
            return ask(job.study, source=locked.source, location=locked.location, options=used, actor=actor)
        is_complete = uploads.collected(locked).is_complete
        state = Import.State.WAITING if is_complete else Import.State.COLLECTING
        fresh = {"options": used, "asked_by": actor, "report": None, "bad_rows": 0, "undone_at": None}
        engine.resume(Import.objects.filter(pk=locked.pk), state=state, **fresh)
        locked.refresh_from_db()
        _record_asked(locked, actor)
        if is_complete:
            engine.announce(POLICY, locked.pk)
    return locked


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that have a value. Raises Refused for an option that is unknown or wrong."""
    checked = given(options)
    for name, value in checked.items():
        if name == "pairs":
            _check_pairs(value)
        elif name in WHOLE_NUMBERS:
            least, most = WHOLE_NUMBERS[name]
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                sentence = _("%(name)s must be a whole number from %(least)s to %(most)s.")
                raise _unusable(sentence % {"name": name, "least": least, "most": most})
        elif name == "name_encoding":
            if value not in CODE_PAGES:
                sentence = _("%(name)s must be one of %(known)s.")
                raise _unusable(sentence % {"name": name, "known": ", ".join(CODE_PAGES)})
        elif name in SWITCHES:
            if value is not True:
                raise _unusable(_("%(name)s must be true or false.") % {"name": name})
        elif name not in ("title", COMMAND):
            known = ", ".join(["pairs", "name_encoding", *WHOLE_NUMBERS, *SWITCHES])
            raise _unusable(
                _("%(name)s is not an option. The options are: %(known)s.") % {"name": name, "known": known}
            )
    return checked


def _check_pairs(value: Any) -> None:
    try:
        PairChoice.parse(str(value))
    except ValueError:
        raise _unusable(_("pairs must be all, listed or random:N with N of 1 or more.")) from None


def _unusable(sentence: str) -> BadInput:
    return BadInput(sentence, field="location")


def _permitted(location: str) -> str:
    if not location.strip():
        raise _unusable(_("Enter the path or address of the material."))
    try:
        return locations.permitted(location)
    except Refused as trouble:
        raise _unusable(str(trouble)) from trouble


def _refuse_incomplete(job: Import) -> None:
    """Raise Refused unless there are uploads and all of them are complete."""
    if not Upload.objects.filter(import_job=job).exists():
        raise Refused(_("No files were uploaded yet. Upload files first."), NOT_YET)
    upload = uploads.incomplete(job).first()
    if upload is not None:
        values = {"path": upload.path, "received": upload.received, "size": upload.byte_size}
        sentence = _("%(path)s is not fully uploaded: %(received)s of %(size)s bytes have arrived.")
        raise Refused(sentence % values, NOT_YET)


def _record_asked(job: Import, actor: User | None) -> None:
    after = {"source": job.source, "location": job.location, "options": job.options}
    audit.record("import.asked", job, actor=actor, study_slug=job.study.slug, after=after)
