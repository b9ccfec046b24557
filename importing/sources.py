"""Where an import's material comes from, made into a manifest or a folder that `import_study` reads.

A folder, a manifest, an archive or an address in S3; on the server below one of IMPORT_ROOTS, or uploaded. What has to
be unpacked, fetched or laid out goes into a scratch folder.
"""

from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from diptych.refusals import Refused
from importing import archives, hub_cache, inside, s3, safesora, uploads
from importing.layout import Layout, innermost, stamp, taken
from importing.manifest_file import find_manifest
from importing.models import Import, Upload
from importing.progress import Progress
from importing.rows import SourceNotes


def permitted(location: str) -> str:
    """The location in full, if imports may read it. Raises Refused.

    Links are followed first, so none leads out of IMPORT_ROOTS. What is not there and what may not be read get one
    answer: nobody learns here what else lies on the server.
    """
    if s3.is_address(location):
        s3.permitted(location)
        return location
    roots = [root.resolve() for root in settings.IMPORT_ROOTS]
    if not roots:
        raise Refused(_("Imports cannot read any folder of this server. Ask the operator of the server to set IMPORT_ROOTS."))
    for root in roots:
        try:
            path = hub_cache.followed(root / location)
        except (OSError, RuntimeError, ValueError):
            continue
        if any(path.is_relative_to(one) for one in roots):
            return str(path)
    sentence = _("“%(location)s” does not exist, or is outside the folders that imports can read: %(roots)s.")
    raise Refused(sentence % {"location": location[:200], "roots": ", ".join(map(str, roots))})


def followed(location: str) -> str:
    """Return the location with its links followed, for the command line, which may read everything."""
    if s3.is_address(location):
        return location
    try:
        return str(hub_cache.followed(Path(location)))
    except (OSError, RuntimeError, ValueError):  # reading it says so
        return str(Path(location).resolve())


class Material(NamedTuple):
    """What is ready to be read: a manifest or a folder, and what there is to say of where it comes from."""

    path: Path
    notes: SourceNotes


def bring(location: str, folder: Path, progress: Progress, name_encoding: str = "") -> Material:
    """What lies at the resolved location, ready to be read; `folder` takes what has to be made for that.

    Raises Refused, and OSError for trouble that may pass.
    """
    path = s3.fetch(location, folder / "s3", progress) if s3.is_address(location) else Path(location)
    return _readable(path, folder, progress, name_encoding)


def lay_out(job: Import, folder: Path, progress: Progress, name_encoding: str = "") -> Material:
    """The job's uploaded files under the names that they came with, ready to be read.

    Raises Refused, and OSError for trouble that may pass.
    """
    files = list(Upload.objects.filter(import_job=job).order_by("path"))
    progress.begin("Preparing uploaded files", len(files))
    layout = Layout(folder / "uploaded")
    for upload in files:
        upload.import_job = job
        layout.take(upload.byte_size)
        target = layout.place(upload.path)
        if target.exists():
            raise taken(upload.path)
        uploads.assemble(upload, target)
        stamp(target, upload.created_at.timestamp())
        progress.advance()
    only = layout.root / files[0].path if len(files) == 1 else None
    path = only if only and archives.is_archive(only.name) else innermost(layout.root)
    return _readable(path, folder, progress, name_encoding)


def _readable(path: Path, folder: Path, progress: Progress, name_encoding: str) -> Material:
    notes = SourceNotes()
    if _is_file(path) and archives.is_archive(path.name):
        notes = archives.unpack(path, folder / "unpacked", progress, name_encoding)
        path = innermost(folder / "unpacked")
    path = hub_cache.snapshot(path)
    if _is_file(path) and safesora.is_config(path):
        raise Refused(
            f"{path.name} is one file of the SafeSora layout. Give the folder that has it and “videos” below it."
        )
    manifest = find_manifest(path)
    if manifest is None or not _is_file(manifest):
        return Material(path, notes)
    try:
        return Material(s3.localised(manifest, folder / "manifest", progress), notes)
    except inside.FileTrouble as trouble:  # it was replaced by a link since it was found
        raise Refused(f"{trouble}.") from trouble


def _is_file(path: Path) -> bool:
    """Whether it is a plain file; what cannot be looked at, reading it will complain of."""
    try:
        return path.is_file()
    except OSError:
        return False
