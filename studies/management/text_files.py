"""Read text files that are named on a command line."""

from pathlib import Path

from django.core.management.base import CommandError


def read_text(path: Path) -> str:
    """Return the file's text. Raises CommandError if it cannot be read."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8: byte {error.start + 1} is wrong.", returncode=2) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandError(f"{path} cannot be read: {reason}.", returncode=2) from None
