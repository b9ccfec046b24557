"""Files that a browser uploads into an import: pieces in storage, and rows that count the received bytes.

A piece is stored under the file's name and the offset of its first byte. One conditional UPDATE raises the row's count
and locks the row. The piece is stored under that lock, and the count is committed afterwards. Therefore:

* If two requests send the same piece, only one writes. The other one learns how many bytes have arrived.
* A kill in between leaves a piece that no count covers. The next piece from that offset replaces it.
* Counted bytes are never written again, so pieces follow each other without gap or overlap.

Pieces are whole files under names of their own. So they work in S3 as in a folder, although S3 cannot append to a file.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import IO, NamedTuple

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from diptych.refusals import Refused
from importing.models import Import, Upload
from sources import locations
from sources.archives import is_archive
from sources.layout import MOST_DEPTH, MOST_NAME_BYTES, MOST_PART_BYTES, Layout, innermost, name_taken, stamp
from sources.locations import Material
from sources.progress import Progress
from sources.sentences import Sentence

#: The most bytes of one piece in storage. A request can bring many pieces, or the whole file.
PIECE_BYTES = 8 * 1024 * 1024


#: The HTTP status of each code with which a file or a piece is refused. 410 tells a client not to try again.
STATUS = {
    "name": 400,
    "offset": 409,
    "another_length": 409,
    "too_many": 409,
    "removed": 410,
    "not_collecting": 410,
    "too_large": 413,
    "too_much": 413,
    "storage_full": 507,
    "not_whole": 409,
}


def refused(sentence: str, code: str) -> Refused:
    """Return the refusal of a file, or of a piece of it."""
    return Refused(sentence, code, status=STATUS[code])


class WrongOffset(Refused):
    """The piece does not begin at the end of the file. `received` bytes have arrived."""

    def __init__(self, received: int) -> None:
        super().__init__(
            _("%(count)s bytes of this file have arrived. Continue from there.") % {"count": received}, "offset"
        )
        self.received = received


class Collected(NamedTuple):
    """Numbers of an import's files and bytes, and of those that have arrived."""

    files: int
    complete: int
    bytes: int
    received: int

    @property
    def is_complete(self) -> bool:
        return 0 < self.files == self.complete


def collected(job: Import) -> Collected:
    """Return the counts of the import's files, with one query."""
    sums = Upload.objects.filter(import_job=job).aggregate(
        files=Count("pk"),
        complete=Count("pk", filter=Q(received=F("byte_size"))),
        bytes=Sum("byte_size", default=0),
        received=Sum("received", default=0),
    )
    return Collected(**sums)


def checked_path(name: str) -> str:
    """Return a file's path in the form `folder/file`. Raises Refused if it cannot be used."""
    parts = name.split("/")
    if not name or len(name.encode()) > MOST_NAME_BYTES or any(len(part.encode()) > MOST_PART_BYTES for part in parts):
        wrong = _("it is empty, or too long")
    elif len(parts) > MOST_DEPTH:
        wrong = _("it is in too many nested folders")
    elif any(unicodedata.category(sign) == "Cc" for sign in name) or "\\" in name:
        wrong = _("it has a backslash or a control character")
    elif not parts[0] or re.match("[A-Za-z]:", name):
        wrong = _("it is an absolute path")
    elif not {"", ".", ".."}.isdisjoint(parts):
        wrong = _("it has an empty part, “.” or “..”")
    else:
        return name
    shown = "".join(sign if sign.isprintable() else "�" for sign in name[:200])
    raise refused(_("The name “%(name)s” cannot be used: %(wrong)s.") % {"name": shown, "wrong": wrong}, "name")


@transaction.atomic
def create(job: Import, name: str, byte_size: int, *, is_path: bool = True) -> tuple[Upload, bool]:
    """Return the file of that name in the import, and whether it is new.

    A path belongs to one file: announced twice, it exists once. Without `is_path` the name can belong to several files.
    A name that is taken gets a number then, as in `clip (2).mp4`, so that no file is lost. Raises Refused.
    """
    path = checked_path(name)
    if byte_size > settings.UPLOAD_MOST_BYTES:
        most = settings.UPLOAD_MOST_BYTES // 10**6
        raise refused(_("%(name)s is longer than %(most)s MB.") % {"name": path, "most": most}, "too_large")
    _lock_collecting(job)
    for candidate in [path] if is_path else _numbered(path):
        existing = Upload.objects.filter(import_job=job, path=candidate).first()
        if existing is None:
            _refuse_too_many(job)
            values = {"byte_size": byte_size}
            existing, is_new = Upload.objects.get_or_create(import_job=job, path=candidate, defaults=values)
            if is_new:
                return existing, True
        if is_path:
            return _announced_before(existing, byte_size), False
    raise AssertionError("unreachable: there is always another number")


def _announced_before(existing: Upload, byte_size: int) -> Upload:
    """Return the file that was announced before. Raises Refused if it has another length."""
    if existing.byte_size != byte_size:
        sentence = _("%(name)s was already uploaded with another length. Remove it first, or rename this file.")
        raise refused(sentence % {"name": existing.path}, "another_length")
    return existing


def _numbered(name: str) -> Iterator[str]:
    """Yield the name, and then the name with each number from 2 on before its ending."""
    yield name
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    for number in count(2):
        yield checked_path(f"{stem} ({number}){dot}{ending}")


def _refuse_too_many(job: Import) -> None:
    """Raise Refused if the import has the most files that it can have.

    They are counted without a lock, so a few concurrent ones can exceed the limit. It protects against thousands.
    """
    if Upload.objects.filter(import_job=job).count() >= settings.UPLOAD_MOST_FILES:
        advice = _("An import can have at most %(most)s files. Put more files into an archive.")
        raise refused(advice % {"most": settings.UPLOAD_MOST_FILES}, "too_many")


def refuse_too_much(upload: Upload, end: int) -> None:
    """Raise Refused if bytes up to `end` would make the file longer than announced."""
    if end > upload.byte_size:
        sentence = _("%(name)s was announced with %(bytes)s bytes. This piece would make it longer.")
        raise refused(sentence % {"name": upload.path, "bytes": upload.byte_size}, "too_much")


def receive(upload: Upload, offset: int, piece: IO[bytes], size: int) -> int:
    """Store `size` bytes that begin at `offset`. Return how many bytes of the file have arrived.

    `piece` is complete and at its start. Raises WrongOffset, Refused, and OSError if storage fails.
    """
    end = offset + size
    refuse_too_much(upload, end)
    with transaction.atomic():
        _lock_collecting(upload.import_job)
        existing = Upload.objects.filter(pk=upload.pk)
        if size and existing.filter(received=offset).update(received=end):
            default_storage.save(_piece(upload, offset), File(piece))
            return end
        received = existing.values_list("received", flat=True).first()
        if received is None:
            raise refused(_("This file was removed from the import."), "removed")
        if received != offset:
            raise WrongOffset(received)
        return offset


def remove(upload: Upload) -> None:
    """Remove a file from an import that still collects files. Raises Refused."""
    with transaction.atomic():
        _lock_collecting(upload.import_job)
        Upload.objects.filter(pk=upload.pk).delete()
        transaction.on_commit(lambda: _delete_pieces(upload))


def discard(job: Import) -> None:
    """Delete the import's uploaded files from storage and keep their rows. It can be repeated after a kill."""
    for upload in Upload.objects.filter(import_job=job).iterator():
        _delete_pieces(upload)


def assemble(upload: Upload, target: Path) -> None:
    """Write the whole file to `target`, and replace what is there. Raises Refused and OSError."""
    written = 0
    with target.open("wb") as file:
        while written < upload.byte_size:
            before = written
            try:
                with default_storage.open(_piece(upload, written)) as piece:
                    for block in piece.chunks():
                        written += file.write(block)
            except FileNotFoundError:
                pass
            if written == before:
                break
    if written != upload.byte_size:
        template = gettext_noop("%(name)s is incomplete in storage: %(written)s of %(bytes)s bytes. Upload it again.")
        values = {"name": upload.path, "written": written, "bytes": upload.byte_size}
        raise refused(Sentence(template, **values), "not_whole")


def upload_name(upload: Upload) -> str:
    """Return the folder of the file's pieces in storage."""
    return f"imports/{upload.import_job.public_id}/files/{upload.public_id}"


def incomplete(job: Import) -> "QuerySet[Upload]":
    """Return the files that are not fully uploaded, by name."""
    return Upload.objects.filter(import_job=job, received__lt=F("byte_size")).order_by("path")


def _piece(upload: Upload, offset: int) -> str:
    return f"{upload_name(upload)}/{offset}"


def _delete_pieces(upload: Upload) -> None:
    """Delete all pieces of a file, including pieces that no count covers."""
    name = upload_name(upload)
    try:
        _folders, pieces = default_storage.listdir(name)
    except FileNotFoundError:
        return
    for piece in pieces:
        default_storage.delete(f"{name}/{piece}")
    default_storage.delete(name)  # the empty folder, if storage has folders


def _lock_collecting(job: Import) -> None:
    """Lock the import so that it keeps collecting until the transaction ends. Others can add files meanwhile.

    Raises Refused if it does not collect files.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM importing_import WHERE id = %s FOR SHARE", [job.pk])
        found = cursor.fetchone()
    if found is None or found[0] != Import.State.COLLECTING:
        raise refused(_("This import accepts no more files."), "not_collecting")


def as_material(job: Import, folder: Path, progress: Progress, name_encoding: str = "") -> Material:
    """Return the job's uploaded files under their own names, ready to be read. New files go into `folder`.

    Raises Refused, and OSError for trouble that can pass.
    """
    files = list(Upload.objects.filter(import_job=job).order_by("path"))
    progress.begin("Preparing uploaded files", len(files))
    layout = Layout(folder / "uploaded")
    for upload in files:
        upload.import_job = job
        layout.reserve(upload.byte_size)
        target = layout.place(upload.path)
        if target.exists():
            raise name_taken(upload.path)
        assemble(upload, target)
        stamp(target, upload.created_at.timestamp())
        progress.advance()
    only = layout.root / files[0].path if len(files) == 1 else None
    path = only if only and is_archive(only.name) else innermost(layout.root)
    return locations.unpacked(path, folder, progress, name_encoding)
