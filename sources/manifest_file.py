"""Find the manifest of a folder, or explain in one sentence why a file is not a manifest."""

from pathlib import Path

from django.utils.translation import gettext_noop as _

from diptych.refusals import Refused
from diptych.strict_json import readable
from diptych_client.release_folder.folder import is_release_folder
from sources.inside import Entry, FileTrouble, entries, resolved
from sources.left_out import left_out
from sources.safesora import configs, is_config
from sources.sentences import Sentence, with_full_stop

#: Names of a manifest, which take precedence over all others.
NAMES = (
    "manifest.jsonl", "manifest.jsonl.gz", "manifest.ndjson", "manifest.ndjson.gz", "manifest.json", "manifest.json.gz",
)  # fmt: skip
LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
ARRAYS = (".json", ".json.gz")
TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".parquet", ".arrow")
PROMPT_FILE = "prompt.txt"


def find_manifest(path: Path) -> Path | None:
    """Return the manifest at a resolved path: the file itself, or the manifest of a folder.

    Return None if there is none because the folder has another layout. Raises Refused if several files can be the
    manifest, if it leads out of the folder, or if the folder is a release that cannot be imported, and OSError.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        return None
    if is_release_folder(path):
        _refuse_without_safesora(path)
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
        raise Refused(with_full_stop(trouble)) from trouble
    return path / name


def _refuse_without_safesora(release: Path) -> None:
    """Raise Refused if a release folder lacks the SafeSora layout: its other files cannot be imported."""
    if not configs(release):
        template = _(
            "%(folder)s is a release without the format safesora, so it cannot be imported. Make the release with this "
            "format too."
        )
        raise Refused(Sentence(template, folder=readable(release.name)))


def _only(names: list[str], endings: tuple[str, ...]) -> str:
    of_kind = [name for name in names if name.lower().endswith(endings)]
    return of_kind[0] if len(of_kind) == 1 else ""


def _has_other_layout(path: Path, found: list[Entry]) -> bool:
    """Return whether a subfolder is a prompt, or the folder has the SafeSora layout."""
    return any(entry.is_folder and (path / entry.name / PROMPT_FILE).exists() for entry in found) or bool(configs(path))


def _only_one_meant(names: list[str]) -> str:
    """Return the manifest of a folder that has no other layout. Raises Refused if several files can be it."""
    meant = [name for name in names if name.lower().endswith(LINES)]
    meant = meant or [name for name in names if name.lower().endswith(ARRAYS) and not is_config(Path(name))]
    if len(meant) > 1:
        shown = ", ".join(map(readable, meant[:5]))
        template = _("Several files can be the manifest: %(files)s. Name the right one %(name)s, or give its path.")
        raise Refused(Sentence(template, files=shown, name=NAMES[0]))
    tables = [name for name in names if name.lower().endswith(TABLES)]
    if tables and not meant:
        raise Refused(
            Sentence(
                _(
                    "%(file)s is a table, but a manifest is JSON Lines: one JSON object per line. Convert the table, "
                    "and name the file %(name)s."
                ),
                file=readable(tables[0]),
                name=NAMES[0],
            )
        )
    return meant[0] if meant else ""
