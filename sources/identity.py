"""Published ids of 64 hex digits.

A manifest can state them. All others are computed from content, so importing again finds the existing rows.
"""

import hashlib
import json
import re

#: An id that a manifest states in this form becomes the published id.
PUBLISHED = re.compile("[0-9a-f]{64}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_published(stated: str) -> bool:
    """Return whether an id that a manifest states becomes the published id. Any other id is kept as `source_id`."""
    return PUBLISHED.fullmatch(stated) is not None


def prompt_public_id(text: str) -> str:
    """Return the SHA-256 of the JSON-quoted text with ASCII escapes, as in the published SafeSora data."""
    return _sha256(json.dumps(text))


def video_public_id(prompt: str, file_sha256: str, generator: str, version: str, seed: str) -> str:
    """Return the SHA-256 of the JSON array of the prompt's public id, the file's SHA-256, generator, version and seed.

    Two videos that agree in all five are one video.
    """
    return _sha256(json.dumps([prompt, file_sha256, generator, version, seed], separators=(",", ":")))


def pair_public_id(one: str, other: str) -> str:
    """Return the SHA-256 of the two videos' public ids, the smaller first, with a space between them."""
    return _sha256(f"{min(one, other)} {max(one, other)}")


def drawn_first(seed: int, pair: str) -> bool:
    """Return whether the seed makes the first of a pair's two videos number 0, in the order of their public ids."""
    return hashlib.sha256(f"{seed} {pair}".encode()).digest()[0] < 128
