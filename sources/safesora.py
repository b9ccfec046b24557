"""Read material in the published SafeSora layout, as the lines that its manifest would have.

Configs are JSON arrays, plain or gzipped, in the folder or in its subfolders (`SafeSora`, `SafeSora-Label`,
`SafeSora-Prompt`, `SafeSora-Eval`). Videos are at `videos/<prompt_id>/<video_id>.mp4`, in the folder or next to the
config. Records are read one at a time. If a prompt or video is in several files, its first record counts, and the
files with the most details are read first.

People's preferences and harm tags in these files do not become answers: nobody gave them in this study, under its
guideline. The report says how many were not imported.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop as _

from diptych.refusals import BadInput, Refused
from diptych.strict_json import readable
from sources.archives import is_archive
from sources.inside import FileTrouble, entries, resolved
from sources.manifest import MOST_WITH_ONE_CAUSE
from sources.records import Record, read_records
from sources.rows import Line, Manifest, Place
from sources.sentences import Sentence, with_full_stop

VIDEOS = "videos"
CONFIG = re.compile(r"(config(-\w+)?|eval-prompt)\.json(\.gz)?")
EVAL = "eval-prompt"
#: Folders by how many details their records have: the most detailed first.
MOST_DETAILED_FIRST = ("Eval", "Prompt", "Label", "")
#: Who gave the labels of prompts in the published data.
LABELLED_BY = "GPT-4, as published with SafeSora"
SOURCES = ("real_user", "researcher")
ID = re.compile("[0-9a-f]{64}")


def is_config(path: Path) -> bool:
    """Return whether a file's name is that of a config."""
    return bool(CONFIG.fullmatch(path.name))


def configs(root: Path) -> list[Path]:
    """Return the configs of a resolved folder in the order of reading. Return none if it has another layout.

    Raises OSError and FileTrouble.
    """
    found = []
    for name, is_folder in entries(root, root):
        inner = entries(root, resolved(root, name)) if is_folder else []
        files = [(name, is_folder), *((f"{name}/{entry.name}", entry.is_folder) for entry in inner)]
        found += [root / file for file, is_inner in files if is_inner is False and is_config(Path(file))]

    def rank(path: Path) -> tuple[int, str]:
        kind = EVAL if path.name.startswith(EVAL) else path.parent.name
        place = next(n for n, word in enumerate(MOST_DETAILED_FIRST) if word.lower() in kind.lower())
        return place, path.as_posix()

    return sorted(found, key=rank)


def read_safesora(root: Path, manifest: Manifest) -> Iterator[Line]:
    """Yield prompt, video and pair lines of all configs. Raises OSError, and Refused if no record is of SafeSora."""
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
        template = _(
            "None of the %(count)s records is a SafeSora record. The first problem is in %(file)s, line "
            "%(line)s: %(reason)s"
        )
        first = manifest.bad[0]
        named = (
            Sentence(_("%(field)s: %(reason)s"), field=first.field, reason=first.reason)
            if first.field
            else first.reason
        )
        raise Refused(Sentence(template, count=records, file=first.file, line=first.line, reason=with_full_stop(named)))
    manifest.warnings += reader.warnings()


class Reader:
    """Make lines of records, each prompt and video once, and count what is not imported."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.prompts: set[bytes] = set()
        self.videos: set[bytes] = set()
        self.preferences = self.tagged = 0
        self.beside = manifest.root
        self.folder = ""

    def begin(self, beside: Path) -> None:
        """Begin with a config in the folder `beside`."""
        self.beside, self.folder = beside, ""

    def lines(self, place: Place, read: Record, *, is_eval: bool) -> Iterator[Line]:
        """Yield the lines of one record. A preference record has both videos, and a video record has its prompt."""
        for fault in read.faults:
            self.manifest.complain(place, *fault)
        record = read.content
        if read.faults or record is None:
            return
        whole = True
        parts: list[tuple[str, Any]] = [(name, record[name]) for name in ("video_0", "video_1") if name in record]
        for name, part in parts or [("", record)]:
            if not isinstance(part, dict):
                self.manifest.complain(place, name, Sentence(_("is not a JSON object")))
                whole = False
                continue
            about = {key: record[key] for key in record if key.startswith("prompt_")} | part
            yield from self._prompt(place, about, is_eval=is_eval)
            if parts or "video_id" in part:
                yield from self._video(place, about, name)
        if parts and whole:
            self.preferences += any(key in record for key in ("helpfulness", "harmlessness"))
            videos = {name: part.get("video_id") for name, part in parts}
            yield Line(place, {"type": "pair", "prompt": record.get("prompt_id")} | videos)

    def warnings(self) -> list[str]:
        """Return sentences about what was not imported."""
        found: list[str] = [
            Sentence(_("The train and test split of these files was not imported. This study draws its own split."))
        ]
        if self.preferences:
            template = _(
                "%(count)s pairs have people's preferences. These were not imported as answers, because nobody gave "
                "them in this study."
            )
            found.append(Sentence(template, count=self.preferences))
        if self.tagged:
            template = _("%(count)s videos have people's harm tags. These were not imported.")
            found.append(Sentence(template, count=self.tagged))
        return found

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
        """Return the folder of this config's videos. Raises Refused if they are not unpacked."""
        self.folder = self.folder or _videos(self.manifest.root, self.beside)
        return self.folder

    def _new(self, place: Place, name: str, record: dict[str, Any], seen: set[bytes], column: str = "") -> str | None:
        """Return the record's id if it is valid and new. Report an id that is not valid."""
        local = record.get(name)
        if not isinstance(local, str) or not ID.fullmatch(local):
            where = f"{column}.{name}" if column else name
            reason = _("is missing, or is not 64 hexadecimal digits in lower case")
            self.manifest.complain(place, where, Sentence(reason))
            return None
        key = bytes.fromhex(local)
        if key in seen:
            return None
        seen.add(key)
        return local


def _videos(root: Path, beside: Path) -> str:
    """Return the videos' folder of a config in the folder `beside`, relative to the root.

    `videos.tar.gz` is published next to the configs. Some people unpack it there, others above, or into a folder of its
    name. Raises Refused if it is not unpacked, or missing.
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
                template = _(
                    "The videos in %(archive)s are not unpacked. Unpack them in the same folder, for example with "
                    "“%(program)s %(name)s”, and import again."
                )
                raise Refused(Sentence(template, archive=packed, program=program, name=name))
    template = _(
        "There is no folder “%(folder)s” next to the configs. Put the videos there, as "
        "%(folder)s/<prompt id>/<video id>.mp4."
    )
    raise Refused(Sentence(template, folder=VIDEOS))
