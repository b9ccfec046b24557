"""The cache of a data set hub, where each file of a snapshot is a link to a file in `blobs`.

    datasets--x--SafeSora/snapshots/<revision>/videos/a.mp4 -> ../../../blobs/<hash>

The blobs are outside the imported snapshot. Links into them are followed, and no other links to the outside.
"""

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop as _

from diptych.refusals import Refused
from sources.sentences import Sentence

SNAPSHOTS, BLOBS = "snapshots", "blobs"


def snapshot(folder: Path) -> Path:
    """Return the snapshot in a folder of the cache. Return any other folder unchanged.

    Raises Refused if there are several snapshots.
    """
    if not folder.is_dir():
        return folder
    repositories = sorted(one for one in folder.glob("datasets--*") if (one / SNAPSHOTS).is_dir())
    if len(repositories) > 1:
        template = _("%(folder)s has several data sets: %(names)s. Give the path of one of them.")
        names = ", ".join(one.name for one in repositories)
        raise Refused(Sentence(template, folder=folder.name, names=names))
    if repositories and not repositories[0].is_symlink():
        folder = repositories[0]
    if not ((folder / SNAPSHOTS).is_dir() and (folder / BLOBS).is_dir()):
        return folder
    revisions = sorted(entry for entry in (folder / SNAPSHOTS).iterdir() if entry.is_dir() and not entry.is_symlink())
    if len(revisions) == 1:
        return revisions[0]
    names = ", ".join(revision.name for revision in revisions)
    template = _("%(folder)s has no snapshot. Give the path of one, such as %(folder)s/%(snapshots)s/<revision>.")
    if names:
        template = _(
            "%(folder)s has several snapshots: %(names)s. Give the path of one of them, such as "
            "%(folder)s/%(snapshots)s/<revision>."
        )
    raise Refused(Sentence(template, folder=folder.name, snapshots=SNAPSHOTS, names=names))


def followed(path: Path) -> Path:
    """Return where a path leads. A link in a snapshot keeps its own name and place, which the blob does not have.

    Raises OSError if it leads nowhere, RuntimeError for links in a circle, and ValueError for NUL.
    """
    target, folder = path.resolve(strict=True), path.parent.resolve()
    into = blobs(folder)
    return folder / path.name if into is not None and target.is_relative_to(into) else target


def blobs(root: Path) -> Path | None:
    """Return the folder of a snapshot's blobs, or None if the resolved root is not in a snapshot.

    If the root is in a folder that imports can read, the blobs must be in such a folder too.
    """
    for revision in (root, *root.parents):
        repository = revision.parent.parent
        if revision.parent.name != SNAPSHOTS or not (repository / BLOBS).is_dir():
            continue
        open_to_imports = [folder.resolve() for folder in settings.IMPORT_ROOTS]
        if not any(root.is_relative_to(folder) for folder in open_to_imports):
            return repository / BLOBS  # the command line can read everything
        return repository / BLOBS if any((repository / BLOBS).is_relative_to(one) for one in open_to_imports) else None
    return None
