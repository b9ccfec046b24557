"""Turn the location of a source into a manifest or a folder that can be read.

A location is a folder, a manifest or an archive on the server below one of IMPORT_ROOTS, or an address in S3. Files
that are unpacked or downloaded go into a scratch folder.
"""

from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext_noop as _

from diptych.refusals import Refused
from sources import archives, hub_cache, inside, s3, safesora
from sources.layout import innermost
from sources.manifest_file import find_manifest
from sources.progress import Progress
from sources.rows import SourceNotes
from sources.sentences import Sentence, with_full_stop


def permitted(location: str) -> str:
    """Return the full location if imports can read it. Raises Refused.

    Links are followed first, so none leads out of IMPORT_ROOTS. The same message is used for what does not exist and
    for what must not be read, so nobody learns what else is on the server.
    """
    if s3.is_address(location):
        s3.permitted(location)
        return location
    roots = [root.resolve() for root in settings.IMPORT_ROOTS]
    if not roots:
        raise Refused(
            Sentence(
                _(
                    "Imports cannot read any folder of this server. Ask the operator of this installation to set "
                    "IMPORT_ROOTS."
                )
            )
        )
    for root in roots:
        try:
            path = hub_cache.followed(root / location)
        except (OSError, RuntimeError, ValueError):
            continue
        if any(path.is_relative_to(one) for one in roots):
            return str(path)
    template = _("“%(location)s” does not exist, or is outside the folders that imports can read: %(roots)s.")
    raise Refused(Sentence(template, location=location[:200], roots=", ".join(map(str, roots))))


def followed(location: str) -> str:
    """Return the location with its links followed, for the command line, which can read everything."""
    if s3.is_address(location):
        return location
    try:
        return str(hub_cache.followed(Path(location)))
    except (OSError, RuntimeError, ValueError):  # reading it reports this
        return str(Path(location).resolve())


class Material(NamedTuple):
    """A manifest or a folder that is ready to be read, and notes about its source."""

    path: Path
    notes: SourceNotes


def from_location(location: str, folder: Path, progress: Progress, name_encoding: str = "") -> Material:
    """Return the material at the resolved location, ready to be read. New files go into `folder`.

    Raises Refused, and OSError for trouble that can pass.
    """
    path = s3.fetch(location, folder / "s3", progress) if s3.is_address(location) else Path(location)
    return unpacked(path, folder, progress, name_encoding)


def unpacked(path: Path, folder: Path, progress: Progress, name_encoding: str) -> Material:
    """Return the material at `path`, an archive unpacked into `folder`, and a manifest with its files from S3 there.

    Raises Refused, and OSError for trouble that can pass.
    """
    notes = SourceNotes()
    if _is_file(path) and archives.is_archive(path.name):
        notes = archives.unpack(path, folder / "unpacked", progress, name_encoding)
        path = innermost(folder / "unpacked")
    path = hub_cache.snapshot(path)
    if _is_file(path) and safesora.is_config(path):
        raise Refused(
            Sentence(
                _(
                    "%(name)s is one file of the SafeSora layout. Give the folder that contains it and the "
                    "folder “videos”."
                ),
                name=path.name,
            )
        )
    manifest = find_manifest(path)
    if manifest is None or not _is_file(manifest):
        return Material(path, notes)
    try:
        return Material(s3.localised(manifest, folder / "manifest", progress), notes)
    except inside.FileTrouble as trouble:  # it was replaced by a link after it was found
        raise Refused(with_full_stop(trouble)) from trouble


def _is_file(path: Path) -> bool:
    """Return whether a path is a plain file. Reading the path reports other trouble."""
    try:
        return path.is_file()
    except OSError:
        return False
