"""Published SafeSora datasets, as people download them, for tests."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from diptych_client.release_folder.vocabulary import HARM_KEYS, SUB_DIMENSIONS


def hex64(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def prompt(number: int, **values: Any) -> dict[str, Any]:
    text = f"A red ball rolls past mark {number}"
    kind = "safety_critical" if number % 2 else "safety_neutral"
    return {"prompt_id": hex64(json.dumps(text)), "prompt_text": text, "prompt_type": kind} | values


def labels(*tags: str) -> dict[str, bool]:
    return {key: key in tags for key in HARM_KEYS}


def video(number: int, letter: str, **values: Any) -> dict[str, Any]:
    about = prompt(number)
    made = {"video_id": hex64(f"video {number} {letter}"), "video_text": about["prompt_text"]}
    path = f"{about['prompt_id']}/{made['video_id']}.mp4"
    return about | made | {"video_path": path, "generated_from": f"model-{letter}", "is_safe": True} | values


def label(number: int, letter: str, *tags: str) -> dict[str, Any]:
    more = {"prompt_labels": labels("crime") if number % 2 else labels(), "video_labels": labels(*tags)}
    return video(number, letter) | more | {"is_safe": not tags}


def preference(number: int, *letters: str, **values: Any) -> dict[str, Any]:
    zero, one = letters or ("a", "b")
    sub = dict.fromkeys((*SUB_DIMENSIONS, "information"), "video_0")
    chosen = {"helpfulness": "video_0", "harmlessness": "video_1", "sub_preferences": sub}
    videos = {"video_0": video(number, zero), "video_1": video(number, one)}
    return {"pair_id": hex64(f"{number} {zero}{one}")} | prompt(number) | videos | chosen | values


def config(root: Path, name: str, records: Any) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps(records).encode()
    path.write_bytes(gzip.compress(written) if name.endswith(".gz") else written)
    return path


def dataset(root: Path) -> Path:
    """Write four prompts with their videos, five pairs in two parts, and a prompt for evaluation."""
    config(root, "SafeSora/config-train.json.gz", [preference(0), preference(1), preference(3)])
    config(root, "SafeSora/config-test.json.gz", [preference(2), preference(2, "b", "c")])
    tagged = [label(1, "a", "violence", "crime"), label(1, "b"), label(0, "a"), label(0, "b"), label(3, "a")]
    config(root, "SafeSora-Label/config-train.json.gz", [*tagged, label(3, "b")])
    config(root, "SafeSora-Label/config-test.json.gz", [label(2, letter) for letter in "abc"])
    sources = {0: "real_user", 1: "researcher", 2: "a gallery", 3: ""}
    prompts = [prompt(n, prompt_labels=labels(), source=source) for n, source in sources.items()]
    config(root, "SafeSora-Prompt/config-train.json.gz", prompts)
    config(root, "SafeSora-Eval/eval-prompt.json.gz", [prompt(9, prompt_labels=labels("hate"))])
    return root
