#!/usr/bin/env python
"""Django's command line, with this project's settings."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "diptych.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "connection failed" not in str(error):
            raise
        sys.exit(
            "PostgreSQL does not answer. Start it with `make demo` or `python -m diptych.embedded`, or set "
            f"DATABASE_URL to one that runs.\n{error}"
        )


if __name__ == "__main__":
    main()
