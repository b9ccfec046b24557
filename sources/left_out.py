"""Files that imports ignore: files of operating systems, and texts such as README."""

import re
from collections import Counter

from django.utils.translation import gettext_noop as _

from sources.sentences import Sentence

#: Files that systems and programs leave in folders, in lower case.
SYSTEM_FILES = frozenset(
    {
        ".ds_store", ".apdisk", ".localized", ".directory", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db",
        "desktop.ini", "icon\r", ".gitattributes", ".gitignore", ".gitkeep",
    }
)  # fmt: skip
SYSTEM_FOLDERS = frozenset(
    {
        "__macosx", ".appledouble", ".spotlight-v100", ".trashes", ".fseventsd", ".temporaryitems",
        ".documentrevisions-v100", "$recycle.bin", "system volume information", "@eadir", ".git",
    }
)  # fmt: skip
#: The prefix of files that macOS writes on disks that cannot store a file's attributes.
APPLE_DOUBLE = "._"
_BESIDE = re.compile(
    r"(read[-_ ]?me|(?:un)?licen[cs]e|copying|notice|authors|citation|changelog|changes)([-_. ][\w. ()-]+)?",
    re.IGNORECASE,
)
#: The beginning of an Office lock file, and the end of the file in which Windows notes where a file came from.
LOCK_FILE, ZONE = "~$", ":zone.identifier"
_TEXT_ENDINGS = ("", "md", "markdown", "txt", "rst", "html", "htm", "pdf", "rtf", "docx", "cff", "bib")


def left_out(name: str) -> str:
    """Return the kind of an ignored file for the report. Return an empty string if the file can be material."""
    *folders, last = name.strip("/").split("/")
    for folder in folders:
        if folder.lower() in SYSTEM_FOLDERS:
            return folder
    if last.startswith(APPLE_DOUBLE):
        return f"{APPLE_DOUBLE}*"
    if last.lower() in SYSTEM_FILES:
        return last.strip()
    if last.startswith(LOCK_FILE):
        return f"{LOCK_FILE}*"
    if last.lower().endswith(ZONE):
        return "Zone.Identifier"
    if _BESIDE.fullmatch(last) and (last.rpartition(".")[2] if "." in last else "").lower() in _TEXT_ENDINGS:
        return _BESIDE.fullmatch(last)[1]  # type: ignore[index]  # it matched above
    return ""


def is_system_folder(name: str) -> bool:
    """Return whether a folder of this name contains no material."""
    return name.lower() in SYSTEM_FOLDERS


def in_words(counted: Counter[str]) -> Sentence:
    """Return how many files were ignored, with their kinds."""
    kinds = ", ".join(f"{kind} ({number})" for kind, number in sorted(counted.items()))
    template = _("%(count)s files that are not material were ignored: %(kinds)s.")
    if counted.total() == 1:
        template = _("%(count)s file that is not material was ignored: %(kinds)s.")
    return Sentence(template, count=counted.total(), kinds=kinds)
