"""Options that several commands have, and how names of releases are read."""

import json
from typing import Any, NamedTuple

import click

from diptych_client.errors import ClientError

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
server = click.option("--server", default="", metavar="ADDRESS", help="One of your sign-ins. Default: the last one.")


class Named(NamedTuple):
    """A release as a person names it: the study, and the number; None is the latest."""

    study: str
    number: int | None


def named_release(text: str) -> Named:
    """Return which release `STUDY`, `STUDY@latest` or `STUDY@N` is. Raise ClientError."""
    study, _, number = text.partition("@")
    if not study or "/" in study or not (number in ("", "latest") or (number.isascii() and number.isdigit())):
        sentence = f"{text} names no release. Write STUDY, STUDY@latest or STUDY@N, such as my-study@1."
        raise ClientError(sentence, "usage")
    return Named(study, int(number) if number.isdigit() else None)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Print rows, of which the first is the heading, in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
