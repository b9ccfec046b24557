"""Reads a folder that has no manifest, as the lines that a manifest would have.

Each subfolder is a prompt: its text in `prompt.txt` (UTF-8), its videos beside it. A video's generator is its file
name without the ending. Files of the operating system, README and the like, and names that begin with a dot are left
out and counted; anything else that is no video is reported. What a folder cannot say (labels, seed, licence) needs a
manifest.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from diptych import file_kinds
from diptych.file_kinds import Kind
from diptych.refusals import Refused
from importing.files import locate
from importing.inside import FileTrouble, entries, open_file, resolved
from importing.left_out import is_system_folder, left_out
from importing.manifest import MOST_WITH_ONE_CAUSE
from importing.manifest_file import PROMPT_FILE
from importing.records import MOST_LINE_BYTES
from importing.rows import BadRow, Line, Manifest, Place
from importing.safesora import configs, read_safesora
from importing.schema import MOST_ID_CHARACTERS
from media import animations

VIDEO_ENDINGS = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".webm",
        ".mkv",
        ".avi",
        ".gif",
        ".mpg",
        ".mpeg",
        ".ogv",
        ".ts",
        ".wmv",
        ".flv",
        ".apng",
        ".avif",
        ".avifs",
        ".3gp",
        ".asf",
        ".ivf",
        ".m2ts",
        ".mts",
    }
)
#: Endings of pictures of which some are animated.
MAY_MOVE = frozenset({".png", ".webp"})

PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def read_folder(root: Path, manifest: Manifest) -> Iterator[Line]:
    """A prompt line and its video lines for each subfolder, in order of name. Raises OSError and FileTrouble.

    A folder in the SafeSora layout is read as such. `root` is resolved.
    """
    if configs(root):
        yield from read_safesora(root, manifest)
        return
    lines = texts = 0
    for name, is_folder in entries(root, root):
        if _is_left_out(name, manifest):
            continue
        if is_folder and _is_too_long(name, manifest):
            continue
        if is_folder:
            for line in _read_prompt(name, manifest):
                lines += 1
                texts += line.content["type"] == "prompt"
                yield line
            continue
        reason = "Only subfolders are expected here, one a prompt"
        if name.lower().endswith(PACKED):
            reason = "This archive is not unpacked. Unpack it, or import it alone as .zip, .tar or .tar.gz"
        if is_folder is None:
            reason = "It does not exist, or leads out of the folder that is imported"
        manifest.complain(Place(name), "", reason)
    if not texts:
        _refuse_without_texts(lines, manifest.bad)
    _name_causes_once(manifest.bad)


def _refuse_without_texts(lines: int, bad: list[BadRow]) -> None:
    """Raise Refused where many rows would be bad because no text of a prompt could be read."""
    first = next((row for row in bad if row.field == "text"), None)
    if first is not None and lines + len(bad) > MOST_WITH_ONE_CAUSE:
        raise Refused(
            f"No subfolder has a {PROMPT_FILE} that can be read. The first: {first.file}: {first.reason.rstrip('.')}. "
            f"Put the text of each prompt into a {PROMPT_FILE} in UTF-8 beside its videos, or give a manifest."
        )


def _name_causes_once(bad: list[BadRow]) -> None:
    """Leave one row of other files that have the same reason, if they are many, with their number."""
    counts = Counter(row.reason for row in bad if not row.field)
    kept, named = [], set()
    for row in bad:
        number = 0 if row.field else counts[row.reason]
        if number <= MOST_WITH_ONE_CAUSE:
            kept.append(row)
        elif row.reason not in named:
            named.add(row.reason)
            kept.append(row._replace(reason=f"{row.reason.rstrip('.')}. The same holds for {number - 1} more files."))
    bad[:] = kept


def _is_left_out(name: str, manifest: Manifest) -> bool:
    """Return whether what has this name is no material, and count it then."""
    kind = left_out(name) or (name if is_system_folder(name) else ".*" if name.startswith(".") else "")
    if kind:
        manifest.left_out[kind] += 1
    return bool(kind)


def _is_video(root: Path, name: str) -> bool:
    """Return whether the file's ending is one of videos, or of pictures that may move and this one does."""
    ending = Path(name).suffix.lower()
    if ending not in MAY_MOVE:
        return ending in VIDEO_ENDINGS
    try:
        with open_file(locate(root, name)) as file:
            return animations.moves(file.read(animations.HEAD_BYTES))
    except (OSError, FileTrouble):
        return True  # whoever looks for the file says what is wrong with it


def _is_too_long(name: str, manifest: Manifest) -> bool:
    """Return whether a folder, or a file with its folder, has a longer name than an id may have, and complain of it."""
    if len(name) <= MOST_ID_CHARACTERS:
        return False
    what = "The name of the file with its folder" if "/" in name else "The name of the folder"
    manifest.complain(
        Place(name), "", f"{what} is {len(name)} characters long; at most {MOST_ID_CHARACTERS} fit. Shorten it"
    )
    return True


def _read_prompt(folder: str, manifest: Manifest) -> Iterator[Line]:
    text = _text(folder, manifest)
    if text is None:
        manifest.refused[("prompt", folder)] = Place(f"{folder}/{PROMPT_FILE}")
    else:
        line = {"type": "prompt", "id": folder, "text": text}
        yield Line(Place(f"{folder}/{PROMPT_FILE}"), line)
    for entry in entries(manifest.root, resolved(manifest.root, folder)):
        if entry.name == PROMPT_FILE or _is_left_out(entry.name, manifest):
            continue
        name = f"{folder}/{entry.name}"
        if _is_video(manifest.root, name):
            if _is_too_long(name, manifest):
                continue
            line = {"type": "video", "id": name, "prompt": folder, "path": name, "generator": Path(entry.name).stem}
            yield Line(Place(name), line)
        elif Path(name).suffix.lower() in MAY_MOVE:
            manifest.complain(Place(name), "", "This is a still picture and not a video")
        else:
            known = ", ".join(sorted(VIDEO_ENDINGS | MAY_MOVE))
            manifest.complain(Place(name), "", f"This is neither {PROMPT_FILE} nor a video ({known})")


def _text(folder: str, manifest: Manifest) -> str | None:
    place = Place(f"{folder}/{PROMPT_FILE}")
    try:
        with open_file(locate(manifest.root, place.file)) as file:
            written = file.read(MOST_LINE_BYTES)
        if (kind := _other_than_text(written)) is not None:
            manifest.complain(place, "text", f"The file is {kind.what}. {kind.advice}")
            return None
        return written.decode("utf-8-sig").rstrip("\r\n")  # an editor's line end; spaces within are the prompt's
    except UnicodeDecodeError as error:
        manifest.complain(place, "text", f"The text is not UTF-8: byte {error.start + 1} is wrong")
    except FileTrouble as trouble:
        manifest.complain(place, "text", str(trouble))
    except OSError as error:
        manifest.complain(place, "text", f"The file cannot be read: {error.strerror}")
    return None


def _other_than_text(written: bytes) -> Kind | None:
    """Return what a prompt's file is if it cannot be text in UTF-8. A text may begin like a page, or like any file."""
    try:
        is_text = "\0" not in written.decode()
    except UnicodeDecodeError:
        is_text = False
    return None if is_text else file_kinds.recognised(written[: file_kinds.HEAD_BYTES])
