"""The platform's own records as JSON Lines: `annotations`, `pairs`, `tv_pairs`, `prompts`, and `invalid` on request.

A schema in `releases/schemas` describes the lines of each file.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from annotation.protocol import HARM_KEYS
from diptych.downloads import CopyFile
from releases import aggregation
from releases.aggregation import PairRecord, PromptRecord, TVPairRecord
from releases.formats import Folder, Format
from releases.formats.annotation_lines import line
from releases.items import QUESTIONS, Item, Items
from releases.models import Release

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the files of this format."""
    of_validity = {"annotations.jsonl": "valid"} | ({"invalid.jsonl": "invalid"} if release.with_invalid else {})
    for path, validity in of_validity.items():
        condition = f"frozen.standing__validity = '{validity}'"
        folder.add(path, partial(items.copy, line(release), condition))
    folder.add("pairs.jsonl", lambda file: write_lines(map(pair, aggregation.pairs(items.current())), file))
    folder.add("tv_pairs.jsonl", lambda file: write_lines(map(tv_pair, aggregation.tv_pairs(items.current())), file))
    folder.add("prompts.jsonl", lambda file: write_lines(map(prompt, aggregation.prompts(items.current())), file))


def write_lines(records: Iterable[Mapping[str, Any]], file: CopyFile) -> None:
    """Write one JSON object per line, with sorted keys. Raise OSError."""
    for record in records:
        file.write(orjson.dumps(record, option=OPTIONS))


def pair(record: PairRecord) -> dict[str, Any]:
    """Return the record of a pair."""
    item = record.first
    return {
        **_of_prompt(item),
        "pair_id": item.pair_id,
        "video_0": item.videos[0].video_id,
        "video_1": item.videos[1].video_id,
        "batch": item.facts["batch"],
        "lots": sorted(record.lots),
        "in_sample": item.facts["in_sample"],
        "selection": selection(item),
        "n": record.n,
        "asked_because": {why: record.asked_because[why] for why in ("plan", "more_opinions", "replacement")},
        "questions": {
            key: aggregation.counts_with_ties(record.counts[key]) | {"share_video_1": record.share(key)}
            for key in QUESTIONS
        },
        "method": aggregation.SHARE_METHOD,
    }


def tv_pair(record: TVPairRecord) -> dict[str, Any]:
    """Return the record of a T-V pair."""
    tags = record.tags
    return {
        **_of_prompt(record.first),
        **record.video._asdict(),
        "n": record.n,
        "tag_counts": {key: record.counts[key] for key in HARM_KEYS},
        "tags": tags,
        "is_safe": not tags,
        "method": aggregation.TAG_METHOD,
    }


def prompt(record: PromptRecord) -> dict[str, Any]:
    """Return the record of a prompt."""
    facts = record.first.facts
    return {
        **_of_prompt(record.first),
        "prompt_source_id": facts["prompt_source_id"],
        "prompt_text": facts["prompt_text"],
        "prompt_type": facts["prompt_type"],
        "language": facts["prompt_language"],
        "prompt_labels": labels(facts["prompt_labels"]),
        "labelled_by": facts["prompt_labelled_by"],
        "source": facts["prompt_source"],
        "source_detail": facts["prompt_source_detail"],
        "licence": facts["prompt_licence"],
        "n_pairs": len(record.pairs),
        "n_videos": len(record.videos),
        "n_answers": record.n,
    }


def labels(keys: Iterable[str] | None) -> dict[str, bool] | None:
    """Return labels as booleans by harm key, or None if the prompt is not labelled."""
    return None if keys is None else {key: key in keys for key in HARM_KEYS}


def selection(item: Item) -> dict[str, Any]:
    """Return how the pair was chosen for annotation."""
    return {name: item.facts[f"selection_{name}"] for name in ("method", "probability", "model")}


def _of_prompt(item: Item) -> dict[str, Any]:
    return {"prompt_id": item.prompt_id, **aggregation.place_in_study(item)}


FORMAT = Format("jsonl", _("JSON Lines: the records of this platform"), write, default=True)
