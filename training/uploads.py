"""Store the files that a run made. A file is there with all its bytes and the stated SHA-256, or not at all."""

import tempfile
from collections.abc import Callable

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from diptych.downloads import BUFFER_BYTES, CopyFile
from diptych.refusals import BadInput, Refused
from jobs import engine
from jobs.engine import Cancelled, TakenOver
from media.stored_files import trouble_of_storage
from training.claims import taken_over
from training.finishing import CANCELLED, allowed
from training.models import Artefact, Run
from training.policy import POLICY

#: The largest file: weights of a large model with all its parameters.
MOST_BYTES = 64 * 10**9


def store(run: Run, fence: int, path: str, *, sha256: str, size: int, read: Callable[[int], bytes]) -> Artefact:
    """Store a file of a run, and return its row. Repeating it is harmless.

    The bytes are written aside first. The storage gets them once their number and their digest are right, under a name
    that has the digest, so that a broken request or an older claim never changes a file.

    Args:
        size: the number of bytes that the request announced.
        read: a function that returns up to so many bytes of the body.

    Raise BadInput, Refused (`taken_over`, `cancelled`, `too_large`) and OSError.
    """
    if not allowed(path):
        sentence = _(
            "A run uploads metrics.json, preflight.json, options.json, predictions.parquet and files in model/."
        )
        raise BadInput(sentence, field="path")
    if size > MOST_BYTES:
        raise Refused(_("The file is longer than %(n)s GB.") % {"n": MOST_BYTES // 10**9}, "too_large", status=413)
    if not engine.look(POLICY, run.pk, fence).holds:
        raise taken_over()
    if (there := Artefact.objects.filter(run=run, fence=fence, path=path).first()) and there.sha256 == sha256:
        return there
    row = Artefact(study_id=run.study_id, run=run, fence=fence, path=path, sha256=sha256, byte_size=size)
    with tempfile.TemporaryFile(buffering=BUFFER_BYTES) as file:
        copy = CopyFile(file)
        while copy.size < size and (block := _next(read, size - copy.size)):
            copy.write(block)
        if copy.size != size:
            raise BadInput(_("The file is not complete. Send it again."), "incomplete")
        if copy.sha256 != sha256:
            raise BadInput(_("The bytes of the file do not have the stated SHA-256. Send it again."), "wrong_sha256")
        file.flush()
        file.seek(0)
        with trouble_of_storage():
            default_storage.save(row.stored_name, File(file))
    with transaction.atomic():
        try:
            engine.locked(POLICY, run.pk, fence)
        except TakenOver:
            raise taken_over() from None
        except Cancelled:
            raise Refused(_("Somebody cancelled the run. Put it back."), CANCELLED) from None
        if there := Artefact.objects.filter(run=run, fence=fence, path=path).first():
            if there.sha256 != sha256:
                raise Refused(_("Another file was uploaded under this path."), "another_file")
            return there
        row.save(force_insert=True)
    return row


def _next(read: Callable[[int], bytes], most: int) -> bytes:
    """Return the next bytes of the body; none if the connection broke."""
    try:
        return read(min(BUFFER_BYTES, most))
    except OSError:  # UnreadablePostError
        return b""
