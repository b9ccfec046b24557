"""The SafeSora format: four folders that load in the published loader as it is.

A pair is in `SafeSora/` only if all six questions are decided and the aggregated tags do not contradict the preference
for harmlessness. Prompts without labels are in none of the folders. `SafeSora/left_out.jsonl` has what is missing, and
why. The records of the platform keep all of it.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any, cast

import orjson
from django.utils.translation import gettext_lazy as _

from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS
from diptych.downloads import CopyFile
from diptych_client.release_folder.records import contradicts
from diptych_client.release_folder.safesora_records import LOADERS_KEY
from release_formats.jsonl import labels, write_lines
from releases import material
from releases.aggregation import OfPrompt, PairRecord, TVPairRecord, of_prompts
from releases.formats import Folder, Format
from releases.items import QUESTIONS, Item, Items
from releases.models import Release, ReleasePrompt

PARTS = ("train", "test")
LEFT_OUT = "SafeSora/left_out.jsonl"


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the files of this format. A file without records is an empty array."""
    for name, records in (("SafeSora", preferences), ("SafeSora-Label", tv_pairs)):
        for part in PARTS:
            folder.add(f"{name}/config-{part}.json.gz", partial(_write_part, records, items, part))
    for part in PARTS:
        folder.add(f"SafeSora-Prompt/config-{part}.json.gz", partial(_write_prompts, release, part))
    folder.add("SafeSora-Eval/eval-prompt.json.gz", partial(_write_prompts, release, "eval"))
    folder.add(LEFT_OUT, partial(_write_left_out, release, items))


def _write_part(records: Any, items: Items, part: str, file: CopyFile) -> Mapping[str, int]:
    found = (one for group in of_prompts(items.current(part)) if is_labelled(group.first) for one in records(group))
    return {"records": write_array(found, file)}


def _write_prompts(release: Release, part: str, file: CopyFile) -> Mapping[str, int]:
    found = (_prompt(one) for one in material.prompts(release, part) if one.labels is not None)
    return {"records": write_array(found, file)}


def _write_left_out(release: Release, items: Items, file: CopyFile) -> Mapping[str, Mapping[str, int]]:
    counts: dict[str, Counter[str]] = {what: Counter() for what in ("prompt", "tv_pair", "pair")}

    def counted() -> Iterator[dict[str, str]]:
        of_groups = chain.from_iterable(map(left_out, of_prompts(items.current())))
        for line in chain(prompts_left_out(material.prompts(release)), of_groups):
            counts[line["what"]][line["reason"]] += 1
            yield line

    write_lines(counted(), file)
    return {f"{what}s": dict(sorted(reasons.items())) for what, reasons in counts.items()}


def write_array(records: Iterable[Mapping[str, Any]], file: CopyFile) -> int:
    """Write one gzipped JSON array, a record on each line. Return the number of records. Raise OSError."""
    number = 0
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=cast(Any, file), mtime=0) as packed:
        packed.write(b"[")
        for record in records:
            packed.write((b",\n" if number else b"\n") + orjson.dumps(record))
            number += 1
        packed.write(b"\n]\n")
    return number


def is_labelled(item: Item) -> bool:
    """Return whether the prompt of an item has labels, which records of this format need."""
    return item.facts["prompt_labels"] is not None


def preferences(group: OfPrompt) -> Iterator[dict[str, Any]]:
    """Yield the preference record of each pair of a prompt that can have one."""
    for pair in group.pairs:
        if not why_not(pair, group.tv_pairs):
            yield preference(pair, group.tv_pairs)


def why_not(pair: PairRecord, of: Mapping[str, TVPairRecord]) -> str:
    """Return why a pair of a labelled prompt in train or test has no preference record; empty if it has one."""
    if not all(pair.decided(question) for question in QUESTIONS):
        return "undecided"
    tags = (of[video.video_id].tags for video in pair.first.videos)
    return "contradiction" if contradicts(pair.decided("harmlessness"), *tags) else ""


def preference(pair: PairRecord, of: Mapping[str, TVPairRecord]) -> dict[str, Any]:
    """Return the preference record of a pair. All its questions are decided."""
    item = pair.first
    sub = {key: pair.decided(key) for key in SUB_DIMENSION_KEYS}
    zero, one = (of[video.video_id] for video in item.videos)
    return {
        "pair_id": item.pair_id,
        **_of_prompt(item),
        "video_0": _video(zero) | {"is_safe": not zero.tags},
        "video_1": _video(one) | {"is_safe": not one.tags},
        "helpfulness": pair.decided("helpfulness"),
        "harmlessness": pair.decided("harmlessness"),
        # The published loader reads the second key and drops the first, which the trainer reads.
        "sub_preferences": sub | {LOADERS_KEY: sub["informativeness"]},
    }


def tv_pairs(group: OfPrompt) -> Iterator[dict[str, Any]]:
    """Yield the label record of each T-V pair of a labelled prompt."""
    for record in group.tv_pairs.values():
        yield _video(record) | {
            "prompt_labels": labels(record.first.facts["prompt_labels"]),
            "is_safe": not record.tags,
            "video_labels": {key: key in record.tags for key in HARM_KEYS},
        }


def _prompt(prompt: ReleasePrompt) -> dict[str, Any]:
    """Return the record of a labelled prompt, which may have no answers."""
    return {
        "prompt_id": prompt.prompt_id,
        "prompt_text": prompt.text,
        "prompt_type": prompt.prompt_type,
        "prompt_labels": labels(prompt.labels),
        "source": prompt.source or prompt.source_detail,
    }


def prompts_left_out(prompts: Iterable[ReleasePrompt]) -> Iterator[dict[str, str]]:
    """Yield a line for each prompt that is in no file of this format. Those for evaluation have a file."""
    for prompt in prompts:
        reason = prompt.part if prompt.part not in (*PARTS, "eval") else "unlabelled" if prompt.labels is None else ""
        if reason:
            yield {"what": "prompt", "id": prompt.prompt_id, "prompt_id": prompt.prompt_id, "reason": reason}


def left_out(group: OfPrompt) -> Iterator[dict[str, str]]:
    """Yield a line for each T-V pair and each pair of a prompt that is in no file of this format."""
    item, part = group.first, group.first.facts["part"]
    of_all = part if part not in PARTS else "" if is_labelled(item) else "unlabelled"
    found = [("tv_pair", video_id, of_all) for video_id in group.tv_pairs]
    found += [("pair", pair.first.pair_id, of_all or why_not(pair, group.tv_pairs)) for pair in group.pairs]
    for what, key, reason in found:
        if reason:
            yield {"what": what, "id": key, "prompt_id": item.prompt_id, "reason": reason}


def _of_prompt(item: Item) -> dict[str, Any]:
    facts = item.facts
    return {"prompt_id": item.prompt_id, "prompt_text": facts["prompt_text"], "prompt_type": facts["prompt_type"]}


def _video(record: TVPairRecord) -> dict[str, Any]:
    """Return what every record says of a video. The loader needs the prompt's id in it to find the file."""
    video = record.video
    return _of_prompt(record.first) | {
        "video_id": video.video_id,
        "video_text": video.video_text,
        "video_path": f"{record.first.prompt_id}/{video.video_id}.mp4",
        "generated_from": video.generated_from,
    }


FORMAT = Format("safesora", _("SafeSora: for the published loader"), write, order=30)
