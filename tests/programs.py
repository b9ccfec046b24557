"""`python -m tests.programs`: install the system programs that some tests run, if a package manager can do it.

Without them those tests are skipped.
"""

import os
import shutil
import subprocess
import sys

SEARCHED = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
#: Each program, and its Debian package.
PACKAGES = {"nginx": "nginx-light", "pgbouncer": "pgbouncer"}
LIMIT_S = 400


def find(program: str) -> str | None:
    """Return the path of a system program, or None."""
    return shutil.which(program, path=SEARCHED)


def main() -> int:
    missing = {program: package for program, package in PACKAGES.items() if not find(program)}
    if missing and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": sys.stderr, "check": False}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing.values()]):
            try:
                subprocess.run(["apt-get", *command], timeout=LIMIT_S, stdin=subprocess.DEVNULL, **quiet)
            except subprocess.TimeoutExpired:
                break
    for program, package in missing.items():
        if not find(program):
            print(
                f"{program} is not installed, so its tests are skipped. On Debian or Ubuntu: apt-get install {package}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
