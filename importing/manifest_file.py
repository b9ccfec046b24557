"""Find the manifest of a folder, or say in one sentence why what lies there is none."""

from pathlib import Path

from diptych.refusals import Refused
from diptych.strict_json import readable
from importing.inside import Entry, FileTrouble, entries, resolved
from importing.left_out import left_out
from importing.safesora import configs, is_config

#: The names of a manifest that is taken before all others.
NAMES = (
    "manifest.jsonl", "manifest.jsonl.gz", "manifest.ndjson", "manifest.ndjson.gz", "manifest.json", "manifest.json.gz",
)  # fmt: skip
LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
ARRAYS = (".json", ".json.gz")
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".parquet", ".arrow")
PROMPT_FILE = "prompt.txt"


def find_manifest(path: Path) -> Path | None:
    """Return the manifest at a resolved path: itself, or of a folder the one of that name, or the only one there.

    Return None where there is none, since the folder has one of the other layouts. Raises Refused for a folder in which
    nothing says which file is the manifest, or whose manifest leads out of it, and OSError.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        return None
    found = [entry for entry in entries(path, path) if not (left_out(entry.name) or entry.name.startswith("."))]
    names = [entry.name for entry in found if entry.is_folder is not True]
    name = next((name for name in NAMES if name in names), "") or _only(names, LINES)
    if not name and not _has_other_layout(path, found):
        name = _only_one_meant(names)
    if not name:
        return None
    try:
        resolved(path, name)
    except FileTrouble as trouble:
        raise Refused(f"{readable(str(trouble))}.") from trouble
    return path / name


def _only(names: list[str], endings: tuple[str, ...]) -> str:
    of_kind = [name for name in names if name.lower().endswith(endings)]
    return of_kind[0] if len(of_kind) == 1 else ""


def _has_other_layout(path: Path, found: list[Entry]) -> bool:
    """Return whether a subfolder is a prompt, or the folder is laid out as SafeSora is published."""
    return any(entry.is_folder and (path / entry.name / PROMPT_FILE).exists() for entry in found) or bool(configs(path))


def _only_one_meant(names: list[str]) -> str:
    """Return the manifest of a folder that has no other layout. Raises Refused where it cannot be known."""
    meant = [name for name in names if name.lower().endswith(LINES)]
    meant = meant or [name for name in names if name.lower().endswith(ARRAYS) and not is_config(Path(name))]
    if len(meant) > 1:
        shown = ", ".join(map(readable, meant[:5]))
        raise Refused(f"Several files may be the manifest: {shown}. Call the right one {NAMES[0]}, or give its path.")
    tables = [name for name in names if name.lower().endswith(TABLES)]
    if tables and not meant:
        raise Refused(
            f"{readable(tables[0])} is a table, and a manifest is JSON Lines: one JSON object a line. Write it so, and "
            f"call it {NAMES[0]}."
        )
    return meant[0] if meant else ""
