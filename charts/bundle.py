"""The script that draws charts in browsers, made together with the static files instead of being kept in the tree.

`vl-convert` has Vega, Vega-Lite and vega-embed in it and joins them to one script of 900 kB, 305 kB compressed. Only
pages with a chart load it (`charts/_charts.html`).
"""

import builtins
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from charts.files import VEGA_LITE

PATH = "js/made/vega.js"


@cache
def script() -> bytes:
    """Return the script, which sets `window.vegaEmbed`. It takes 2 seconds to make."""
    import vl_convert

    made = vl_convert.javascript_bundle(snippet=None, vl_version=VEGA_LITE)  # type: ignore[arg-type]  # see its manual
    return str(made).encode()


class MadeStorage(Storage):
    """A storage with one file, which is made when it is read."""

    def exists(self, name: str) -> bool:
        """Return whether this is the script."""
        return name == PATH

    def path(self, name: str) -> str:
        """Return the name: `collectstatic` only writes it into its log."""
        return name

    def get_modified_time(self, name: str) -> datetime:
        """Return when `vl-convert` was installed, so that another version replaces the script."""
        import vl_convert

        return datetime.fromtimestamp(Path(vl_convert.__file__).stat().st_mtime, UTC)

    def _open(self, name: str, mode: str = "rb") -> File:
        return ContentFile(script(), name=name)


class MadeFilesFinder(BaseFinder):
    """Finds the script for `collectstatic`."""

    storage = MadeStorage()

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        """Return the only file with its storage."""
        yield PATH, self.storage

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return nothing: the file is in no folder. Only `collectstatic` reads it."""
        return [] if find_all else None

    def check(self, **kwargs: Any) -> "builtins.list[Any]":
        """Return no problems: there is nothing to configure."""
        return []
