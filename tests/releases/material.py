"""Videos with stored files, for tests of what releases make from them."""

import hashlib
import io
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from catalog.models import Pair
from media import names
from media.models import Asset
from tests import factories


def asset(number: int, size: int = 900) -> Asset:
    """Return an asset with stored files: a playback file of so many bytes, which nobody can play, and 8 pictures."""
    playback = hashlib.shake_128(f"video {number}".encode()).digest(size)
    pictures = [_jpeg((number * 40 % 256, place * 30, 90)) for place in range(names.TRAINING_FRAMES)]
    sizes = {"playback.mp4": size} | {f"frames/{place}.jpg": len(one) for place, one in enumerate(pictures)}
    facts = {"sha256": hashlib.sha256(playback).hexdigest(), "width": 320, "height": 180, "fps": 24.0}
    facts |= {"duration_s": 1.5, "frames": 36}
    made = factories.asset(facts={"playback": facts, "files": sizes})
    default_storage.save(names.playback(made.public_id), ContentFile(playback))
    for place, picture in enumerate(pictures):
        default_storage.save(names.frame(made.public_id, place), ContentFile(picture))
    return made


def _jpeg(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 32), colour).save(file, "JPEG")
    return file.getvalue()


def pairs(study: Any, count: int, *, size: int = 900, **about: Any) -> list[Pair]:
    """Return pairs whose videos have stored files. `about` are values of their prompts."""
    made = []
    for number in range(count):
        prompt = factories.prompt(study, **about)
        two = [factories.video(prompt, asset=asset(2 * number + side, size)) for side in (0, 1)]
        made.append(factories.pair(study, prompt=prompt, video_0=two[0], video_1=two[1]))
    return made


def answered(study: Any, count: int, **values: Any) -> list[Pair]:
    """Return such pairs, each of which has an answer."""
    return answer_all(study, pairs(study, count, **values))


def answer_all(study: Any, made: list[Pair]) -> list[Pair]:
    """Let a new annotator answer these pairs, which are the only ones left."""
    person = factories.member(study, "annotator")
    for _pair in made:
        factories.answer(person, study)
    return made
