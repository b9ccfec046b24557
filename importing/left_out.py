"""Files beside the material that no import reads: what operating systems leave, and texts such as README."""

import re
from collections import Counter

#: What systems and programs leave in folders, in lower case.
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
#: What macOS writes beside a file on disks that cannot hold its attributes.
APPLE_DOUBLE = "._"
_BESIDE = re.compile(
    r"(read[-_ ]?me|(?:un)?licen[cs]e|copying|notice|authors|citation|changelog|changes)([-_. ][\w. ()-]+)?",
    re.IGNORECASE,
)
#: Beginnings of what an open Office file leaves, and ends of what Windows writes of where a file came from.
LOCK_FILE, ZONE = "~$", ":zone.identifier"
_TEXT_ENDINGS = ("", "md", "markdown", "txt", "rst", "html", "htm", "pdf", "rtf", "docx", "cff", "bib")


def left_out(name: str) -> str:
    """Return what the file at a path is, for the report, if no import reads it; empty if it may be material."""
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
        return _BESIDE.fullmatch(last)[1]  # type: ignore[index]  # it matched
    return ""


def is_system_folder(name: str) -> bool:
    """Return whether a folder of this name holds no material."""
    return name.lower() in SYSTEM_FOLDERS


def in_words(counted: Counter[str]) -> str:
    """Return how many files were left out, with their kinds."""
    kinds = ", ".join(f"{kind} ({number})" for kind, number in sorted(counted.items()))
    files = f"{counted.total()} files that are" if counted.total() > 1 else "1 file that is"
    return f"{files} no material {'were' if counted.total() > 1 else 'was'} left out: {kinds}."
