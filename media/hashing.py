"""Compute the SHA-256 that identifies a file."""

import hashlib
from typing import Any


def sha256_of(file: Any) -> str:
    """Return the hex SHA-256 of an opened file, from its current position to its end."""
    return hashlib.file_digest(file, "sha256").hexdigest()
