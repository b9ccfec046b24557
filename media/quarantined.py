"""Cache which assets are in quarantine. Each process asks the database at most once a second.

Media addresses are checked hundreds of times a second without a database query. With this cache an address still stops
working within a second in every process, even if its files have not been moved yet. While the database is away,
`DatabaseError` is raised and nothing is served.
"""

import threading
import time

from media.models import Asset

#: Seconds for which the cached rows are used.
VALID_S = 1.0


class Dark:
    """The assets in quarantine, by public id and by SHA-256. Safe to share between threads."""

    def __init__(self, valid_s: float = VALID_S) -> None:
        self.valid_s = valid_s
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._public_ids: frozenset[str] = frozenset()
        self._sha256s: frozenset[str] = frozenset()

    def public_ids(self) -> frozenset[str]:
        """Return the public ids whose addresses no longer work. Raises DatabaseError."""
        self._refresh()
        return self._public_ids

    def sha256s(self) -> frozenset[str]:
        """Return the SHA-256 of files that may not be imported again. Raises DatabaseError."""
        self._refresh()
        return self._sha256s

    def forget(self) -> None:
        """Empty the cache. If another thread is reading rows, wait for it, since those rows may be out of date."""
        with self._lock:
            self._read_at = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < self.valid_s:
            return
        with self._lock:  # one thread asks the database, the others wait for its result
            now = time.monotonic()
            if now - self._read_at < self.valid_s:
                return
            rows = list(Asset.objects.filter(quarantined_at__isnull=False).values_list("public_id", "sha256"))
            self._public_ids = frozenset(public_id for public_id, _ in rows)
            self._sha256s = frozenset(sha256 for _, sha256 in rows)
            self._read_at = now


#: The cache of this process.
dark = Dark()
