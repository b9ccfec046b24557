"""Refuse files whose hash is known. The operator chooses the hashes.

`KNOWN_HASH_CHECKS` names functions `check(sha256, path)`. They run in order for each distinct file of an import,
before any of it is stored. A check returns None, or a reason for the safety officers. The person who imports is told
only that the file is not accepted. If a check raises, the import stops, because a file that cannot be checked is not
accepted.
"""

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import audit
from accounts.models import User
from diptych.refusals import Refused
from media.quarantined import dark
from safety.models import RefusedFile

logger = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """A refused file: its hash, the check that knew it, and the reason for the safety officers."""

    sha256: str
    check: str
    reason: str


def refusal(sha256: str, path: Path) -> Refusal | None:
    """Return the result of the first check that knows the file, or None. Raises Refused if a check fails."""
    for name in settings.KNOWN_HASH_CHECKS:
        try:
            reason = import_string(name)(sha256, path)
        except Exception as error:
            raise Refused(
                f"Nothing was imported: the check {name} of KNOWN_HASH_CHECKS failed ({error}). Fix it, then try again."
            ) from error
        if reason is not None:
            return Refusal(sha256, name, reason)
    return None


def in_quarantine(sha256: str, path: Path) -> str | None:
    """Refuse files that are in this platform's own quarantine, whichever study reported them."""
    return "It is in quarantine on this platform." if sha256 in dark.sha256s() else None


def listed(sha256: str, path: Path) -> str | None:
    """Refuse files in the list KNOWN_HASHES_FILE. Raises OSError or ValueError if the list cannot be read."""
    if not settings.KNOWN_HASHES_FILE:
        return None
    facts = os.stat(settings.KNOWN_HASHES_FILE)
    known = _read(settings.KNOWN_HASHES_FILE, facts.st_mtime_ns, facts.st_size)
    return "It is in the list KNOWN_HASHES_FILE." if bytes.fromhex(sha256) in known else None


@lru_cache(maxsize=1)
def _read(path: str, modified_ns: int, size: int) -> frozenset[bytes]:
    """Return the hashes of a list, 32 bytes each, because lists have millions. A changed file is read again."""
    with open(path, encoding="utf-8") as lines:
        return frozenset(_hash(line, number) for number, line in enumerate(lines, 1) if _says_something(line))


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _hash(line: str, number: int) -> bytes:
    try:
        digest = bytes.fromhex(line.split()[0])
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise ValueError(f"line {number} of KNOWN_HASHES_FILE does not begin with a SHA-256 of 64 hexadecimal digits")
    return digest


@transaction.atomic
def note(found: Refusal, *, study_slug: str, name: str, actor: User | None) -> None:
    """Record a refused file for the safety officers of the study: one row per file, with the number of attempts."""
    row, is_new = RefusedFile.objects.get_or_create(
        study_slug=study_slug,
        sha256=found.sha256,
        defaults={"name": name[:400], "refused_by": found.check, "reason": found.reason},
    )
    if not is_new:
        RefusedFile.objects.filter(pk=row.pk).update(times=F("times") + 1, last_at=timezone.now())
    audit.record("file.refused", row, actor=actor, study_slug=study_slug, after={"sha256": found.sha256})
    logger.warning("An import into %s was refused a file whose hash is known: %s", study_slug, found.sha256)
