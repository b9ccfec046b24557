"""A release folder as arrays: prompts, T-V pairs, pairs and answers, a row each.

Records are read one prompt at a time. What stays in memory is about 100 bytes a row; texts and pictures do not stay.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from diptych_client.release_folder import FolderError, OfPrompt, Release
from diptych_client.release_folder.folder import MANIFEST
from diptych_client.release_folder.vocabulary import HARM_KEYS, PARTS, QUESTIONS
from training.learn.events import Failed

#: Choices as numbers. Missing: an external release may not have every question.
VIDEO_0, VIDEO_1, TIE, MISSING = 0, 1, 2, -1
CHOICES = ("video_0", "video_1", "tie")
TRAIN, TEST, EVAL, EXCLUDED = range(len(PARTS))
#: The tags that a moderation model has: 12, and whether there is any.
ANY_HARM = "any_harm"
TAGS = (*HARM_KEYS, ANY_HARM)
#: The share of the training clusters that validates.
VALIDATING = 0.1


One = TypeVar("One")


def groups(source: Iterable[One], size: int) -> Iterator[list[One]]:
    """Yield groups of this size. The last one may be smaller."""
    rest = iter(source)
    while group := list(islice(rest, size)):
        yield group


class Ids:
    """Published ids of 64 hexadecimal digits, 32 bytes each."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def __len__(self) -> int:
        return len(self.bytes) // 32

    def __getitem__(self, row: int) -> str:
        return bytes(self.bytes[32 * row : 32 * row + 32]).hex()

    def add(self, value: str) -> None:
        """Append an id. Raise ValueError if it is none."""
        one = bytes.fromhex(value)
        if len(one) != 32:
            raise ValueError(f"{value} has not 64 hexadecimal digits")
        self.bytes += one

    def keys(self) -> np.ndarray:
        """Return the first 8 bytes of each as a number, to compare and to sort: (n,) int64."""
        return np.frombuffer(bytes(self.bytes), np.int64)[::4].copy()


@dataclass(eq=False)
class Tables:
    """The rows of a release. Columns are of fixed size; a name `x_y` is column y of table x.

    Attributes:
        clusters: names of clusters; columns have their numbers.
        video_content: number of the imported file (of its SHA-256), to find one file under several prompts.
        video_tags: answers that gave each of `TAGS`, and in the last column all that judged it: (videos, 14).
        video_tags_scored: the same without answers that were asked for because others disagreed.
        answer_choice: (answers, 6) choices by `QUESTIONS`.
        answer_weight: (answers, 6) reliability of its author, 1 if the release has no weights.
        answer_scored: whether models are scored against it. False: it was asked for because others disagreed.
        answer_planned: whether it is one of the answers that its pair was planned to have, in the first round.
    """

    clusters: list[str] = field(default_factory=list)
    prompt_ids: Ids = field(default_factory=Ids)
    prompt_part: Any = field(default_factory=lambda: array("b"))
    prompt_cluster: Any = field(default_factory=lambda: array("i"))
    video_ids: Ids = field(default_factory=Ids)
    video_prompt: Any = field(default_factory=lambda: array("i"))
    video_content: Any = field(default_factory=lambda: array("q"))
    video_tags: Any = field(default_factory=lambda: array("i"))
    video_tags_scored: Any = field(default_factory=lambda: array("i"))
    pair_ids: Ids = field(default_factory=Ids)
    pair_videos: Any = field(default_factory=lambda: array("i"))
    pair_sampled: Any = field(default_factory=lambda: array("b"))
    answer_pair: Any = field(default_factory=lambda: array("i"))
    answer_id: Any = field(default_factory=lambda: array("q"))
    answer_choice: Any = field(default_factory=lambda: array("b"))
    answer_weight: Any = field(default_factory=lambda: array("f"))
    answer_scored: Any = field(default_factory=lambda: array("b"))
    answer_planned: Any = field(default_factory=lambda: array("b"))

    def freeze(self) -> "Tables":
        """Turn the columns into arrays, and return this."""
        for name, value in vars(self).items():
            if isinstance(value, array):
                setattr(self, name, np.array(value) if len(value) else np.empty(0, value.typecode))
        self.video_tags, self.video_tags_scored = (
            one.reshape(-1, len(TAGS) + 1) for one in (self.video_tags, self.video_tags_scored)
        )
        self.pair_videos = self.pair_videos.reshape(-1, 2)
        self.answer_choice = self.answer_choice.reshape(-1, len(QUESTIONS))
        self.answer_weight = self.answer_weight.reshape(-1, len(QUESTIONS))
        return self

    @property
    def pair_prompt(self) -> np.ndarray:
        """Return the prompt of each pair."""
        return np.asarray(self.video_prompt[self.pair_videos[:, 0]])

    def validating(self, seed: int) -> np.ndarray:
        """Return which clusters validate: a seeded tenth of those in training, at least one. (clusters,) bool"""
        in_training = sorted({self.clusters[one] for one in self.prompt_cluster[self.prompt_part == TRAIN]})
        order = sorted(in_training, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
        chosen = set(order[: max(1, round(VALIDATING * len(order)))]) if len(order) > 1 else set()
        return np.array([name in chosen for name in self.clusters], bool)

    def parts_of(self, prompts: np.ndarray, seed: int) -> np.ndarray:
        """Return the use of each of these prompts: the part's number, or −1 for validation."""
        validates = self.validating(seed)[self.prompt_cluster[prompts]]
        part = self.prompt_part[prompts]
        return np.where((part == TRAIN) & validates, -1, part)


def open_release(path: Path) -> Release:
    """Open a release folder. Raise Failed if it cannot be read."""
    try:
        return Release.open(path)
    except FolderError as error:
        raise Failed("bad_release", str(error)) from error


def manifest_hash(release: Release) -> str:
    """Return the SHA-256 of the manifest, which has those of all files."""
    return hashlib.sha256((release.root / MANIFEST).read_bytes()).hexdigest()


def read(release: Release) -> Tables:
    """Read all records of a release. Raise Failed for a file that is missing, damaged or in another order."""
    tables = Tables()
    reader = _Reader(tables, release.is_external)
    try:
        answers = _Ahead(release.annotations())
        for one in release.by_prompt():
            reader.add(one, answers)
        if answers.next is not None:
            raise FolderError(
                f"annotations.jsonl is not in the order of prompts, or has an unknown one: {answers.next['prompt_id']}."
            )
    except (FolderError, KeyError, ValueError) as error:
        raise Failed("bad_release", f"{release.root} cannot be read: {error}") from error
    return tables.freeze()


class _Ahead:
    """Lines of annotations, of which the next one is read already."""

    def __init__(self, lines: Iterator[dict[str, Any]]) -> None:
        self.lines = lines
        self.next = next(lines, None)

    def take(self, prompt_id: str) -> Iterator[dict[str, Any]]:
        while self.next is not None and self.next["prompt_id"] == prompt_id:
            yield self.next
            self.next = next(self.lines, None)


class _Reader:
    """Adds the records of one prompt after another to the tables."""

    def __init__(self, tables: Tables, is_external: bool) -> None:
        self.tables, self.is_external = tables, is_external
        self.numbers: dict[str, int] = {}

    def add(self, one: OfPrompt, answers: _Ahead) -> None:
        t, prompt = self.tables, len(self.tables.prompt_ids)
        t.prompt_ids.add(one.prompt.prompt_id)
        t.prompt_part.append(PARTS.index(one.prompt.part))
        number = self.numbers.setdefault(one.prompt.cluster, len(self.numbers))
        if number == len(t.clusters):
            t.clusters.append(one.prompt.cluster)
        t.prompt_cluster.append(number)
        videos: dict[str, int] = {}
        tags = {}
        for video in one.tv_pairs.values():
            videos[video.video_id] = len(t.video_ids)
            t.video_ids.add(video.video_id)
            t.video_prompt.append(prompt)
            content = bytes.fromhex(video.sha256 or video.video_id)[:8]
            t.video_content.append(int.from_bytes(content, "little", signed=True))
            tags[video.video_id] = _Tags()
            if self.is_external and video.tags is not None:
                tags[video.video_id].add_counts(video.tag_counts, video.n, is_safe=bool(video.is_safe))
        pairs: dict[str, int] = {}
        for pair in one.pairs:
            pairs[pair.pair_id] = len(t.pair_ids)
            t.pair_ids.add(pair.pair_id)
            t.pair_videos.extend((videos[pair.video_0], videos[pair.video_1]))
            t.pair_sampled.append(pair.in_sample)
            if self.is_external:
                self._add_counts(pairs[pair.pair_id], pair)
        for line in answers.take(one.prompt.prompt_id):
            if line["pair_id"] not in pairs:
                raise FolderError(
                    f"annotations.jsonl has the pair {line['pair_id']}, which pairs.jsonl does not have, or which is "
                    "not in the order of prompts."
                )
            if line["standing"]["current"] and line["standing"]["validity"] == "valid":
                self._add_answer(pairs[line["pair_id"]], line, tags)
        for each in tags.values():
            t.video_tags.extend(each.all)
            t.video_tags_scored.extend(each.scored)

    def _add_answer(self, pair: int, line: dict[str, Any], tags: dict[str, "_Tags"]) -> None:
        said = {**line["helpfulness"], "helpfulness": line["helpfulness"]["overall"]}
        said["harmlessness"] = line["harmlessness"]["overall"]
        is_scored = line["asked_because"] != "more_opinions"
        weights = line["weights"] or dict.fromkeys(QUESTIONS, 1.0)
        self._append(pair, line["annotation_id"], [CHOICES.index(said[one]) for one in QUESTIONS], is_scored)
        self.tables.answer_planned.append(line["asked_because"] == "plan" and line["round"] == 0)
        self.tables.answer_weight.extend(weights[one] for one in QUESTIONS)
        for video in ("video_0", "video_1"):
            tags[line[video]["video_id"]].add(line["harmlessness"][video]["tags"], is_scored)

    def _add_counts(self, pair: int, one: Any) -> None:
        """Add the answers of an external pair, which has only counts. Nobody knows which answers belong together."""
        for question, counts in one.counts.items():
            said = [MISSING] * len(QUESTIONS)
            for choice, number in enumerate((counts.video_0, counts.video_1, counts.tie)):
                for _answer in range(number):
                    said[QUESTIONS.index(question)] = choice
                    self._append(pair, -1, said, True)
                    self.tables.answer_planned.append(True)
                    self.tables.answer_weight.extend([1.0] * len(QUESTIONS))

    def _append(self, pair: int, annotation_id: int, said: list[int], is_scored: bool) -> None:
        t = self.tables
        t.answer_pair.append(pair)
        t.answer_id.append(annotation_id)
        t.answer_choice.extend(said)
        t.answer_scored.append(is_scored)


class _Tags:
    """How many answers gave a T-V pair each tag."""

    def __init__(self) -> None:
        self.all, self.scored = [0] * (len(TAGS) + 1), [0] * (len(TAGS) + 1)

    def add(self, tags: list[str], is_scored: bool) -> None:
        for counts in (self.all, self.scored)[: 1 + is_scored]:
            for tag in (*tags, *([ANY_HARM] if tags else [])):
                counts[TAGS.index(tag)] += 1
            counts[-1] += 1

    def add_counts(self, counts: dict[str, int], n: int, *, is_safe: bool) -> None:
        """Add what an external release states. How many answers gave any tag is not known, so it is all or none."""
        self.all = [*(counts[key] for key in HARM_KEYS), 0 if is_safe else n, n]
        self.scored = list(self.all)
