"""The command `diptych-server`, which is also manage.py: Django's command line with this project's settings."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name.

    An error that an operator can correct is printed as one sentence, with exit status 1. A full disk has an exit status
    of its own.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, OperationalError

    from diptych import disk_space
    from diptych.embedded import EmbeddedError
    from diptych.environment import SettingsError

    try:
        execute_from_command_line(sys.argv)
    except (SettingsError, EmbeddedError) as error:
        sys.exit(str(error))
    except (OSError, DatabaseError) as error:
        if disk_space.is_full(error):
            print(disk_space.sentence(error), file=sys.stderr)  # noqa: T201
            sys.exit(disk_space.EXIT_STATUS)
        if not isinstance(error, OperationalError) or "connection failed" not in str(error):
            raise
        sys.exit(
            "PostgreSQL does not respond. For the demo, start it with `make demo`, or only its servers with "
            "`.venv/bin/python -m diptych.embedded`. For a PostgreSQL of your own, check that it runs and that "
            f"DATABASE_URL names it.\n{error}"
        )
