"""The data card, which every release has: `card.md`, `card.html`, `card.json`, CITATION.cff, and the guideline.

`card.json` has all numbers of the card and of the figures. The other files are made of it.
"""

from functools import cache, partial
from typing import Any

import orjson
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from diptych.downloads import CopyFile
from release_card import stored_card
from releases.formats import Folder, Format
from releases.items import Items
from releases.models import Release

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the files of the card. The numbers are made once, and only if a file is not written yet."""
    from release_card import documents, numbers  # these load numpy, which only jobs need

    @cache
    def found() -> dict[str, Any]:
        made: dict[str, Any] = orjson.loads(orjson.dumps(numbers.of_release(release, items)))
        return made

    @cache
    def said() -> str:
        return documents.markdown(found())

    folder.add(stored_card.PATH, lambda file: _write(orjson.dumps(found(), option=OPTIONS), file))
    with translation.override("en"):
        folder.add("card.md", lambda file: _write(said().encode(), file))
        folder.add("card.html", lambda file: _write(documents.html(found(), said()).encode(), file))
    folder.add("CITATION.cff", lambda file: _write(documents.citation(found()).encode(), file))
    for guideline in numbers.guidelines(release):
        folder.add(numbers.path_of(guideline), partial(_write, guideline.text.encode()))


def _write(content: bytes, file: CopyFile) -> None:
    file.write(content)


FORMAT = Format(stored_card.FORMAT, _("Data card"), write, order=20, always=True)
