"""Reads material in the published SafeSora layout, as the lines that a manifest would have.

Configs are JSON arrays, plain or gzipped, in the folder or in its subfolders (`SafeSora`, `SafeSora-Label`,
`SafeSora-Prompt`, `SafeSora-Eval`); videos lie at `videos/<prompt_id>/<video_id>.mp4`. Records are read one at a time.
Of a prompt or video that stands in several files the first record counts, and files that say most of it come first.

What people answered (preferences, and harm tags of videos) does not become answers here: nobody gave them in this
study, under its guideline. The report says how much was left.
"""

import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from django.conf import settings

from diptych.refusals import BadInput
from importing.inside import entries, open_file, resolved
from importing.rows import Line, Manifest, Place

VIDEOS = "videos"
CONFIG = re.compile(r"(config(-\w+)?|eval-prompt)\.json(\.gz)?")
EVAL = "eval-prompt"
#: Folders by how much their records say of a prompt: the fullest first.
FULLEST_FIRST = ("Eval", "Prompt", "Label", "")
#: Whose labels prompts have in the published data.
LABELLED_BY = "GPT-4, as published with SafeSora"
SOURCES = ("real_user", "researcher")
ID = re.compile("[0-9a-f]{64}")
BLOCK, MOST_RECORD = 1 << 18, 1 << 22


def is_config(path: Path) -> bool:
    return bool(CONFIG.fullmatch(path.name))


def configs(root: Path) -> list[Path]:
    """The configs of a resolved folder in this layout, in the order of reading; none if it is another folder.

    Raises OSError and FileTrouble.
    """
    found = []
    for name, is_folder in entries(root, root):
        inner = entries(root, resolved(root, name)) if is_folder else []
        files = [(name, is_folder), *((f"{name}/{entry.name}", entry.is_folder) for entry in inner)]
        found += [root / file for file, is_inner in files if is_inner is False and is_config(Path(file))]

    def rank(path: Path) -> tuple[int, str]:
        kind = EVAL if path.name.startswith(EVAL) else path.parent.name
        place = next(n for n, word in enumerate(FULLEST_FIRST) if word.lower() in kind.lower())
        return place, path.as_posix()

    return sorted(found, key=rank)


def read_safesora(root: Path, manifest: Manifest) -> Iterator[Line]:
    """Prompt, video and pair lines of all configs. Raises OSError."""
    reader = Reader(manifest)
    for path in configs(root):
        name, number = path.relative_to(root).as_posix(), 0
        try:
            for number, record in enumerate(records(resolved(root, name)), 1):
                yield from reader.lines(Place(name, number), record, is_eval=path.name.startswith(EVAL))
        except BadInput as broken:
            manifest.complain(Place(name, number + 1), "", str(broken))
    manifest.warnings += reader.warnings()


class Reader:
    """Makes lines of records, each prompt and video once, and counts what it leaves."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.prompts: set[bytes] = set()
        self.videos: set[bytes] = set()
        self.preferences = self.tagged = 0

    def lines(self, place: Place, record: Any, *, is_eval: bool) -> Iterator[Line]:
        """The lines of one record: a preference has both its videos, a video its prompt."""
        if not isinstance(record, dict):
            self.manifest.complain(place, "", "The record is not a JSON object")
            return
        whole = True
        parts = [(name, record[name]) for name in ("video_0", "video_1") if name in record]
        for name, part in parts or [("", record)]:
            if not isinstance(part, dict):
                self.manifest.complain(place, name, "is not a JSON object")
                whole = False
                continue
            about = {key: record[key] for key in record if key.startswith("prompt_")} | part
            yield from self._prompt(place, about, is_eval=is_eval)
            if parts or "video_id" in part:
                yield from self._video(place, about, name)
        if parts and whole:
            self.preferences += any(key in record for key in ("helpfulness", "harmlessness"))
            told = {name: part.get("video_id") for name, part in parts}
            yield Line(place, {"type": "pair", "prompt": record.get("prompt_id")} | told)

    def warnings(self) -> list[str]:
        """What was left, in sentences."""
        said = ["The division into train and test in these files was not taken over; this study draws its own."]
        if self.preferences:
            said.append(
                f"{self.preferences} pairs come with people's preferences. They were not imported as answers: nobody "
                "gave them in this study."
            )
        if self.tagged:
            said.append(f"{self.tagged} videos come with people's harm tags. They were not imported either.")
        return said

    def _prompt(self, place: Place, record: dict[str, Any], *, is_eval: bool) -> Iterator[Line]:
        local = self._new(place, "prompt_id", record, self.prompts)
        if local is None:
            return
        line = {"type": "prompt", "id": local, "text": record.get("prompt_text")}
        if record.get("prompt_type") is not None:
            line["prompt_type"] = record["prompt_type"]
        if isinstance(labels := record.get("prompt_labels"), dict):
            line |= {"labels": [key for key, given in labels.items() if given], "labelled_by": LABELLED_BY}
        source = record.get("source")
        if source in SOURCES:
            line["source"] = source
        elif isinstance(source, str) and source:
            line["source_detail"] = source
        if is_eval:
            line["set"] = "eval"
        yield Line(place, line)

    def _video(self, place: Place, record: dict[str, Any], column: str) -> Iterator[Line]:
        local = self._new(place, "video_id", record, self.videos, column)
        if local is None:
            return
        self.tagged += "video_labels" in record
        prompt = record.get("prompt_id")
        line = {
            "type": "video",
            "id": local,
            "prompt": prompt,
            "path": f"{VIDEOS}/{prompt}/{local}.mp4",
        }
        if isinstance(made_by := record.get("generated_from"), str):
            line["generator"] = made_by
        if record.get("video_text") not in (None, "", record.get("prompt_text")):
            line["video_text"] = record["video_text"]
        yield Line(place, line)

    def _new(self, place: Place, name: str, record: dict[str, Any], seen: set[bytes], column: str = "") -> str | None:
        """The record's id, if it is one and was not seen before. Complains of what is none."""
        local = record.get(name)
        if not isinstance(local, str) or not ID.fullmatch(local):
            where = f"{column}.{name}" if column else name
            self.manifest.complain(place, where, "is missing, or is not 64 hexadecimal digits in lower case")
            return None
        key = bytes.fromhex(local)
        if key in seen:
            return None
        seen.add(key)
        return local


def records(path: Path) -> Iterator[Any]:
    """The elements of the JSON array at a resolved path, one at a time. Raises BadInput and OSError."""
    try:
        with open_file(path) as written:
            unpacked = gzip.GzipFile(fileobj=written) if path.suffix == ".gz" else written
            with io.TextIOWrapper(cast(BinaryIO, unpacked), encoding="utf-8-sig") as file:
                yield from _elements(Window(file))
    except UnicodeDecodeError as error:
        raise BadInput(f"The file is not UTF-8: {error.reason}") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(f"The gzip file is damaged or not whole ({error})") from error


class Window:
    """The part of a text that is looked at now."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.text = ""
        self.at = 0
        self.read = 0
        self.is_over = False

    def more(self) -> None:
        """Reads on, and forgets what lies behind. Raises BadInput for a text without end."""
        block = self.file.read(BLOCK)
        self.read += len(block)
        self.is_over = not block
        self.text, self.at = self.text[self.at :] + block, 0
        if self.read > settings.IMPORT_MOST_BYTES:
            raise BadInput(f"The file holds more than {settings.IMPORT_MOST_BYTES} characters")

    def sign(self) -> str:
        """The next sign that is no space, or nothing at the end."""
        while True:
            while self.at < len(self.text):
                if not self.text[self.at].isspace():
                    return self.text[self.at]
                self.at += 1
            if self.is_over:
                return ""
            self.more()


def _elements(window: Window) -> Iterator[Any]:
    if window.sign() != "[":
        raise BadInput("The file is not a JSON array; it must begin with [")
    window.at += 1
    if window.sign() == "]":
        return
    while True:
        yield _element(window)
        sign = window.sign()
        window.at += 1
        if sign == "]":
            return
        if sign != ",":
            raise BadInput("The JSON array is not whole: after this record comes neither a comma nor a ]")


def _element(window: Window) -> Any:
    window.sign()
    while True:
        with suppress(json.JSONDecodeError, RecursionError):
            element, window.at = DECODER.raw_decode(window.text, window.at)
            return element
        if window.is_over or len(window.text) - window.at > MOST_RECORD:
            raise BadInput(f"The record is not JSON, or longer than {MOST_RECORD} characters")
        window.more()


DECODER = json.JSONDecoder()
