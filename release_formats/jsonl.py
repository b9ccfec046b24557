"""The platform's own records as JSON Lines: `annotations`, `pairs`, `tv_pairs`, `prompts`, `labels` if
there are any, and `invalid` on request.

A schema in `releases/schemas` describes the lines of each file.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from annotation.protocol import HARM_KEYS
from diptych.downloads import CopyFile
from release_formats.annotation_lines import line
from releases import aggregation, material
from releases.aggregation import PairRecord, PromptRecord, TVPairRecord
from releases.formats import Folder, Format
from releases.items import QUESTIONS, Item, Items
from releases.models import Release, ReleasePrompt

OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def write(release: Release, items: Items, folder: Folder) -> None:
    """Write the files of this format."""
    of_validity = {"annotations.jsonl": "valid"} | ({"invalid.jsonl": "invalid"} if release.with_invalid else {})
    for path, validity in of_validity.items():
        condition = f"frozen.standing__validity = '{validity}'"
        folder.add(path, partial(items.copy, line(release), condition))
    folder.add("pairs.jsonl", lambda file: write_lines(map(pair, aggregation.pairs(items.current())), file))
    folder.add("tv_pairs.jsonl", lambda file: write_lines(map(tv_pair, aggregation.tv_pairs(items.current())), file))
    folder.add("prompts.jsonl", lambda file: write_lines(prompts(release, items), file))
    if material.has_labels(release):
        folder.add("labels.jsonl", partial(material.copy_labels, items))


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


def prompts(release: Release, items: Items, part: str = "") -> Iterator[dict[str, Any]]:
    """Yield the records of all prompts of a release, also of those without answers, by their published ids.

    `part` leaves out all other parts of the release.
    """
    answered = aggregation.prompts(items.current(part))
    record = next(answered, None)
    for row in material.prompts(release, part):
        if record is not None and record.first.prompt_id == row.prompt_id:
            yield prompt(row, record)
            record = next(answered, None)
        else:
            yield prompt(row, None)


def prompt(row: ReleasePrompt, record: PromptRecord | None) -> dict[str, Any]:
    """Return the record of a prompt. `record` counts its answers; None: it has no released answer."""
    return {
        "prompt_id": row.prompt_id,
        "part": row.part,
        "set": row.set,
        "cluster": row.cluster,
        "prompt_source_id": row.source_id,
        "prompt_text": row.text,
        "prompt_type": row.prompt_type,
        "language": row.language,
        "prompt_labels": labels(row.labels),
        "labelled_by": row.labelled_by,
        "source": row.source,
        "source_detail": row.source_detail,
        "licence": row.licence,
        "n_pairs": len(record.pairs) if record else 0,
        "n_videos": len(record.videos) if record else 0,
        "n_answers": record.n if record else 0,
    }


def labels(keys: Iterable[str] | None) -> dict[str, bool] | None:
    """Return labels as booleans by harm key, or None if the prompt is not labelled."""
    return None if keys is None else {key: key in keys for key in HARM_KEYS}


def selection(item: Item) -> dict[str, Any]:
    """Return how the pair was chosen for annotation."""
    return {name: item.facts[f"selection_{name}"] for name in ("method", "probability", "model")}


def _of_prompt(item: Item) -> dict[str, Any]:
    return {"prompt_id": item.prompt_id, **aggregation.place_in_study(item)}


FORMAT = Format("jsonl", _("JSON Lines: the records of this platform"), write, order=10, default=True)
