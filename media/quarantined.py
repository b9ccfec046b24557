"""Which assets are in quarantine, as one process knows it: asked of the database at most once a second.

Media addresses are checked without the database, hundreds of times a second; this keeps it so and still lets an
address die within a second, in every process, whatever has become of its files. Without the database nobody knows,
and nothing is served: `DatabaseError` is raised.
"""

import threading
import time

from media.models import Asset

#: Seconds that an answer of the database is believed.
BELIEVED_S = 1.0


class Dark:
    """The assets in quarantine, by public id and by SHA-256. Safe to share between threads."""

    def __init__(self, believed_s: float = BELIEVED_S) -> None:
        self.believed_s = believed_s
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._public_ids: frozenset[str] = frozenset()
        self._sha256s: frozenset[str] = frozenset()

    def public_ids(self) -> frozenset[str]:
        """Those whose addresses are dead. Raises DatabaseError."""
        self._refresh()
        return self._public_ids

    def sha256s(self) -> frozenset[str]:
        """Those whose bytes may not come in again. Raises DatabaseError."""
        self._refresh()
        return self._sha256s

    def forget(self) -> None:
        """Asks anew at the next occasion. Waits for an answer that is on its way, which may be of before."""
        with self._lock:
            self._read_at = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < self.believed_s:
            return
        with self._lock:  # one thread asks, the others wait for what it learns
            now = time.monotonic()
            if now - self._read_at < self.believed_s:
                return
            rows = list(Asset.objects.filter(quarantined_at__isnull=False).values_list("public_id", "sha256"))
            self._public_ids = frozenset(public_id for public_id, _ in rows)
            self._sha256s = frozenset(sha256 for _, sha256 in rows)
            self._read_at = now


#: This process's own.
dark = Dark()
