"""What an operator must set in production, for tests and for `make check`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

#: The least that production needs: see docs/operators/settings.md. Nothing listens at these addresses.
LEAST = {
    "DIPTYCH_MODE": "production",
    "SECRET_KEY": "only-for-this-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "ALLOWED_HOSTS": "diptych.example.org",
    "DATABASE_URL": "postgresql://diptych:secret@127.0.0.1:1/diptych",
    "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
}


def environment(**variables: str) -> dict[str, str]:
    """Return an environment with these variables and without this test run's own settings."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    return kept | variables
