"""Where an import's material comes from, made into a manifest or a folder that `import_study` reads.

A folder, a manifest, an archive or an address in S3; on the server below one of IMPORT_ROOTS, or uploaded. What has to
be unpacked, fetched or laid out goes into a scratch folder.
"""

import os
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from diptych.refusals import Refused
from importing import archives, inside, s3, safesora, uploads
from importing.layout import Layout, innermost, stamp, taken
from importing.models import Import, Upload
from importing.progress import Progress
from importing.study import MANIFEST


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
        raise Refused(_("No folder of this server is open to imports. Ask who runs it to set IMPORT_ROOTS."))
    for root in roots:
        try:
            path = (root / location).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if any(path.is_relative_to(one) for one in roots):
            return str(path)
    sentence = _("“%(location)s” is not there, or lies outside the folders that imports may read: %(roots)s.")
    raise Refused(sentence % {"location": location[:200], "roots": ", ".join(map(str, roots))})


def followed(location: str) -> str:
    """Return the location with its links followed, for the command line, which may read everything."""
    return location if s3.is_address(location) else str(Path(location).resolve())


def bring(location: str, folder: Path, progress: Progress) -> Path:
    """What lies at the resolved location, ready to be read; `folder` takes what has to be made for that.

    Raises Refused, and OSError for trouble that may pass.
    """
    path = s3.fetch(location, folder / "s3", progress) if s3.is_address(location) else Path(location)
    return _readable(path, folder, progress)


def lay_out(job: Import, folder: Path, progress: Progress) -> Path:
    """The job's uploaded files under the names that they came with, ready to be read.

    Raises Refused, and OSError for trouble that may pass.
    """
    files = list(Upload.objects.filter(import_job=job).order_by("path"))
    progress.begin("Laying out uploads", len(files))
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
    return _readable(only if only and archives.is_archive(only.name) else innermost(layout.root), folder, progress)


def _readable(path: Path, folder: Path, progress: Progress) -> Path:
    if _is_file(path) and archives.is_archive(path.name):
        archives.unpack(path, folder / "unpacked", progress)
        path = innermost(folder / "unpacked")
    if _is_file(path) and safesora.is_config(path):
        raise Refused(
            f"{path.name} is one file of the SafeSora layout. Give the folder that has it and “videos” below it."
        )
    manifest = _manifest(path)
    if manifest is None:
        return path
    try:
        local = s3.localised(manifest, folder / "manifest", progress)
    except inside.FileTrouble as trouble:  # it was replaced by a link since it was found
        raise Refused(f"{trouble}.") from trouble
    return path if local == manifest == path / MANIFEST else local


def _manifest(path: Path) -> Path | None:
    """The manifest at the path: itself, the one in the folder, or the only JSONL file there whatever it is called.

    Raises Refused for a link of that name that leads out of the folder.
    """
    if _is_file(path):
        return path
    if not path.is_dir():
        return None
    try:
        if os.path.lexists(path / MANIFEST):
            inside.resolved(path, MANIFEST)
            return path / MANIFEST if _is_file(path / MANIFEST) else None
        found = inside.entries(path, path)
    except inside.FileTrouble as trouble:
        raise Refused(f"{trouble}.") from trouble
    listed = [path / entry.name for entry in found if entry.is_folder is False and entry.name.endswith(".jsonl")]
    return listed[0] if len(listed) == 1 else None


def _is_file(path: Path) -> bool:
    """Whether it is a plain file; what cannot be looked at, reading it will complain of."""
    try:
        return path.is_file()
    except OSError:
        return False
