"""Records as rows of the Parquet files: the values of the JSON Lines, flat, with the names of `columns`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

import orjson

from annotation.protocol import HARM_KEYS, SUB_DIMENSION_KEYS, VIDEOS
from release_formats import annotation_lines, jsonl
from releases import aggregation, videos
from releases.items import QUESTIONS, Item, Items
from releases.models import Release

Row = dict[str, Any]
Record = TypeVar("Record")
#: Records whose videos are looked up together.
TOGETHER = 200


def prompts(release: Release, items: Items, part: str) -> Iterator[Row]:
    """Yield a row for each prompt of a part of the release, also for those without answers."""
    for row in jsonl.prompts(release, items, part):
        labels = row["prompt_labels"]
        yield row | {"prompt_labels": None if labels is None else [key for key, given in labels.items() if given]}


def tv_pairs(release: Release, items: Items, part: str) -> Iterator[Row]:
    """Yield a row for each T-V pair of a part of the release."""
    for group in together(aggregation.tv_pairs(items.current(part))):
        paths = _paths(release, (record.video.video_id for record in group))
        for record in group:
            row = jsonl.tv_pair(record)
            counts = row.pop("tag_counts")
            yield {
                **row,
                **_prompt_text(record.first),
                **_of_video(row),
                **{f"n_{key}": counts[key] for key in HARM_KEYS},
                **{f"video_{name}": path for name, path in paths.get(record.video.video_id, {}).items()},
            }


def pairs(release: Release, items: Items, part: str) -> Iterator[Row]:
    """Yield a row for each pair of a part of the release."""
    for group in together(aggregation.pairs(items.current(part))):
        paths = _paths(release, (video.video_id for record in group for video in record.first.videos))
        for record in group:
            line = jsonl.pair(record)
            yield {
                **line,
                **_prompt_text(record.first),
                **_inside(line, "selection"),
                **_inside(line, "asked_because"),
                **{f"{video}_id": line[video] for video in VIDEOS},
                **{f"{video}_{name}": path for video in VIDEOS for name, path in paths.get(line[video], {}).items()},
                **{question: record.decided(question) or None for question in QUESTIONS},
                **{
                    f"{question}_{name}": value
                    for question in QUESTIONS
                    for name, value in line["questions"][question].items()
                },
            }


def annotations(release: Release, items: Items, part: str) -> Iterator[Row]:
    """Yield a row for each revision of each valid, counted answer of a part of the release."""
    return _annotations(release, items, part, "valid")


def invalid(release: Release, items: Items, part: str) -> Iterator[Row]:
    """Yield a row for each revision of each invalid answer of a part of the release."""
    return _annotations(release, items, part, "invalid")


def _annotations(release: Release, items: Items, part: str, validity: str) -> Iterator[Row]:
    condition = f"frozen.standing__validity = '{validity}'"
    read = datetime.fromisoformat if release.with_times else date.fromisoformat
    for line in items.lines(annotation_lines.line(release), condition, part):
        helpfulness, harmlessness, standing = line["helpfulness"], line["harmlessness"], line["standing"]
        yield {
            **line,
            **{f"{video}_{name}": value for video in VIDEOS for name, value in _of_video(line[video]).items()},
            **{f"{video}_id": line[video]["video_id"] for video in VIDEOS},
            **{question: helpfulness[question] for question in SUB_DIMENSION_KEYS},
            "helpfulness": helpfulness["overall"],
            "harmlessness": harmlessness["overall"],
            **{f"tags_{video}": harmlessness[video]["tags"] for video in VIDEOS},
            **{name: as_json(line[name]) for name in ("timings_ms", "viewing", "presentation", "weights")},
            **{name: standing[name] for name in ("current", "validity", "counted")},
            "invalid_because": standing["reason"],
            "uncounted_because": standing["uncounted_reason"],
            **_inside(line, "selection"),
            "leased_at": read(line["leased_at"]),
            "submitted_at": read(line["submitted_at"]),
        }


def as_json(value: Mapping[str, Any] | None) -> str:
    """Return an object with open keys as a string, so that its column has one type whatever the keys are."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def together(records: Iterable[Record], size: int = TOGETHER) -> Iterator[Sequence[Record]]:
    """Yield records in groups of this size."""
    source = iter(records)
    while group := list(islice(source, size)):
        yield group


def _prompt_text(item: Item) -> Row:
    return {name: item.facts[name] for name in ("prompt_text", "prompt_type")}


def _of_video(video: Mapping[str, Any]) -> Row:
    names = ("source_id", "sha256", "video_text", "generated_from", "generator_version", "seed")
    about = {name: video[name] for name in names}
    return about | {"imported_name": video["file_name"], "settings": as_json(video["settings"])}


def _inside(line: Mapping[str, Any], name: str) -> Row:
    return {f"{name}_{key}": value for key, value in line[name].items()}


def _paths(release: Release, ids: Iterable[str]) -> dict[str, Row]:
    """Return by video where its files are: the archive and the name in it, and the file. Empty without videos."""
    if not {videos.VIDEOS, videos.SINGLE_VIDEOS} & set(release.formats):
        return {}
    found = {}
    for video_id, row in videos.by_id(release, ids).items():
        member = videos.member(row)
        found[video_id] = {
            "shard": videos.path_of_archive(videos.VIDEOS, row.part, row.video_archive),
            "member": member,
            "file_name": f"{videos.FOLDERS[videos.SINGLE_VIDEOS]}/{member}",
        }
    return found
