"""Find a Chrome or Chromium for the browser tests, or install one: `python -m tests.browser.chromium`.

These are tried in order: the CHROMIUM variable, the system's browsers, the one that Playwright has downloaded,
Playwright's own installer, and the system's package manager if it may be used. Each attempt is limited in time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PLAYWRIGHT_LIMIT_S = 240
PACKAGES_LIMIT_S = 400

#: There is no sandbox as root. The other options keep a browser under test from contacting its vendor.
ARGUMENTS = [
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=user-gesture-required",
]


def find() -> str | None:
    """Return the path of a browser that starts, or None."""
    for path in (os.environ.get("CHROMIUM"), *map(shutil.which, NAMES)):
        if path and starts(path):
            return path
    path = playwrights_own()
    return path if path and starts(path) else None


def playwrights_own() -> str | None:
    """Return the Chromium that Playwright would use, if it has downloaded one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def starts(path: str) -> bool:
    """Return whether the program responds to `--version`. A placeholder for a snap does not, for example."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> None:
    """Try Playwright's installer, then the package manager. Their messages go to stderr."""
    attempts = [([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], PLAYWRIGHT_LIMIT_S)]
    if shutil.which("apt-get") and os.geteuid() == 0:
        attempts.append((["apt-get", "update", "-qq"], PACKAGES_LIMIT_S))
        attempts.append((["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"], PACKAGES_LIMIT_S))
    for command, limit_s in attempts:
        print(f"No Chromium yet; trying: {' '.join(command)}", file=sys.stderr)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            subprocess.run(
                command, timeout=limit_s, check=False, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"That did not work: {error}", file=sys.stderr)
        if find():
            return


def main() -> int:
    if not find():
        install()
    path = find()
    if path is None:
        print(
            "The browser tests need Chrome or Chromium, none was found, and neither Playwright's installer nor the "
            "package manager could bring one. Install Chromium, or set CHROMIUM to its path, and run this again.",
            file=sys.stderr,
        )
        return 1
    print(f"Browser tests use {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
