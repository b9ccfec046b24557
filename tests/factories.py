"""Small makers of rows, each with sensible values for what a test does not care about."""

import hashlib
import itertools
import json
import uuid
from typing import Any

from django.utils import timezone

from accounts.models import User
from catalog.models import Asset, Batch, Membership, Pair, Prompt, Study, Video

_numbers = itertools.count(1)


def hex64(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(**values: Any) -> User:
    number = next(_numbers)
    values = {"username": f"person-{number}"} | values
    user = User(**values)
    user.set_password("a password of its own")
    user.save()
    return user


def study(**values: Any) -> Study:
    number = next(_numbers)
    return Study.objects.create(**{"slug": f"study-{number}", "title": f"Study {number}"} | values)


def member(of: Study, role: str, **values: Any) -> User:
    """A new person with a role in the study."""
    user = person(**values)
    Membership.objects.create(study=of, person=user, role=role)
    return user


def prompt(of: Study, **values: Any) -> Prompt:
    text = values.pop("text", None) or f"A red ball rolls past mark {next(_numbers)}"
    return Prompt.objects.create(**{"study": of, "text": text, "public_id": hex64(json.dumps(text))} | values)


def asset(**values: Any) -> Asset:
    """An asset that is ready to be played, unless told otherwise."""
    number = next(_numbers)
    ready = {"state": "ready", "duration_s": 2.0, "fps": 24.0, "finished_at": timezone.now()}
    return Asset.objects.create(
        **{"sha256": hex64(f"bytes {number}"), "byte_size": 1000, "original": f"originals/{number}"}
        | (ready if "state" not in values else {})
        | values
    )


def video(of: Prompt, **values: Any) -> Video:
    values.setdefault("asset", None)
    values["asset"] = values["asset"] or asset()
    return Video.objects.create(
        **{"study": of.study, "prompt": of, "public_id": hex64(f"video {next(_numbers)}")} | values
    )


def batch(of: Study, **values: Any) -> Batch:
    return Batch.objects.get_or_create(study=of, number=values.pop("number", 1), defaults=values)[0]


def pair(of: Study, **values: Any) -> Pair:
    """A pair of two ready videos, wanted once."""
    about = values.pop("prompt", None) or prompt(of)
    wanted = values.pop("wanted", 1)
    defaults = {
        "study": of,
        "batch": batch(of),
        "prompt": about,
        "public_id": hex64(f"pair {next(_numbers)}"),
        "wanted": wanted,
        "open_slots": wanted,
        "ready": True,
    }
    defaults["video_0"] = values.pop("video_0", None) or video(about)
    defaults["video_1"] = values.pop("video_1", None) or video(about)
    return Pair.objects.create(**defaults | values)


def pairs(of: Study, count: int, **values: Any) -> list[Pair]:
    return [pair(of, **values) for _ in range(count)]


def body(**values: Any) -> dict[str, Any]:
    """A complete, consistent submission."""
    return {
        "submission_id": str(uuid.uuid4()),
        "helpfulness": {
            "instruction_following": "video_0",
            "correctness": "video_1",
            "informativeness": "video_0",
            "aesthetics": "video_1",
            "overall": "video_0",
        },
        "harmlessness": {
            "video_0": {"tags": []},
            "video_1": {"tags": ["violence"]},
            "overall": "video_0",
        },
        "timings_ms": {"total_active": 42_000},
        "viewing": {},
    } | values
