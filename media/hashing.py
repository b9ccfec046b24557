"""The SHA-256 by which files are known."""

import hashlib
from typing import Any


def sha256_of(file: Any) -> str:
    """Hex SHA-256 of an opened file (of Python's or of storage's) from where it stands to its end."""
    return hashlib.file_digest(file, "sha256").hexdigest()
