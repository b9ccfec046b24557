"""The cache of a data set hub, where each file of a snapshot is a link to a file in `blobs`.

    datasets--x--SafeSora/snapshots/<revision>/videos/a.mp4 -> ../../../blobs/<hash>

The blobs lie outside the snapshot that is imported, so links into them are followed on purpose, and no others.
"""

from pathlib import Path

from django.conf import settings

from diptych.refusals import Refused

SNAPSHOTS, BLOBS = "snapshots", "blobs"


def snapshot(folder: Path) -> Path:
    """Return the snapshot of the repository in a folder of the cache, or a folder that is no such as it is.

    Raises Refused where there are several, and nothing says which is meant.
    """
    if not folder.is_dir():
        return folder
    repositories = sorted(one for one in folder.glob("datasets--*") if (one / SNAPSHOTS).is_dir())
    if len(repositories) > 1:
        raise Refused(f"{folder.name} has several data sets: {', '.join(one.name for one in repositories)}. Give one.")
    if repositories and not repositories[0].is_symlink():
        folder = repositories[0]
    if not ((folder / SNAPSHOTS).is_dir() and (folder / BLOBS).is_dir()):
        return folder
    revisions = sorted(entry for entry in (folder / SNAPSHOTS).iterdir() if entry.is_dir() and not entry.is_symlink())
    if len(revisions) == 1:
        return revisions[0]
    names = ", ".join(revision.name for revision in revisions)
    raise Refused(
        f"{folder.name} has {len(revisions) or 'no'} snapshots{': ' + names if names else ''}. Give the path of one "
        f"of them, {folder.name}/{SNAPSHOTS}/<revision>."
    )


def followed(path: Path) -> Path:
    """Return where a path leads. A link of a snapshot keeps its own name and place, which the blob does not have.

    Raises OSError where it leads nowhere, RuntimeError for links in a circle, and ValueError for NUL.
    """
    target, folder = path.resolve(strict=True), path.parent.resolve()
    into = blobs(folder)
    return folder / path.name if into is not None and target.is_relative_to(into) else target


def blobs(root: Path) -> Path | None:
    """Return the folder that links in a snapshot lead into; None if the resolved root is not in one.

    Where the root lies in a folder that is open to imports, the blobs must lie in one too.
    """
    for revision in (root, *root.parents):
        repository = revision.parent.parent
        if revision.parent.name != SNAPSHOTS or not (repository / BLOBS).is_dir():
            continue
        open_to_imports = [folder.resolve() for folder in settings.IMPORT_ROOTS]
        if not any(root.is_relative_to(folder) for folder in open_to_imports):
            return repository / BLOBS  # the command line reads everything
        return repository / BLOBS if any((repository / BLOBS).is_relative_to(one) for one in open_to_imports) else None
    return None
