"""Read a folder without a manifest, as the lines that its manifest would have.

Each subfolder is a prompt: its text is in `prompt.txt` (UTF-8), and its videos are next to it. A video's generator is
its file name without the ending. Files of the operating system, README and similar files, and names that begin with a
dot are ignored and counted. Every other file that is not a video is reported. Labels, seeds and licences need a
manifest.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext_noop as _

from diptych import file_kinds
from diptych.file_kinds import Kind
from diptych.refusals import Refused
from media import animations
from sources.files import locate
from sources.inside import FileTrouble, entries, open_file, resolved
from sources.left_out import is_system_folder, left_out
from sources.manifest import MOST_WITH_ONE_CAUSE
from sources.manifest_file import PROMPT_FILE
from sources.records import MOST_LINE_BYTES
from sources.rows import BadRow, Line, Manifest, Place
from sources.safesora import configs, read_safesora
from sources.schema import MOST_ID_CHARACTERS
from sources.sentences import Sentence

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
#: Endings of pictures that can be animated.
MAY_MOVE = frozenset({".png", ".webp"})

PACKED = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def read_folder(root: Path, manifest: Manifest) -> Iterator[Line]:
    """Yield a prompt line and its video lines for each subfolder, in order of name. `root` is resolved.

    A folder in the SafeSora layout is read as such. Raises OSError and FileTrouble.
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
        reason = _("Only subfolders are expected here, one for each prompt")
        if name.lower().endswith(PACKED):
            reason = _("This archive is not unpacked. Unpack it, or import it by itself as .zip, .tar or .tar.gz")
        if is_folder is None:
            reason = _("This link leads to nothing, or out of the imported folder")
        manifest.complain(Place(name), "", Sentence(reason))
    if not texts:
        _refuse_without_texts(lines, manifest.bad)
    _name_causes_once(manifest.bad)


def _refuse_without_texts(lines: int, bad: list[BadRow]) -> None:
    """Raise Refused if many rows would be bad because no prompt's text could be read."""
    first = next((row for row in bad if row.field == "text"), None)
    if first is not None and lines + len(bad) > MOST_WITH_ONE_CAUSE:
        raise Refused(
            Sentence(
                _(
                    "No subfolder has a %(name)s that can be read. Put the text of each prompt into a %(name)s in "
                    "UTF-8 next to its videos, or use a manifest. The first problem is in %(file)s: %(reason)s"
                ),
                name=PROMPT_FILE,
                file=first.file,
                reason=first.reason,
            )
        )


def _name_causes_once(bad: list[BadRow]) -> None:
    """If many files have the same reason, keep the first row and add the number of the others to its reason."""
    counts = Counter(row.reason for row in bad if not row.field)
    kept, named = [], set()
    for row in bad:
        number = 0 if row.field else counts[row.reason]
        if number <= MOST_WITH_ONE_CAUSE:
            kept.append(row)
        elif row.reason not in named:
            named.add(row.reason)
            template = _("%(reason)s. %(count)s more files have the same problem.")
            kept.append(row._replace(reason=Sentence(template, reason=row.reason, count=number - 1)))
    bad[:] = kept


def _is_left_out(name: str, manifest: Manifest) -> bool:
    """Return whether a name is not material, and count it if so."""
    kind = left_out(name) or (name if is_system_folder(name) else ".*" if name.startswith(".") else "")
    if kind:
        manifest.left_out[kind] += 1
    return bool(kind)


def _is_video(root: Path, name: str) -> bool:
    """Return whether the file is a video or an animated picture, by its ending and for pictures by its content."""
    ending = Path(name).suffix.lower()
    if ending not in MAY_MOVE:
        return ending in VIDEO_ENDINGS
    try:
        with open_file(locate(root, name)) as file:
            return animations.moves(file.read(animations.HEAD_BYTES))
    except (OSError, FileTrouble):
        return True  # `find_files` reports what is wrong with it


def _is_too_long(name: str, manifest: Manifest) -> bool:
    """Return whether a name is too long for an id, and report it if so. The name can have a folder."""
    if len(name) <= MOST_ID_CHARACTERS:
        return False
    template = _("The name of the folder has %(length)s characters; at most %(most)s are allowed. Shorten it")
    if "/" in name:
        template = _("The name of the file with its folder has %(length)s characters; at most %(most)s are allowed")
    manifest.complain(Place(name), "", Sentence(template, length=len(name), most=MOST_ID_CHARACTERS))
    return True


def _read_prompt(folder: str, manifest: Manifest) -> Iterator[Line]:
    """Yield the lines of one subfolder."""
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
            manifest.complain(Place(name), "", Sentence(_("This is a still picture and not a video")))
        else:
            known = ", ".join(sorted(VIDEO_ENDINGS | MAY_MOVE))
            template = _("This is neither %(name)s nor a video (%(endings)s)")
            manifest.complain(Place(name), "", Sentence(template, name=PROMPT_FILE, endings=known))


def _text(folder: str, manifest: Manifest) -> str | None:
    """Return the text of a prompt. Return None if it cannot be read, and report that."""
    place = Place(f"{folder}/{PROMPT_FILE}")
    try:
        with open_file(locate(manifest.root, place.file)) as file:
            written = file.read(MOST_LINE_BYTES)
        if (kind := _other_than_text(written)) is not None:
            values = {"kind": Sentence(kind.what), "advice": Sentence(kind.advice)}
            manifest.complain(place, "text", Sentence(_("The file is %(kind)s. %(advice)s"), **values))
            return None
        return written.decode("utf-8-sig").rstrip("\r\n")  # an editor's line end; spaces within are the prompt's
    except UnicodeDecodeError as error:
        template = _("The text is not UTF-8: byte %(number)s is wrong")
        manifest.complain(place, "text", Sentence(template, number=error.start + 1))
    except FileTrouble as trouble:
        manifest.complain(place, "text", str(trouble))
    except OSError as error:
        manifest.complain(place, "text", Sentence(_("The file cannot be read: %(error)s"), error=error.strerror))
    return None


def _other_than_text(written: bytes) -> Kind | None:
    """Return what a prompt's file is if it is not text in UTF-8. A text can begin like any other kind of file."""
    try:
        is_text = "\0" not in written.decode()
    except UnicodeDecodeError:
        is_text = False
    return None if is_text else file_kinds.recognised(written[: file_kinds.HEAD_BYTES])
