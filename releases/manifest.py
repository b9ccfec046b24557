"""The manifest of a release: what it is, what it was made from, and its files with their digests."""

from collections.abc import Iterable
from typing import Any

import orjson

from diptych.downloads import CopyFile
from releases import differences
from releases.models import Release, ReleaseFile

PATH = "manifest.json"
OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def of_release(release: Release, files: Iterable[ReleaseFile]) -> dict[str, Any]:
    """Return the manifest of a release with these files. It is the same whenever it is made."""
    assert release.frozen_at is not None  # noqa: S101 - files follow items
    parent = release.parent
    return {
        "manifest": 1,
        **{name: value for name, value in release.about.items() if name != "card"},
        "release": release.number,
        "family": release.family_id,
        "frozen_on": release.frozen_at.date().isoformat(),
        "parent": {"release": parent.number} | differences.counts(release) if parent else None,
        "licence": release.licence,
        "terms": release.terms,
        "licence_reason": release.licence_reason,
        "filter": release.filter,
        "formats": release.formats,
        "options": release.options,
        "with_invalid": release.with_invalid,
        "with_comments": release.with_comments,
        "with_times": release.with_times,
        "with_weights": release.with_weights,
        "counts": release.counts,
        "funnel": release.funnel,
        "files": [
            {"path": file.path, "kind": file.kind, "sha256": file.sha256, "bytes": file.byte_size}
            | ({"counts": file.counts} if file.counts else {})
            for file in sorted(files, key=lambda file: file.path)
        ],
    }


def write(manifest: dict[str, Any], target: CopyFile) -> None:
    """Write the manifest as JSON with sorted keys. Raise OSError."""
    target.write(orjson.dumps(manifest, option=OPTIONS))
