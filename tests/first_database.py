"""`python -m tests.first_database FILE`: make the database and the static files that each worker of a test run copies.

They take fifteen seconds to make, and one to copy. FILE gets nothing when they are complete, and the error if they
could not be made.
"""

import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

#: Seconds that a worker waits for the database, on a busy machine.
LONGEST = 600


def begin(written: Path) -> "subprocess.Popen[bytes]":
    """Begin to make the database in a process of its own, while the workers collect their tests."""
    return subprocess.Popen([sys.executable, "-m", "tests.first_database", str(written)])


def copied(settings: dict[str, Any], written: Path) -> None:
    """Wait for the database, and let Django copy it instead of running migrations.

    `settings` is the entry of `TEST` in the settings of a worker's database. Raises RuntimeError if it was not made.
    """
    wait(written)
    settings.update(TEMPLATE=NAME, MIGRATE=False)


def copy_static_files(to: Path, written: Path) -> None:
    """Wait for the static files, and copy them. Raises RuntimeError if they were not made."""
    wait(written)
    shutil.copytree(written.with_name("home") / "static", to, dirs_exist_ok=True)


def wait(written: Path) -> None:
    end = time.monotonic() + LONGEST
    while not written.exists():
        if time.monotonic() > end:
            raise RuntimeError(f"No database to copy after {LONGEST} s.")
        time.sleep(0.1)
    if error := written.read_text():
        raise RuntimeError(error)


#: Django's own name for a database of tests would be that of a run without workers.
NAME = "test_first"


def make() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("collectstatic", interactive=False, verbosity=0)

    connection.settings_dict["TEST"]["NAME"] = NAME
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()


def main(path: Path) -> int:
    error = ""
    try:
        make()
    except Exception:
        error = traceback.format_exc()
    part = path.with_suffix(".part")
    part.write_text(error)
    part.rename(path)  # a worker sees all of the text, or no file
    return bool(error)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
