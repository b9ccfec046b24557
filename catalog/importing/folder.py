"""Reads a folder that has no manifest, as the lines that a manifest would have.

Each subfolder is a prompt: its text in `prompt.txt` (UTF-8), its videos beside it. Names that begin with a
dot are passed over; anything else that is no video is reported. What a folder cannot say (generator, labels,
licence) needs a manifest.
"""

from collections.abc import Iterator
from pathlib import Path

from catalog.importing.files import FileTrouble, locate
from catalog.importing.manifest import MOST_LINE_BYTES
from catalog.importing.rows import Line, Manifest, Place
from catalog.importing.safesora import configs, read_safesora

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
    """A prompt line and its video lines for each subfolder, in order of name. Raises OSError.

    A folder in the SafeSora layout is read as such.
    """
    if configs(root):
        yield from read_safesora(root, manifest)
        return
    for entry in sorted(root.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _read_prompt(entry, manifest)
        else:
            manifest.complain(Place(entry.name), "", "Only subfolders are expected here, one a prompt")


def _read_prompt(folder: Path, manifest: Manifest) -> Iterator[Line]:
    text = _text(folder, manifest)
    if text is None:
        manifest.refused[("prompt", folder.name)] = Place(f"{folder.name}/{PROMPT_FILE}")
    else:
        line = {"type": "prompt", "id": folder.name, "text": text}
        yield Line(Place(f"{folder.name}/{PROMPT_FILE}"), line)
    for entry in sorted(folder.iterdir()):
        if entry.name == PROMPT_FILE or entry.name.startswith("."):
            continue
        name = f"{folder.name}/{entry.name}"
        if entry.suffix.lower() in VIDEO_ENDINGS:
            line = {"type": "video", "id": name, "prompt": folder.name, "path": name}
            yield Line(Place(name), line)
        else:
            known = ", ".join(sorted(VIDEO_ENDINGS))
            manifest.complain(Place(name), "", f"This is neither {PROMPT_FILE} nor a video ({known})")


def _text(folder: Path, manifest: Manifest) -> str | None:
    place = Place(f"{folder.name}/{PROMPT_FILE}")
    try:
        with locate(manifest.root, place.file).open("rb") as file:
            written = file.read(MOST_LINE_BYTES)
        return written.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        manifest.complain(place, "text", f"The text is not UTF-8: byte {error.start + 1} is wrong")
    except FileTrouble as trouble:
        manifest.complain(place, "text", str(trouble))
    except OSError as error:
        manifest.complain(place, "text", f"The file cannot be read: {error.strerror}")
    return None
