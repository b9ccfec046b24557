"""Reads material in the published SafeSora layout, as the lines that a manifest would have.

Configs are JSON arrays, plain or gzipped, in the folder or in its subfolders (`SafeSora`, `SafeSora-Label`,
`SafeSora-Prompt`, `SafeSora-Eval`); videos lie at `videos/<prompt_id>/<video_id>.mp4`, in the folder or beside the
config. Records are read one at a time.
Of a prompt or video that stands in several files the first record counts, and files that say most of it come first.

What people answered (preferences, and harm tags of videos) does not become answers here: nobody gave them in this
study, under its guideline. The report says how much was left.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from diptych.refusals import BadInput, Refused
from diptych.strict_json import readable
from importing.archives import is_archive
from importing.inside import FileTrouble, entries, resolved
from importing.manifest import MOST_WITH_ONE_CAUSE
from importing.records import Record, read_records
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
    reader, records, lines = Reader(manifest), 0, 0
    for path in configs(root):
        name, number = path.relative_to(root).as_posix(), 0
        reader.begin(path.parent)
        try:
            for record in read_records(resolved(root, name), name):
                number = record.number
                records += 1
                for line in reader.lines(Place(name, number), record, is_eval=path.name.startswith(EVAL)):
                    lines += 1
                    yield line
        except BadInput as broken:
            manifest.complain(Place(name, number + 1), "", str(broken))
    if records > MOST_WITH_ONE_CAUSE and not lines:
        raise Refused(f"None of the {records} records is one of SafeSora. The first: {manifest.bad[0]}.")
    manifest.warnings += reader.warnings()


class Reader:
    """Makes lines of records, each prompt and video once, and counts what it leaves."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.prompts: set[bytes] = set()
        self.videos: set[bytes] = set()
        self.preferences = self.tagged = 0
        self.beside = manifest.root
        self.folder = ""

    def begin(self, beside: Path) -> None:
        """Go on to a config, which lies in the folder `beside`."""
        self.beside, self.folder = beside, ""

    def lines(self, place: Place, read: Record, *, is_eval: bool) -> Iterator[Line]:
        """The lines of one record: a preference has both its videos, a video its prompt."""
        for fault in read.faults:
            self.manifest.complain(place, *fault)
        record = read.content
        if read.faults or record is None:
            return
        whole = True
        parts: list[tuple[str, Any]] = [(name, record[name]) for name in ("video_0", "video_1") if name in record]
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
            "path": f"{self._folder()}/{prompt}/{local}.mp4",
        }
        if isinstance(made_by := record.get("generated_from"), str):
            line["generator"] = made_by
        if record.get("video_text") not in (None, "", record.get("prompt_text")):
            line["video_text"] = record["video_text"]
        yield Line(place, line)

    def _folder(self) -> str:
        """Return where the videos of this config lie. Raises Refused where they are not unpacked."""
        self.folder = self.folder or _videos(self.manifest.root, self.beside)
        return self.folder

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


def _videos(root: Path, beside: Path) -> str:
    """Return the folder of the videos of a config that lies in `beside`, relative to the root.

    `videos.tar.gz` is published beside the configs: some people unpack it there, others above, or into a folder of its
    name. Raises Refused where it is not unpacked, or not there.
    """
    places = list(dict.fromkeys((root, beside)))
    for place in places:
        for name in (f"{VIDEOS}/{VIDEOS}", VIDEOS):
            with suppress(FileTrouble):
                if resolved(root, str(place / name)).is_dir():
                    return (place / name).relative_to(root).as_posix()
    for place in places:
        for entry in entries(root, place):
            if entry.name.startswith(VIDEOS) and is_archive(entry.name):
                packed = readable((place / entry.name).relative_to(root).as_posix())
                program = "unzip" if packed.endswith(".zip") else "tar -xf"
                name = readable(entry.name)
                advice = f"Unpack it in its folder, for example with “{program} {name}”, and import again."
                raise Refused(f"The videos are not unpacked: {packed} is still one file. {advice}")
    advice = f"Put the videos there, as {VIDEOS}/<prompt id>/<video id>.mp4."
    raise Refused(f"There is no folder “{VIDEOS}” beside the configs. {advice}")
