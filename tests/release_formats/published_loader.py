"""What the published SafeSora loader reads of a config, written again from the facts in the protocol.

It reads a whole JSON array, keeps the keys that it knows, and sets missing ones to None. Of nested videos it drops the
labels, and of the sub-dimensions it knows `information` and not `informativeness`.
"""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from diptych_client.release_folder.vocabulary import HARM_KEYS

OF_PROMPT = ("prompt_id", "prompt_text", "prompt_type")
OF_VIDEO = (*OF_PROMPT, "video_id", "video_text", "video_path", "is_safe", "generated_from")
SUB = ("instruction_following", "correctness", "information", "aesthetics")


def pick(record: Any, keys: Iterable[str]) -> dict[str, Any] | None:
    return None if record is None else {key: record.get(key) for key in keys}


def labelled(record: dict[str, Any], keys: Iterable[str], *of: str) -> dict[str, Any]:
    return {**(pick(record, keys) or {}), **{name: pick(record.get(name), HARM_KEYS) for name in of}}


def pair(record: dict[str, Any]) -> dict[str, Any]:
    videos = {name: pick(record.get(name), OF_VIDEO) for name in ("video_0", "video_1")}
    known = pick(record, ("pair_id", *OF_PROMPT, "helpfulness", "harmlessness")) or {}
    return known | videos | {"sub_preferences": pick(record.get("sub_preferences"), SUB)}


FORMS = {
    "SafeSora": pair,
    "SafeSora-Label": lambda record: labelled(record, OF_VIDEO, "prompt_labels", "video_labels"),
    "SafeSora-Prompt": lambda record: labelled(record, OF_PROMPT, "prompt_labels"),
    "SafeSora-Eval": lambda record: labelled(record, OF_PROMPT, "prompt_labels"),
}


def load(path: Path, kind: str, video_dir: str | None = None) -> list[dict[str, Any]]:
    """Return the records of a config as the loader has them. Raise ValueError and KeyError as it would."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.name.endswith(".json.gz") else content
    records = [FORMS[kind](record) for record in json.loads(content)]
    for record in records if video_dir is not None and "Prompt" not in kind and "Eval" not in kind else []:
        for video in (record["video_0"], record["video_1"]) if kind == "SafeSora" else (record,):
            video["video_path"] = f"{video_dir}/{video['prompt_id']}/{video['video_id']}.mp4"
    return records


def is_complete(record: dict[str, Any]) -> bool:
    """Return whether no value of a loaded record is None, as the loader's own check has it."""
    return all(is_complete(value) if isinstance(value, dict) else value is not None for value in record.values())
