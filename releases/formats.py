"""The formats of releases. Each is a module with one function `write(release, items, folder)`, registered by name.

Another app or module adds a format with `register` in `AppConfig.ready()`. Nothing else has to know it: the job, the
command, the API and the form use what is registered here.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from diptych.downloads import CopyFile
from diptych.refusals import BadInput
from releases.items import Items
from releases.models import Release, ReleaseFile

#: Writes an opened file. What it returns is what it counted on the way: numbers by name, or by name and reason.
Write = Callable[[CopyFile], Mapping[str, Any] | None]


class Folder(Protocol):
    """Where a format writes its files."""

    def add(self, path: str, write: Write, *, steps: int | None = None) -> None:
        """Write one file. `write` is called with the opened file, unless the folder has the file already.

        The manifest states what `write` counted.

        `steps` is how far the progress of this file goes; None: over all items. Raise Cancelled or TakenOver,
        DatabaseError and OSError.
        """

    def written(self) -> list[ReleaseFile]:
        """Return the files that are complete, of all formats, by path."""

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """Open a complete file to read the bytes that are published. Raise OSError."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `write` calls `folder.add` for each of its files, always in the same order with the same bytes."""

    name: str
    label: Promise
    write: Callable[[Release, Items, Folder], None]
    #: Formats are made and listed by this number.
    order: int
    #: Whether the form chooses it at first, and the command if no format is named.
    default: bool = False
    #: Formats whose files it describes, with smaller numbers. They are made too, and before it.
    needs: tuple[str, ...] = ()
    #: Whether every release has it, without being asked.
    always: bool = False


formats: dict[str, Format] = {}


def register(*more: Format) -> None:
    """Add formats. A format with the same name is replaced."""
    known = formats | {one.name: one for one in more}
    formats.clear()
    formats.update(sorted(known.items(), key=lambda one: one[1].order))


def defaults() -> list[str]:
    """Return the names of the formats that are chosen at first."""
    return [name for name, one in formats.items() if one.default]


def chosen(names: Iterable[str]) -> list[str]:
    """Return the names of these formats and of those that they need, in their order, each once. Raise BadInput."""
    wanted = set(names)
    if unknown := sorted(wanted - set(formats)):
        known = {"names": ", ".join(unknown), "known": ", ".join(formats)}
        raise BadInput(_("There is no format %(names)s. The formats are: %(known)s.") % known, field="formats")
    if not wanted:
        raise BadInput(_("Choose at least one format."), field="formats")
    wanted |= {needed for name in wanted for needed in formats[name].needs}
    return [name for name, one in formats.items() if name in wanted or one.always]
