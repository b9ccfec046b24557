"""`python -m tests.settings_check`: check that migrations are complete, and that production settings pass Django's
checks.
"""

import subprocess
import sys

from tests.production import LEAST, ROOT, environment

CHECKS = (
    ["makemigrations", "--check", "--dry-run"],
    ["check", "--deploy", "--fail-level", "WARNING"],
)


def main() -> int:
    for arguments in CHECKS:
        print(f"manage.py {' '.join(arguments)}", flush=True)
        status = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(**LEAST), check=False
        ).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
