"""Records of the SafeSora format: read them, and write them as records of a release folder."""

import re
from dataclasses import dataclass, field
from typing import Any

from diptych_client.release_folder.vocabulary import HARM_KEYS, PROMPT_TYPES, QUESTIONS, SUB_DIMENSIONS, TIE, VIDEOS

ID = re.compile("[0-9a-f]{64}")
#: The published loader reads this key, the trainer and the README read `informativeness`.
LOADERS_KEY = "information"
#: Who gave the labels of prompts in the published data.
LABELLED_BY = "GPT-4, as published with SafeSora"
SOURCES = ("real_user", "researcher")
METHOD = "as published"


class BadRecord(Exception):
    """The record cannot be used. `str()` of it says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a record says: of a prompt, of its videos, and of a pair."""

    kind: str
    prompt: dict[str, Any]
    videos: list[dict[str, Any]] = field(default_factory=list)
    pair: dict[str, Any] | None = None


def read(record: Any) -> Read:
    """Return what a record of a config says. Raise BadRecord."""
    if not isinstance(record, dict):
        raise BadRecord("is no JSON object")
    prompt = _prompt(record)
    if any(video in record for video in VIDEOS):
        nested = [record.get(name) for name in VIDEOS]
        if not all(isinstance(one, dict) for one in nested):
            raise BadRecord("video_0 or video_1 is no JSON object")
        videos = [_video(one, prompt["prompt_id"]) for one in nested if isinstance(one, dict)]
        return Read("pair", prompt, videos, _pair(record, prompt["prompt_id"], videos))
    if "video_id" in record:
        return Read("video", prompt, [_video(record, prompt["prompt_id"])])
    return Read("prompt", prompt)


def _prompt(record: dict[str, Any]) -> dict[str, Any]:
    if record.get("prompt_type") not in PROMPT_TYPES:
        raise BadRecord("prompt_type is neither safety_neutral nor safety_critical")
    source = record.get("source")
    return {
        "prompt_id": _id(record, "prompt_id"),
        "prompt_text": _text(record, "prompt_text"),
        "prompt_type": record["prompt_type"],
        "prompt_labels": _labels(record, "prompt_labels"),
        "source": source if isinstance(source, str) else "",
    }


def _video(record: dict[str, Any], prompt_id: str) -> dict[str, Any]:
    if record.get("prompt_id", prompt_id) != prompt_id:
        raise BadRecord("a video belongs to another prompt than its pair")
    if not isinstance(record.get("is_safe"), bool | None):
        raise BadRecord("is_safe is neither true nor false")
    return {
        "prompt_id": prompt_id,
        "video_id": _id(record, "video_id"),
        "video_text": _text(record, "video_text"),
        "generated_from": _text(record, "generated_from") if record.get("generated_from") else "",
        "video_labels": _labels(record, "video_labels"),
        "is_safe": record.get("is_safe"),
    }


def _pair(record: dict[str, Any], prompt_id: str, videos: list[dict[str, Any]]) -> dict[str, Any]:
    zero, one = (video["video_id"] for video in videos)
    if zero == one:
        raise BadRecord("video_0 and video_1 are the same video")
    sub = record.get("sub_preferences")
    sub = {} if sub is None else sub
    if not isinstance(sub, dict):
        raise BadRecord("sub_preferences is no JSON object")
    choices = {key: sub.get(key) for key in SUB_DIMENSIONS}
    others = {sub[key] for key in ("informativeness", LOADERS_KEY) if isinstance(sub.get(key), str)}
    if len(others) > 1:
        raise BadRecord(f"informativeness and {LOADERS_KEY} differ")
    choices["informativeness"] = next(iter(others), None)
    choices |= {key: record.get(key) for key in ("helpfulness", "harmlessness")}
    for key, choice in choices.items():
        if choice not in (*VIDEOS, TIE, None):
            raise BadRecord(f"{key} is neither video_0 nor video_1")
    about = {"pair_id": _id(record, "pair_id"), "prompt_id": prompt_id, "video_0": zero, "video_1": one}
    return about | {"choices": choices}


def _id(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise BadRecord(f"{name} is missing, or is not 64 hexadecimal digits in lower case")
    return value


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise BadRecord(f"{name} is missing or empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRecord(f"{name} has half of a character, a lone surrogate") from None
    return value


def _labels(record: dict[str, Any], name: str) -> dict[str, bool] | None:
    """Return twelve labels, or None if there are none. The published loader lets `racism` alone be missing."""
    given = record.get(name)
    if given is None:
        return None
    if not isinstance(given, dict) or not set(HARM_KEYS) - {"racism"} <= given.keys() <= set(HARM_KEYS):
        raise BadRecord(f"{name} does not have the twelve harm keys")
    labels = {key: given.get(key, False) for key in HARM_KEYS}
    if not all(isinstance(one, bool) for one in labels.values()):
        raise BadRecord(f"{name} has a value that is neither true nor false")
    return labels


def prompt_line(record: dict[str, Any], *, pairs: int, videos: int) -> dict[str, Any]:
    """Return the line of a prompt, without its place."""
    is_labelled, source = record["prompt_labels"] is not None, record["source"]
    return {
        **{name: record[name] for name in ("prompt_text", "prompt_type", "prompt_labels")},
        "prompt_source_id": "",
        "language": "",
        "labelled_by": LABELLED_BY if is_labelled else "",
        "source": source if source in SOURCES else "",
        "source_detail": "" if source in SOURCES else source,
        "licence": "",
        "n_pairs": pairs,
        "n_videos": videos,
        "n_answers": pairs,
    }


def tv_pair_line(record: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a T-V pair, without its place."""
    given = record["video_labels"]
    tags = None if given is None else [key for key in HARM_KEYS if given[key]]
    unknown = ("source_id", "file_name", "sha256", "generator_version", "seed", "refined_by", "licence")
    return {
        **dict.fromkeys(unknown, ""),
        "video_text": record["video_text"],
        "generated_from": record["generated_from"],
        "settings": {},
        "fps": None,
        "frames": None,
        "n": 0 if tags is None else 1,
        "tag_counts": {key: int(tags is not None and key in tags) for key in HARM_KEYS},
        "tags": tags,
        "is_safe": record["is_safe"] if tags is None else not tags,
        "method": METHOD,
    }


def pair_line(record: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a pair, without its place."""
    return {
        "video_0": record["video_0"],
        "video_1": record["video_1"],
        "batch": None,
        "lots": [],
        "in_sample": False,
        "selection": {"method": "published", "probability": None, "model": ""},
        "n": 1,
        "asked_because": {"plan": 1, "more_opinions": 0, "replacement": 0},
        "questions": {key: _counts(record["choices"][key]) for key in QUESTIONS},
        "method": METHOD,
    }


def _counts(choice: str | None) -> dict[str, Any]:
    return {
        "n_video_0": int(choice == VIDEOS[0]),
        "n_video_1": int(choice == VIDEOS[1]),
        "n_tie": int(choice == TIE),
        "share_video_1": float(choice == VIDEOS[1]) if choice in VIDEOS else None,
    }
