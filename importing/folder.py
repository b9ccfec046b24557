"""Reads a folder that has no manifest, as the lines that a manifest would have.

Each subfolder is a prompt: its text in `prompt.txt` (UTF-8), its videos beside it. Names that begin with a
dot are passed over; anything else that is no video is reported. What a folder cannot say (generator, labels,
licence) needs a manifest.
"""

from collections.abc import Iterator
from pathlib import Path

from importing.files import locate
from importing.inside import FileTrouble, entries, open_file, resolved
from importing.manifest import MOST_LINE_BYTES
from importing.rows import Line, Manifest, Place
from importing.safesora import configs, read_safesora

PROMPT_FILE = "prompt.txt"
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
    }
)


def read_folder(root: Path, manifest: Manifest) -> Iterator[Line]:
    """A prompt line and its video lines for each subfolder, in order of name. Raises OSError and FileTrouble.

    A folder in the SafeSora layout is read as such. `root` is resolved.
    """
    if configs(root):
        yield from read_safesora(root, manifest)
        return
    for name, is_folder in entries(root, root):
        if name.startswith("."):
            continue
        if is_folder:
            yield from _read_prompt(name, manifest)
            continue
        reason = "Only subfolders are expected here, one a prompt"
        if is_folder is None:
            reason = "It does not exist, or leads out of the folder that is imported"
        manifest.complain(Place(name), "", reason)


def _read_prompt(folder: str, manifest: Manifest) -> Iterator[Line]:
    text = _text(folder, manifest)
    if text is None:
        manifest.refused[("prompt", folder)] = Place(f"{folder}/{PROMPT_FILE}")
    else:
        line = {"type": "prompt", "id": folder, "text": text}
        yield Line(Place(f"{folder}/{PROMPT_FILE}"), line)
    for entry in entries(manifest.root, resolved(manifest.root, folder)):
        if entry.name == PROMPT_FILE or entry.name.startswith("."):
            continue
        name = f"{folder}/{entry.name}"
        if Path(entry.name).suffix.lower() in VIDEO_ENDINGS:
            line = {"type": "video", "id": name, "prompt": folder, "path": name}
            yield Line(Place(name), line)
        else:
            known = ", ".join(sorted(VIDEO_ENDINGS))
            manifest.complain(Place(name), "", f"This is neither {PROMPT_FILE} nor a video ({known})")


def _text(folder: str, manifest: Manifest) -> str | None:
    place = Place(f"{folder}/{PROMPT_FILE}")
    try:
        with open_file(locate(manifest.root, place.file)) as file:
            written = file.read(MOST_LINE_BYTES)
        return written.decode("utf-8-sig").rstrip("\r\n")  # an editor's line end; spaces within are the prompt's
    except UnicodeDecodeError as error:
        manifest.complain(place, "text", f"The text is not UTF-8: byte {error.start + 1} is wrong")
    except FileTrouble as trouble:
        manifest.complain(place, "text", str(trouble))
    except OSError as error:
        manifest.complain(place, "text", f"The file cannot be read: {error.strerror}")
    return None
