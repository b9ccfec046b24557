"""`python -m tests.settings_check`: migrations are complete, and production settings pass Django's own checks."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: What an operator must set; see docs/operators.md.
PRODUCTION = {
    "DIPTYCH_MODE": "production",
    "SECRET_KEY": "only-for-this-check-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "ALLOWED_HOSTS": "diptych.example.org",
    "DATABASE_URL": "postgresql://diptych:secret@127.0.0.1:1/diptych",
    "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
}

CHECKS = (
    ["makemigrations", "--check", "--dry-run"],
    ["check", "--deploy", "--fail-level", "WARNING"],
)


def main() -> int:
    for arguments in CHECKS:
        print(f"manage.py {' '.join(arguments)}", flush=True)
        status = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=os.environ | PRODUCTION, check=False
        ).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
