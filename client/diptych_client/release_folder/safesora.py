"""Make an external release folder of a published SafeSora dataset, with its preferences, tags and split.

Nobody answered in this platform, so each pair and each T-V pair has one published judgement (n = 1), and there are no
annotations. Videos are neither read nor copied.
"""

import hashlib
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych_client.release_folder import safesora_records
from diptych_client.release_folder.arrays import elements
from diptych_client.release_folder.errors import FolderError
from diptych_client.release_folder.folder import BLOCK_BYTES, MANIFEST, VERSION
from diptych_client.release_folder.gathering import BITS, BOTH, Gathering, Given
from diptych_client.release_folder.safesora_records import BadRecord, Read
from diptych_client.release_folder.vocabulary import PARTS
from diptych_client.release_folder.writing import FolderWriter

NAME = "safesora"
CONFIG = re.compile(r"(config(?:-(?P<part>\w+))?|eval-prompt)\.json(\.gz)?")
#: How deep configs are looked for: a hub's cache has datasets--x--SafeSora/snapshots/<revision>/config-train.json.gz.
DEEPEST = 5
#: Folders without configs. Blobs are what the links of a snapshot lead to.
PASSED_OVER = {"videos", "blobs", "refs"}


@dataclass
class Conversion:
    """What a conversion read and left out. `manifest` is that of the folder."""

    #: Records by kind: prompt, video, pair.
    read: Counter[str] = field(default_factory=Counter)
    #: Records by why they were left out.
    left_out: Counter[str] = field(default_factory=Counter)
    #: The first record that was left out, with the reason.
    first: str = "the configs are empty"
    manifest: dict[str, Any] = field(default_factory=dict)


def convert(
    source: Path,
    target: Path,
    *,
    title: str = "SafeSora",
    licence: str = "",
    before_config: Callable[[str], object] = lambda _path: None,
) -> Conversion:
    """Write a release folder of the dataset in `source` into `target`, a new or empty folder.

    `source` is as downloaded: a folder with configs, the folder above several of them, or a hub's cache.
    `before_config` is called with the path of each config before it is read.

    Raises:
        FolderError: `source` has no configs, or a damaged one; `target` has files already.
        OSError: `target` cannot be written.
    """
    found = configs(source)
    if target.exists() and any(target.iterdir()):
        raise FolderError(f"{target} is not empty. Give the path of a new folder.")
    done = Conversion()
    with tempfile.TemporaryDirectory() as aside, closing(Gathering(Path(aside) / "records")) as gathering:
        for path in found:
            before_config(str(path.relative_to(source)))
            _gather(path, source, gathering, done)
        if not done.read:
            raise FolderError(f"No record of {source} is a SafeSora record. The first problem: {done.first}.")
        gathering.end()
        _write(gathering, target, done, {"title": title, "licence": licence, "files": _digests(found, source)})
    return done


def configs(source: Path) -> list[Path]:
    """Return the configs below a folder, by path. Raise FolderError if there are none, or several snapshots."""
    if not source.is_dir():
        raise FolderError(f"{source} is no folder.")
    folders, found = [(source, 0)], []
    while folders:
        folder, depth = folders.pop()
        inner = sorted(folder.iterdir())
        if folder.name == "snapshots" and len(inner) > 1:
            names = ", ".join(one.name for one in inner)
            raise FolderError(f"{folder} has several snapshots: {names}. Give the path of one of them.")
        for path in inner:
            if path.is_file() and CONFIG.fullmatch(path.name):
                found.append(path)
            elif depth < DEEPEST and path.is_dir() and not path.name.startswith(".") and path.name not in PASSED_OVER:
                folders.append((path, depth + 1))
    if not found:
        raise FolderError(
            f"{source} has no SafeSora config, such as config-train.json.gz. Give the path of the downloaded folder."
        )
    return sorted(found)


def part_of(path: Path) -> str:
    """Return the part that the name of a config states: train, test, eval, or excluded for any other."""
    named = CONFIG.fullmatch(path.name)
    part = (named and named["part"]) or ("eval" if path.name.startswith("eval-") else "")
    return part if part in PARTS else "excluded"


def _gather(path: Path, source: Path, gathering: Gathering, done: Conversion) -> None:
    part = part_of(path)
    for number, element in enumerate(elements(path), start=1):
        try:
            read = safesora_records.read(element)
            wrong = _add(read, part, gathering)
        except BadRecord as bad:
            wrong = str(bad)
        if wrong:
            file = path.relative_to(source).as_posix()
            gathering.leave_out(file, number, wrong)
            done.first = done.first if done.left_out else f"{file}, record {number}: {wrong}"
            done.left_out[wrong] += 1
        else:
            done.read[read.kind] += 1


#: By kind of record: whose text counts, and whose part. The kind with the most details is written.
RANKS = {"prompt": (0, 2), "video": (1, 1), "pair": (2, 0)}

#: What records of one id must agree on.
OF_PROMPT, OF_VIDEO = ("prompt_text", "prompt_type"), ("prompt_id", "video_text", "generated_from")


def _add(read: Read, part: str, gathering: Gathering) -> str:
    """Add what a record has. Return what is wrong with it; empty: nothing."""
    rank, part_rank = RANKS[read.kind]
    key = read.prompt["prompt_id"]
    part_rank = -1 if part == "eval" else part_rank
    wrong = gathering.add("prompts", Given(key, read.prompt, part, rank, part_rank, OF_PROMPT))
    for video in read.videos:
        # The split of T-V pairs is that of the labels; nested videos only say it where there are none.
        given = Given(video["video_id"], video, part, rank, rank, OF_VIDEO)
        wrong = wrong or gathering.add("videos", given, prompt=key)
    if read.pair:
        given = Given(read.pair["pair_id"], read.pair, part, same=tuple(read.pair))
        wrong = wrong or gathering.add("pairs", given, prompt=key)
    return wrong


def _write(gathering: Gathering, target: Path, done: Conversion, about: Mapping[str, Any]) -> None:
    counts: Counter[str] = Counter()
    writer = FolderWriter(target, NAME)
    writer.add("prompts.jsonl", _prompts(gathering, counts))
    writer.add("tv_pairs.jsonl", _tv_pairs(gathering, counts))
    writer.add("pairs.jsonl", _pairs(gathering, counts))
    writer.add("left_out.jsonl", gathering.left_out())
    manifest = {
        "manifest": VERSION,
        "external": {"format": NAME, "files": about["files"], "records": dict(sorted(done.read.items()))},
        "title": about["title"],
        "licence": about["licence"],
        "counts": dict(sorted(counts.items())),
        "left_out": dict(sorted(done.left_out.items())),
    }
    done.manifest = writer.end(MANIFEST, manifest)


def _prompts(gathering: Gathering, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for record, parts, pairs, videos in gathering.prompts():
        placed = _placed(record["prompt_id"], parts, "prompts", counts)
        yield placed | safesora_records.prompt_line(record, pairs=pairs, videos=videos)


def _tv_pairs(gathering: Gathering, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for key, record, parts in gathering.of_prompts("videos"):
        placed = _placed(record["prompt_id"], parts, "tv_pairs", counts)
        counts["tv_pairs_without_tags"] += record["video_labels"] is None
        yield placed | {"video_id": key} | safesora_records.tv_pair_line(record)


def _pairs(gathering: Gathering, counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for key, record, parts in gathering.of_prompts("pairs"):
        placed = _placed(record["prompt_id"], parts, "pairs", counts)
        yield placed | {"pair_id": key} | safesora_records.pair_line(record)


def _placed(prompt_id: str, parts: int, what: str, counts: Counter[str]) -> dict[str, Any]:
    """Return where a record belongs, and count it. What is in train and in test can be used for neither."""
    counts[what] += 1
    counts[f"{what}_in_both_parts"] += parts & BOTH == BOTH
    is_eval = bool(parts & BITS["eval"])
    part = "eval" if is_eval else next((one for one in ("train", "test") if parts == BITS[one]), "excluded")
    counts[f"{what}_{part}"] += 1
    return {"prompt_id": prompt_id, "part": part, "set": "eval" if is_eval else "corpus", "cluster": ""}


def _digests(found: list[Path], source: Path) -> list[dict[str, Any]]:
    files = []
    for path in found:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        about = {"sha256": digest.hexdigest(), "bytes": path.stat().st_size}
        files.append({"path": path.relative_to(source).as_posix(), **about})
    return files
