"""Open a release folder and read its records one at a time, so that memory does not grow with the folder."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

from diptych_client.release_folder.archives import Archives
from diptych_client.release_folder.errors import FolderError
from diptych_client.release_folder.records import Label, Pair, Prompt, TVPair

MANIFEST, LABELS = "manifest.json", "labels.jsonl"
#: The version of the manifest that this module reads.
VERSION = 1
BLOCK_BYTES = 1 << 20

One = TypeVar("One", bound=Prompt | TVPair | Pair | Label)


class OfPrompt(NamedTuple):
    """A prompt with its T-V pairs by `video_id`, and its pairs."""

    prompt: Prompt
    tv_pairs: dict[str, TVPair]
    pairs: list[Pair]


def is_release_folder(path: Path) -> bool:
    """Return whether a folder is a release folder that this version can read. Other folders may have a manifest too."""
    try:
        with (path / MANIFEST).open("rb") as file:
            if file.readline(3).strip() != b"{":  # a manifest of an import has a whole object on its first line
                return False
        Release.open(path)
    except (OSError, FolderError):
        return False
    return True


@dataclass(frozen=True)
class Release:
    """A release folder: one of Diptych, or an external one. Records come by prompt, in the order of `prompt_id`.

    Every method that reads raises FolderError for a file that is missing, and for a line that is no record.
    """

    root: Path
    #: As `releases/schemas/manifest.schema.json`, or `external_manifest.schema.json`, describes it.
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> "Release":
        """Open a release folder.

        Raises:
            FolderError: the folder has no manifest, or one that this version cannot read.
        """
        root = Path(path)
        try:
            manifest = json.loads((root / MANIFEST).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise FolderError(f"{root} has no {MANIFEST}. Give the path of a release folder.") from None
        except (OSError, ValueError) as error:
            raise FolderError(f"{root / MANIFEST} cannot be read: {error}. Download it again.") from error
        if not isinstance(manifest, dict) or manifest.get("manifest") != VERSION:
            raise FolderError(f"{root / MANIFEST} is no manifest of version {VERSION}. A newer program may read it.")
        return cls(root, manifest)

    @property
    def is_external(self) -> bool:
        """Return whether it was made of a published dataset, not of answers in this platform."""
        return "external" in self.manifest

    @property
    def title(self) -> str:
        """Return the title of the study or of the dataset."""
        return str(self.manifest["title"])

    @property
    def licence(self) -> str:
        """Return the licence; empty if an external release states none."""
        return str(self.manifest["licence"])

    def counts(self, path: str) -> dict[str, Any]:
        """Return what was counted while a file was written, such as what the SafeSora format left out, by reason."""
        return next((file.get("counts", {}) for file in self.manifest["files"] if file["path"] == path), {})

    def prompts(self) -> Iterator[Prompt]:
        """Yield each prompt."""
        return self._typed("prompts.jsonl", Prompt.of)

    def tv_pairs(self) -> Iterator[TVPair]:
        """Yield each T-V pair, by prompt and video."""
        return self._typed("tv_pairs.jsonl", TVPair.of)

    def pairs(self) -> Iterator[Pair]:
        """Yield each pair, by prompt and pair."""
        return self._typed("pairs.jsonl", Pair.of)

    def labels(self) -> Iterator[Label]:
        """Yield what programs said, by prompt. Yield nothing if the release has no labels."""
        named = any(file["path"] == LABELS for file in self.manifest["files"])
        return self._typed(LABELS, Label.of) if named else iter(())

    def annotations(self) -> Iterator[dict[str, Any]]:
        """Yield the line of each revision of each valid answer. An external release has none."""
        return iter(()) if self.is_external else self.lines("annotations.jsonl")

    def by_prompt(self) -> Iterator[OfPrompt]:
        """Yield each prompt with its T-V pairs and its pairs. Only the records of one prompt are in memory."""
        tv_pairs, pairs = ByPrompt(self.tv_pairs()), ByPrompt(self.pairs())
        for prompt in self.prompts():
            of_prompt = {one.video_id: one for one in tv_pairs.take(prompt.prompt_id)}
            yield OfPrompt(prompt, of_prompt, list(pairs.take(prompt.prompt_id)))
        for rest, name in ((tv_pairs, "tv_pairs.jsonl"), (pairs, "pairs.jsonl")):
            if rest.next is not None:
                raise FolderError(
                    f"{name} has prompt {rest.next.prompt_id}, which prompts.jsonl does not have, or which is not in "
                    "the order of prompt_id. Download both files again."
                )

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of a file of JSON Lines."""
        path = self.root / name
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    yield _object(line, path, number)
        except FileNotFoundError:
            raise FolderError(f"{path} does not exist. Make the release with the format jsonl.") from None
        except OSError as error:
            raise FolderError(f"{path} cannot be read: {error}.") from error

    def video(self, video_id: str) -> bytes:
        """Return the playback file of a video, an MP4 file, from an archive or from a single file."""
        if found := self._video_archives.members(video_id):
            return found[0].read()
        if path := self._single_videos.get(video_id):
            try:
                return (self.root / path).read_bytes()
            except OSError as error:
                raise FolderError(f"{self.root / path} cannot be read: {error}. Download it again.") from error
        raise FolderError(
            f"{self.root} has no file of the video {video_id}. Make the release with the format videos or "
            "single_videos."
        )

    def frames(self, video_id: str) -> list[bytes]:
        """Return the pictures of a video, JPEG files in the order of time."""
        if found := self._frame_archives.members(video_id):
            return [member.read() for member in found]
        raise FolderError(
            f"{self.root} has no pictures of the video {video_id}. Make the release with the format frames."
        )

    def check(self) -> list[str]:
        """Return the paths of the files whose bytes are not those that the manifest states, or that are missing."""
        return [file["path"] for file in self.manifest["files"] if _sha256(self.root / file["path"]) != file["sha256"]]

    @cached_property
    def _video_archives(self) -> Archives:
        return Archives(self._archives("videos"))

    @cached_property
    def _frame_archives(self) -> Archives:
        return Archives(self._archives("frames"))

    @cached_property
    def _single_videos(self) -> dict[str, str]:
        """Return the path of each single video by its id."""
        paths = (file["path"] for file in self.manifest["files"] if file["kind"] == "single_videos")
        return {PurePosixPath(path).stem: path for path in paths if path.endswith(".mp4")}

    def _archives(self, kind: str) -> list[Path]:
        files = self.manifest["files"]
        return [self.root / one["path"] for one in files if one["kind"] == kind and one["path"].endswith(".tar")]

    def _typed(self, name: str, of: Callable[[dict[str, Any]], One]) -> Iterator[One]:
        last = ""
        for number, line in enumerate(self.lines(name), start=1):
            try:
                record = of(line)
            except (KeyError, TypeError) as error:
                raise FolderError(f"{self.root / name}, line {number}: {error} is missing or wrong.") from error
            if record.prompt_id < last:
                raise FolderError(f"{self.root / name}, line {number}: lines are not in the order of prompt_id.")
            last = record.prompt_id
            yield record


class ByPrompt:
    """Records in the order of their prompts, which are taken prompt by prompt. The next one is read already."""

    def __init__(self, records: Iterator[Any]) -> None:
        self.records = records
        self.next = next(records, None)

    def take(self, prompt_id: str) -> Iterator[Any]:
        """Yield the next records while they belong to the prompt."""
        while self.next is not None and self.next.prompt_id == prompt_id:
            yield self.next
            self.next = next(self.records, None)


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """Return the object of a line. Raise FolderError."""
    try:
        read = json.loads(line)
    except ValueError as error:
        raise FolderError(f"{path}, line {number} is not JSON: {error}. The file may have been cut.") from error
    if not isinstance(read, dict):
        raise FolderError(f"{path}, line {number} is no JSON object.")
    return read


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits; empty if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
