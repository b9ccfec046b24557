"""`python -m tests.programs`: install the programs of the system that some tests run, where a package manager may.

Without them those tests are skipped.
"""

import os
import shutil
import subprocess
import sys

SEARCHED = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
#: Each program, and Debian's package with it.
PACKAGES = {"nginx": "nginx-light", "pgbouncer": "pgbouncer"}
LIMIT_S = 400


def find(program: str) -> str | None:
    """Return the path of a program of the system, or None."""
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
